"""Environment files through a whole site: uploaded, listed, downloaded, told in GraphQL."""

from __future__ import annotations

import pytest
from environment_builder import build_environment
from house import House, Person, sentence

BODY = build_environment(
    "stats", pip=["requests"], channels=["https://ada:secret@conda.example/x", "conda-forge"], more="variables: {A: b}\nprefix: /home/ada\n"
)
QUERY = """{ package(namespace: "alice", name: "stats") {
    types { name title } installCommands { type { name } channel commands }
    files { nodes { __typename path
        ... on EnvironmentFile { environmentName channels dependencies pipDependencies platforms variables }
    } }
} }"""


async def test_an_environment_is_uploaded_listed_and_downloaded(depot: House, owner: Person) -> None:
    made = await owner.has("environment.yml", BODY, version="1.0")
    assert (made["type"], made["package"], made["path"]) == ("environment", "stats", "stats/1.0/environment.yml")
    found = await depot.anyone.get(made["url"])
    assert found.content == BODY
    assert found.headers["content-disposition"].startswith("attachment")
    assert found.headers["content-security-policy"].startswith("sandbox")
    listed = (await depot.anyone.get("/environment/alice/index.json")).text
    assert '"channels":["https://***@conda.example/x","conda-forge"]' in listed
    assert "secret" not in listed


async def test_graphql_tells_what_an_environment_says(depot: House, owner: Person) -> None:
    await owner.has("environment.yml", BODY, version="1.0")
    answer = (await depot.anyone.post("/graphql", json={"query": QUERY})).json()
    assert "errors" not in answer
    url = "http://localhost/environment/alice/stats.yml"
    assert answer["data"]["package"] == {
        "types": [{"name": "environment", "title": "Conda environment"}],
        "installCommands": [
            {
                "type": {"name": "environment"},
                "channel": "http://localhost/environment/alice",
                "commands": [
                    f"conda env create --name stats --file {url}",
                    f"mamba env create --name stats --file {url}",
                    f"micromamba create --name stats --file {url}",
                ],
            }
        ],
        "files": {
            "nodes": [
                {
                    "__typename": "EnvironmentFile",
                    "path": "stats/1.0/environment.yml",
                    "environmentName": "stats",
                    "channels": ["https://***@conda.example/x", "conda-forge"],
                    "dependencies": ["python=3.12", "numpy", "pip"],
                    "pipDependencies": ["requests"],
                    "platforms": [],
                    "variables": ["A"],
                }
            ]
        },
    }


async def test_a_version_in_the_file_is_the_release(owner: Person) -> None:
    made = await owner.has("environment.yml", build_environment(more="version: 1.10\n"))
    assert made["version"] == "1.10"


async def test_two_environments_of_one_file_name_are_two_packages(depot: House, owner: Person) -> None:
    for name in ("stats", "maps"):
        assert (await owner.has("environment.yml", build_environment(name)))["package"] == name
    packages = (await depot.anyone.get("/environment/alice/index.json")).json()["packages"]
    assert [package["name"] for package in packages] == ["maps", "stats"]


@pytest.mark.parametrize(
    ("basename", "body", "words"),
    [
        ("environment.yml", b"name: x\ndependencies:\n\t- numpy\n", "line 3"),
        ("environment.txt", build_environment(), "must end in .yml or .yaml"),
        ("values.yml", b"name: x\nreplicas: 3\n", "of no type that this server knows"),
        ("environment.yml", b"name: x\ndependencies: [a]\nchannels: {a: b}\n", "`channels` must be a list"),
    ],
)
async def test_what_is_no_environment_is_422_and_leaves_nothing(depot: House, owner: Person, basename: str, body: bytes, words: str) -> None:
    assert words in sentence(await owner.put(basename, body), 422)
    assert await depot.left() == {}
