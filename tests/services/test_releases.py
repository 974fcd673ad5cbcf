"""The order of releases: a type's own while a package has one type, the common one from its second on."""

from __future__ import annotations

from pathlib import Path

import pytest
from conda_builder import build_conda
from entrepot.registry import Registry
from entrepot.services.releases import common_version_key
from house import open_house
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version
from pypi_builder import build_wheel

NUMBERS = st.integers(0, 12)
VERSIONS = st.builds(
    "{}{}{}{}{}{}".format,
    st.sampled_from(["", "1!", "2!"]),
    st.lists(NUMBERS, min_size=1, max_size=4).map(lambda numbers: ".".join(map(str, numbers))),
    st.one_of(st.just(""), st.builds("{}{}".format, st.sampled_from(["a", "b", "rc"]), NUMBERS)),
    st.one_of(st.just(""), st.builds(".post{}".format, NUMBERS)),
    st.one_of(st.just(""), st.builds(".dev{}".format, NUMBERS)),
    st.sampled_from(["", "+abc", "+1"]),
)


@given(VERSIONS, VERSIONS)
def test_the_common_key_orders_as_pep_440_does(one: str, other: str) -> None:
    if Version(one) < Version(other):
        assert common_version_key(one) < common_version_key(other)
    if Version(one) == Version(other):
        assert common_version_key(one) == common_version_key(other)


@given(st.text())
def test_the_common_key_takes_any_text(version: str) -> None:
    assert common_version_key(version)


LATEST = '{ package(namespace: "alice", name: "duo") { latestRelease { version } releases { nodes { version } } } }'


@pytest.mark.parametrize("first", ["conda", "pypi"])
async def test_a_package_of_two_types_has_one_order(house_data: Path, first: str) -> None:
    files = {"conda": [build_conda("duo", "1.10"), build_conda("duo", "3")], "pypi": [build_wheel("duo", "2.0"), build_wheel("duo", "10.0rc1")]}
    async with open_house(house_data, Registry.built_in()) as house:
        alice = await house.person("alice")
        for type in sorted(files, reverse=first == "pypi"):
            for basename, body in files[type]:
                await alice.has(basename, body)
        answer = (await house.anyone.post("/graphql", json={"query": LATEST})).json()["data"]["package"]
        assert [release["version"] for release in answer["releases"]["nodes"]] == ["10.0rc1", "3", "2.0", "1.10"]
