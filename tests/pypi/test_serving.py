"""The index of a whole site: pages, sidecars, state."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import urljoin

import pytest
from entrepot.db.sql import fetch
from entrepot.services.actors import Actor
from pypi_builder import build_sdist, build_wheel
from pypi_client import PypiClient

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"
WHEEL = build_wheel("Foo.Bar", "1.0", ["baz>1"], headers=[("Requires-Python", ">=3.8")])
SDIST = build_sdist("Foo.Bar", "1.0.0")


async def page(client: PypiClient, project: str = "foo-bar") -> dict[str, Any]:
    answer = await client.get(f"simple/{project}/", JSON)
    assert answer.status_code == 200
    parsed: dict[str, Any] = answer.json()
    return parsed


async def set_state(client: PypiClient, **states: Any) -> None:
    [row] = await fetch("SELECT id FROM namespace WHERE name = $1", client.namespace)
    alice = Actor(name=client.namespace, namespace_id=row["id"], scopes=frozenset(["all"]))
    await client.services.set_state(alice, namespace=client.namespace, type="pypi", name="foo-bar", action="test", **states)


async def test_a_project_page_lists_every_file_and_one_version(client: PypiClient) -> None:
    for built in (WHEEL, SDIST, build_wheel("foo-bar", "0.9")):
        assert (await client.publish(built)).status_code == 200
    parsed = await page(client)
    assert parsed["meta"] == {"api-version": "1.4"}
    assert [file["filename"] for file in parsed["files"]] == ["foo_bar-0.9-py3-none-any.whl", WHEEL[0], SDIST[0]]
    assert len(parsed["versions"]) == 2
    wheel = parsed["files"][1]
    assert (wheel["size"], wheel["requires-python"], wheel["yanked"]) == (len(WHEEL[1]), ">=3.8", False)
    assert wheel["hashes"] == {"sha256": hashlib.sha256(WHEEL[1]).hexdigest()}


async def test_the_links_of_a_page_lead_to_the_files_and_their_sidecars(client: PypiClient) -> None:
    for built in (WHEEL, SDIST):
        await client.publish(built)
    for file, built in zip((await page(client))["files"], (WHEEL, SDIST), strict=True):
        url = urljoin(client.url("simple/foo-bar/"), file["url"])
        assert (await client.http.get(url)).content == built[1]
        sidecar = await client.http.get(f"{url}.metadata")
        assert hashlib.sha256(sidecar.content).hexdigest() == file["core-metadata"]["sha256"]
        assert b"Name: Foo.Bar" in sidecar.content


@pytest.mark.parametrize(("accept", "media_type"), [(JSON, JSON), (HTML, HTML), ("text/html", "text/html"), ("*/*", "text/html")])
@pytest.mark.parametrize("path", ["simple/", "simple/foo-bar/"])
async def test_each_representation_has_its_media_type_and_varies(client: PypiClient, path: str, accept: str, media_type: str) -> None:
    await client.publish(WHEEL)
    answer = await client.get(path, accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"].partition(";")[0] == media_type
    assert "accept" in answer.headers["vary"].lower().replace(" ", "").split(",")


async def test_the_root_lists_projects_under_their_normalized_names(client: PypiClient) -> None:
    assert (await client.get("simple/", JSON)).json()["projects"] == []
    await client.publish(WHEEL)
    await client.publish(build_wheel("zope", "1.0"))
    assert (await client.get("simple/", JSON)).json() == {"meta": {"api-version": "1.4"}, "projects": [{"name": "foo-bar"}, {"name": "zope"}]}


@pytest.mark.parametrize("path", ["simple/absent/", "files/absent-1.0.tar.gz", "files/absent-1.0.tar.gz.metadata", "pypi/absent/json"])
async def test_what_is_not_there_is_a_real_404(client: PypiClient, path: str) -> None:
    await client.publish(WHEEL)
    assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("simple/Foo.Bar/", "simple/foo-bar/"),
        ("simple/foo-bar", "simple/foo-bar/"),
        ("simple", "simple/"),
        ("", "simple/"),
        ("simple/foo-bar?format=text/html", "simple/foo-bar/?format=text/html"),
        ("pypi/Foo.Bar/json", "pypi/foo-bar/json"),
        ("Foo.Bar/json", "pypi/foo-bar/json"),
        ("legacy/+simple/Foo.Bar/", "simple/foo-bar/"),
        ("legacy/+simple/Foo.Bar", "simple/foo-bar/"),
    ],
)
async def test_redirects_are_relative_and_arrive(client: PypiClient, path: str, location: str) -> None:
    await client.publish(WHEEL)
    answer = await client.get(path)
    assert answer.status_code in (301, 308)
    assert not answer.headers["location"].startswith(("http", "/"))
    assert urljoin(client.url(path), answer.headers["location"]) == client.url(location)


async def test_an_accept_that_cannot_be_met_is_a_406(client: PypiClient) -> None:
    answer = await client.get("simple/", "image/png")
    assert (answer.status_code, answer.headers["vary"]) == (406, "Accept")


@pytest.mark.parametrize("path", ["simple/", "simple/foo-bar/"])
async def test_each_representation_and_encoding_has_an_etag_of_its_own_and_is_unchanged_for_who_has_it(client: PypiClient, path: str) -> None:
    for number in range(30):  # so much that compression is worth it
        await client.publish(build_wheel("Foo.Bar", f"1.{number}") if path != "simple/" or not number else build_wheel(f"foo-bar-{number}", "1"))
    tags: dict[str, str] = {}
    for accept in (JSON, HTML, "text/html"):
        for encoding in ("identity", "gzip", "zstd"):
            asked = {"accept": accept, "accept-encoding": encoding}
            answer = await client.http.get(client.url(path), headers=asked)
            assert answer.headers.get("content-encoding", "identity") == encoding
            assert answer.headers["vary"] == "Accept, Accept-Encoding"
            assert answer.headers["x-pypi-last-serial"].isdecimal()
            tags[answer.headers["etag"]] = f"{accept} {encoding}"
            again = await client.http.get(client.url(path), headers={**asked, "if-none-match": answer.headers["etag"]})
            assert (again.status_code, again.content, again.headers["vary"]) == (304, b"", "Accept, Accept-Encoding")
            assert again.headers["x-pypi-last-serial"] == answer.headers["x-pypi-last-serial"]
    assert len(tags) == 9


async def test_yanking_shows_on_the_next_request_in_both_forms(client: PypiClient) -> None:
    await client.publish(WHEEL)
    await set_state(client, file_states={WHEEL[0]: {"yanked": 'broken: "x" <y>'}})
    assert (await page(client))["files"][0]["yanked"] == 'broken: "x" <y>'
    assert 'data-yanked="broken: &quot;x&quot; &lt;y&gt;"' in (await client.get("simple/foo-bar/")).text
    await set_state(client, file_states={WHEEL[0]: {"yanked": None}})
    assert (await page(client))["files"][0]["yanked"] is False


async def test_a_project_in_quarantine_offers_no_files_is_not_listed_and_comes_back(client: PypiClient) -> None:
    await client.publish(WHEEL)
    await set_state(client, package_state={"project-status": {"status": "quarantined", "reason": "malware?"}})
    quarantined = await page(client)
    assert (quarantined["project-status"], quarantined["files"]) == ({"status": "quarantined", "reason": "malware?"}, [])
    assert WHEEL[0] not in (await client.get("simple/foo-bar/")).text
    assert (await client.get("simple/", JSON)).json()["projects"] == []
    assert (await client.get("pypi/foo-bar/json")).status_code == 404
    await set_state(client, package_state={"project-status": {"status": "deprecated"}})
    assert (await page(client))["project-status"] == {"status": "deprecated"}
    assert (await client.get("simple/", JSON)).json()["projects"] == [{"name": "foo-bar"}]


async def test_a_label_has_an_index_of_its_own(client: PypiClient) -> None:
    headers = {"authorization": f"Bearer {client.token}"}
    answer = await client.http.put(f"/upload/{client.namespace}/{WHEEL[0]}?label=dev", content=WHEEL[1], headers=headers)
    assert answer.status_code == 201, answer.text
    assert (await client.get("simple/foo-bar/")).status_code == 404
    parsed = (await client.get("label/dev/simple/foo-bar/", JSON)).json()
    url = urljoin(client.url("label/dev/simple/foo-bar/"), parsed["files"][0]["url"])
    assert (await client.http.get(url)).content == WHEEL[1]


async def test_the_schema_shows_a_file_and_its_project(client: PypiClient) -> None:
    await client.publish(WHEEL)
    query = """query ($namespace: String!) { package(namespace: $namespace, name: "Foo.Bar") {
        facets { type ... on PypiFacet { name projectStatus } }
        files(first: 1) { nodes { path
            ... on PypiFile { packagetype pythonTag requiresPython requiresDist yanked yankedReason coreMetadataSha256 } } }
    } }"""
    answer = await client.http.post("/graphql", json={"query": query, "variables": {"namespace": client.namespace}})
    parsed = json.loads(answer.text)
    assert "errors" not in parsed, answer.text
    package = parsed["data"]["package"]
    assert package["facets"] == [{"type": "pypi", "name": "foo-bar", "projectStatus": "ACTIVE"}]
    [file] = package["files"]["nodes"]
    assert file.pop("coreMetadataSha256") == (await page(client))["files"][0]["core-metadata"]["sha256"]
    assert file == {
        "path": WHEEL[0],
        "packagetype": "bdist_wheel",
        "pythonTag": "py3",
        "requiresPython": ">=3.8",
        "requiresDist": ["baz>1"],
        "yanked": False,
        "yankedReason": None,
    }
