"""Which file of a package goes in first: the package's summary and description come from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_builder import build_conda
from entrepot.services.imports.folders import FoundFile
from entrepot.services.imports.order import import_order
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from .conftest import Depot


def ordered(*paths: str) -> tuple[list[str], list[str]]:
    first, others = import_order([FoundFile(path, path, 1) for path in paths])
    return [file.path for file in first], [file.path for file in others]


def test_the_newest_of_each_package_goes_first_and_then_the_others_from_new_to_old() -> None:
    conda = ["noarch/a-b-1.9-0.conda", "linux-64/a-b-1.10-0.conda", "noarch/a-b-1.10rc1-0.conda", "noarch/a-1!0.1-0.tar.bz2", "noarch/a-9.0-0.conda"]
    assert ordered(*conda) == (
        ["noarch/a-1!0.1-0.tar.bz2", "linux-64/a-b-1.10-0.conda"],
        ["noarch/a-9.0-0.conda", "noarch/a-b-1.10rc1-0.conda", "noarch/a-b-1.9-0.conda"],
    )
    pypi = ["Some_Project-1.0.tar.gz", "some.project-1.0.1-py3-none-any.whl", "some-project-1.0rc1.tar.gz", "some_project-1.0.post1.zip"]
    assert ordered(*pypi) == (
        ["some.project-1.0.1-py3-none-any.whl"],
        ["some_project-1.0.post1.zip", "Some_Project-1.0.tar.gz", "some-project-1.0rc1.tar.gz"],
    )


def test_what_lies_in_a_labels_folder_goes_last() -> None:
    assert ordered("label/dev/noarch/a-2.0-0.conda", "noarch/a-1.0-0.conda") == (["noarch/a-1.0-0.conda"], ["label/dev/noarch/a-2.0-0.conda"])


@given(st.lists(st.text(st.sampled_from("ab-1.!_+"), min_size=1, max_size=12), unique=True))
def test_every_file_is_taken_once_in_an_order_that_depends_on_nothing_else(names: list[str]) -> None:
    first, others = ordered(*names)
    assert sorted([*first, *others]) == sorted(names)
    assert ordered(*reversed(names)) == (first, others)


async def test_the_summary_of_a_package_is_its_newest_files(depot: Depot) -> None:
    for version in ("1.9", "1.10", "1.2"):
        about = f'{{"summary": "As of {version}"}}'.encode()
        basename, body = build_conda("a", version, info={"about.json": about})
        depot.put(f"noarch/{basename}", body)
    await depot.take()
    answer = await depot.house.anyone.post("/graphql", json={"query": '{ package(namespace: "alice", name: "a") { summary } }'})
    assert answer.json()["data"]["package"]["summary"] == "As of 1.10"
