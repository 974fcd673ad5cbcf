"""A dry run inspects everything and publishes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conda_builder import build_conda
from entrepot.services.imports.outcomes import Why

if TYPE_CHECKING:
    from .conftest import Depot


async def test_a_dry_run_says_what_would_happen_and_nothing_does(depot: Depot) -> None:
    there, other, new = build_conda("there", "1.0"), build_conda("other", "1.0"), build_conda("new", "1.0")
    for basename, body in (there, other):
        depot.put(f"noarch/{basename}", body)
    await depot.take()
    before = await depot.house.left()
    depot.put(f"noarch/{other[0]}", build_conda("other", "1.0", files={"x": b"y"})[1])
    depot.put(f"noarch/{new[0]}", new[1])
    depot.put("noarch/bad-1.0-0.conda", new[1])
    depot.put("osx-64/" + (wrong := build_conda("wrong", "1.0"))[0], wrong[1])
    depot.put("label/dev/noarch/" + there[0], there[1])
    told = await depot.take(dry_run=True)
    assert told.imported == {f"noarch/{new[0]}"}
    assert told.present == {f"noarch/{there[0]}", f"label/dev/noarch/{there[0]}"}
    assert {file: told[file].why for file in told.refused} == {
        f"noarch/{other[0]}": Why.CONFLICT,
        "noarch/bad-1.0-0.conda": Why.INVALID,
        f"osx-64/{wrong[0]}": Why.PLACE,
    }
    assert await depot.house.left() == before
    real = await depot.take()
    assert (real.imported, real.present, real.refused) == (told.imported, told.present, told.refused)


async def test_a_dry_run_sees_that_two_files_of_the_folder_want_one_path(depot: Depot) -> None:
    basename, body = build_conda("a", "1.0")
    depot.put(f"x/{basename}", body)
    depot.put(f"y/{basename}", build_conda("a", "1.0", files={"x": b"y"})[1])
    depot.put(f"z/{basename}", body)
    told = await depot.take(dry_run=True, jobs=1)
    assert (told.imported, told.refused) == ({f"x/{basename}", f"z/{basename}"}, {f"y/{basename}"})
    assert "Another file of this folder would be published as noarch/a-1.0-0.conda" in told.sentence(f"y/{basename}")


async def test_a_dry_run_sees_that_a_package_is_public(depot: Depot) -> None:
    depot.put("noarch/" + (old := build_conda("a", "1.0"))[0], old[1])
    await depot.take()
    depot.put("noarch/" + (new := build_conda("a", "2.0"))[0], new[1])
    assert "is public already" in (await depot.take(dry_run=True, private=True)).sentence(f"noarch/{new[0]}")
