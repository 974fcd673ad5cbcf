"""Notebooks through a whole site: uploaded, listed, downloaded, told in GraphQL."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from typing import Any

import pytest
from conda_builder import build_conda
from environment_builder import build_environment
from house import House, Person, sentence
from notebook_builder import PYTHON, build_notebook, code, markdown, picture, shown

BODY = build_notebook(markdown("# Penguins\n\nThey swim."), code("plot()", shown({"image/png": picture(), "text/plain": "<Figure>"})))
ACTIVE = build_notebook(
    markdown("# <script>alert(1)</script>Hi"), code("x", shown({"text/html": "<script>alert(2)</script>", "application/javascript": "alert(3)"}))
)
QUERY = """query($name: String!) { package(namespace: "alice", name: $name) {
    summary description types { name title } latestRelease { version } installCommands { type { name } commands }
    files { nodes { __typename path version basename downloadUrl
        ... on NotebookFile { title authors nbformat language languageVersion kernel kernelDisplayName cellCount codeCellCount markdownCellCount
            executed hasErrors hasWidgets outputTypes thumbnail }
    } }
} }"""


async def ask(house: House, name: str) -> Any:
    """What GraphQL says of a package of alice's, to anyone."""
    answer = (await house.anyone.post("/graphql", json={"query": QUERY, "variables": {"name": name}})).json()
    assert "errors" not in answer, answer
    return answer["data"]["package"]


async def test_a_notebook_is_uploaded_listed_and_downloaded(depot: House, owner: Person) -> None:
    made = await owner.has("My Penguins.ipynb", BODY, version="1.0")
    assert (made["type"], made["package"], made["path"]) == ("notebook", "my-penguins", "my-penguins/1.0/My Penguins.ipynb")
    found = await depot.anyone.get(made["url"])
    assert found.content == BODY
    listed = (await depot.anyone.get("/notebook/alice/index.json")).json()["packages"][0]
    assert listed["name"] == "my-penguins"
    assert {"title": "Penguins", "language": "python", "kernel": "python3"}.items() <= listed["files"][0].items()


async def test_an_ipynb_is_never_a_page_of_this_site(depot: House, owner: Person) -> None:
    made = await owner.has("active.ipynb", ACTIVE, version="1")
    for url in (made["url"], "/notebook/alice/index.json"):
        found = await depot.anyone.get(url)
        assert found.headers["x-content-type-options"] == "nosniff"
        assert found.headers["content-type"] in ("application/octet-stream", "application/json")
        assert "default-src 'none'" in found.headers["content-security-policy"]
    found = await depot.anyone.get(made["url"])
    assert found.headers["content-disposition"].startswith("attachment")
    assert found.headers["content-security-policy"].startswith("sandbox")
    assert (await ask(depot, "active"))["summary"] == "alert(1)Hi"


async def test_the_thumbnail_is_a_small_image_and_nothing_else(depot: House, owner: Person) -> None:
    await owner.has("penguins.ipynb", BODY, version="1")
    [file] = (await ask(depot, "penguins"))["files"]["nodes"]
    found = await depot.anyone.get(file["thumbnail"])
    assert (found.status_code, found.headers["content-type"]) == (200, "image/png")
    assert found.content.startswith(b"\x89PNG")
    assert found.headers["content-security-policy"].startswith("sandbox")


async def test_graphql_tells_what_a_notebook_says(depot: House, owner: Person) -> None:
    await owner.has("penguins.ipynb", BODY, version="1.0")
    package = await ask(depot, "penguins")
    [file] = package.pop("files")["nodes"]
    assert package == {
        "summary": "Penguins",
        "description": "# Penguins\n\nThey swim.",
        "types": [{"name": "notebook", "title": "Jupyter notebook"}],
        "latestRelease": {"version": "1.0"},
        "installCommands": [
            {"type": {"name": "notebook"}, "commands": ["curl --fail --location --remote-name http://localhost/notebook/alice/penguins.ipynb"]}
        ],
    }
    assert file == {
        "__typename": "NotebookFile",
        "path": "penguins/1.0/penguins.ipynb",
        "version": "1.0",
        "basename": "penguins.ipynb",
        "downloadUrl": "http://localhost/notebook/alice/penguins/1.0/penguins.ipynb",
        "title": "Penguins",
        "authors": [],
        "nbformat": "4.5",
        "language": "python",
        "languageVersion": "3.12.1",
        "kernel": "python3",
        "kernelDisplayName": "Python 3 (ipykernel)",
        "cellCount": 2,
        "codeCellCount": 1,
        "markdownCellCount": 1,
        "executed": True,
        "hasErrors": False,
        "hasWidgets": False,
        "outputTypes": ["image/png", "text/plain"],
        "thumbnail": "/notebook/alice/penguins/1.0/penguins.ipynb/thumbnail.png",
    }


async def test_a_notebook_that_says_next_to_nothing(depot: House, owner: Person) -> None:
    await owner.has("bare.ipynb", build_notebook(metadata={}), version="1")
    [file] = (await ask(depot, "bare"))["files"]["nodes"]
    assert (file["title"], file["language"], file["kernel"], file["cellCount"], file["thumbnail"]) == ("bare", None, None, 0, None)


async def test_a_version_in_the_metadata_is_the_release(owner: Person) -> None:
    made = await owner.has("a.ipynb", build_notebook(metadata={**PYTHON, "version": "0.3"}))
    assert made["version"] == "0.3"


async def test_one_package_may_hold_a_notebook_its_environment_and_a_conda_package(depot: House, owner: Person) -> None:
    await owner.has("stats.ipynb", BODY)
    await owner.has("environment.yml", build_environment("stats"))
    await owner.has(*build_conda("stats", "1.0"))
    package = await ask(depot, "stats")
    assert [kind["name"] for kind in package["types"]] == ["conda", "environment", "notebook"]
    assert {file["__typename"] for file in package["files"]["nodes"]} == {"NotebookFile", "EnvironmentFile", "CondaFile"}
    assert len(package["installCommands"]) == 3


@pytest.mark.parametrize(
    ("basename", "body", "words"),
    [
        ("a.ipynb", b"<html>", "It is HTML"),
        ("a.ipynb", BODY[:-5], "not valid JSON"),
        ("a.json", BODY, "must end in .ipynb"),
        ("a.ipynb", build_notebook(code("x", shown({"application/json": {"a": float("nan")}}))), "holds NaN"),
        ("a.json", json.dumps({"cells": []}).encode(), "of no type that this server knows"),
    ],
)
async def test_what_is_no_notebook_is_422_and_leaves_nothing(depot: House, owner: Person, basename: str, body: bytes, words: str) -> None:
    assert words in sentence(await owner.put(basename, body), 422)
    assert await depot.left() == {}


async def test_a_token_for_another_type_uploads_no_notebook(depot: House, owner: Person) -> None:
    client = await owner.scoped("conda", "pypi")
    assert "notebook:upload" in sentence(await client.put("/upload/alice/a.ipynb", content=BODY), 403)
    client = await owner.scoped("notebook:upload")
    assert (await client.put("/upload/alice/a.ipynb", content=BODY)).status_code == 201


async def test_an_archive_around_a_notebook_is_no_notebook(owner: Person) -> None:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("a.ipynb", base64.b64encode(BODY))
    sentence(await owner.put("a.ipynb", body.getvalue()), 422)
