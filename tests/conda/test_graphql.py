"""What GraphQL tells of conda packages, asked of a whole site."""

from __future__ import annotations

import json

from conda_builder import build_conda
from house import Person

FILES = """{ package(namespace: "alice", name: "foo") {
    facets { type ... on CondaFacet { platforms } }
    files { nodes { ... on CondaFile { subdir build buildNumber depends constrains license licenseFamily timestamp noarch
        runExports { weak strong weakConstrains strongConstrains noarch } links { home devUrl docUrl sourceUrl licenseUrl } } } } } }"""


async def test_a_conda_file_tells_everything_and_its_package_the_platforms(owner: Person) -> None:
    index = {"constrains": ["qux <3"], "license_family": "BSD", "build_number": 2**40, "license": "BSD-3-Clause"}
    about = {"home": "https://example.org", "dev_url": ["https://example.org/git", "https://other.example"], "doc_url": "javascript:alert(1)"}
    exports = {"weak": ["foo >=1.0,<2.0a0"], "strong_constrains": ["libfoo 1.*"], "noarch": []}
    info = {"about.json": json.dumps(about).encode(), "run_exports.json": json.dumps(exports).encode()}
    await owner.has(*build_conda("foo", "1.0", "h1_0", "linux-64", ["bar >=2"], index=index, info=info))
    await owner.has(*build_conda("foo", "1.0", "py_0", index={"timestamp": None, "license": None}, info={"about.json": None}))
    answer = (await owner.house.anyone.post("/graphql", json={"query": FILES})).json()
    package = answer["data"]["package"]
    assert package["facets"] == [{"type": "conda", "platforms": ["linux-64", "noarch"]}]
    plain, full = package["files"]["nodes"]
    nothing: dict[str, list[str]] = {kind: [] for kind in ("weak", "strong", "weakConstrains", "strongConstrains", "noarch")}
    assert full == {
        "subdir": "linux-64",
        "build": "h1_0",
        "buildNumber": 2**40,
        "depends": ["bar >=2"],
        "constrains": ["qux <3"],
        "license": "BSD-3-Clause",
        "licenseFamily": "BSD",
        "timestamp": 1_700_000_000_000,
        "noarch": None,
        "runExports": nothing | {"weak": ["foo >=1.0,<2.0a0"], "strongConstrains": ["libfoo 1.*"]},
        "links": {"home": "https://example.org", "devUrl": "https://example.org/git", "docUrl": None, "sourceUrl": None, "licenseUrl": None},
    }
    assert (plain["noarch"], plain["timestamp"], plain["license"], plain["runExports"]) == ("generic", None, None, nothing)
    assert set(plain["links"].values()) == {None}


async def test_a_private_packages_files_and_platforms_are_told_to_nobody_else(owner: Person) -> None:
    await owner.has(*build_conda("foo", "1.0", subdir="linux-64"), private="true")
    assert (await owner.house.anyone.post("/graphql", json={"query": FILES})).json()["data"] == {"package": None}
    assert (await owner.client.post("/graphql", json={"query": FILES})).json()["data"]["package"]["facets"][0]["platforms"] == ["linux-64"]
