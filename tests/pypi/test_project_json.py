"""The older JSON documents: of a project, and of one of its releases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin

import httpx
import orjson
import pytest
from entrepot.db.sql import fetch
from entrepot.metrics import RENDERS
from entrepot.plugin import RenderContext, StoredExtra, StoredFile
from entrepot.services.collection.changes import prune_changes
from entrepot.services.collection.report import Report
from entrepot_pypi import projectjson
from entrepot_pypi.packagetype import PypiType
from entrepot_pypi.page import metadata_extra
from entrepot_pypi.version import canonical
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version
from pypi_builder import build_metadata, build_sdist, build_wheel
from pypi_client import PypiClient
from stored_wheel import WHEEL as STORED

PYPI = PypiType()
CONTEXT = RenderContext(namespace="alice", label="main", document="simple", part="foo")
PLAIN = replace(
    STORED,
    attributes={**STORED.attributes, "requires_dist": ["bar"], "classifiers": ["A :: B"]},
    extras={metadata_extra: StoredExtra(sha256="12" * 32, size=10, media_type="")},
    summary="A foo",
)


def at(version: str, **more: Any) -> StoredFile:
    return replace(PLAIN, version=version, path=f"foo-{version}-py3-none-any.whl", **more)


def render(files: Sequence[StoredFile], **context: Any) -> dict[str, Any] | None:
    entries = [projectjson.entry(file) for file in sorted(files, key=lambda file: (PYPI.entries(file)[0].sort_key, file.path))]
    body = projectjson.render(replace(CONTEXT, **context), entries)
    parsed: dict[str, Any] | None = orjson.loads(body) if body else None
    return parsed


def test_a_document_has_the_keys_that_tools_read() -> None:
    found = render([PLAIN], changed_at=77)
    assert found is not None
    assert set(found) == {"info", "last_serial", "ownership", "releases", "urls", "vulnerabilities"}
    assert found["last_serial"] == 77
    assert found["info"]["description"] == ""  # its metadata is lost
    assert {"name": "Foo", "version": "1.0", "summary": "A foo", "requires_dist": ["bar"], "yanked": False, "yanked_reason": None}.items() <= found[
        "info"
    ].items()
    assert {"license", "license_expression", "license_files", "classifiers", "requires_python", "project_urls", "dynamic", "provides_extra"} <= set(
        found["info"]
    )
    [file] = found["urls"]
    assert found["releases"] == {"1.0": [file]}
    assert file["digests"] == {"blake2b_256": "ef" * 32, "md5": "cd" * 16, "sha256": "ab" * 32}
    assert file["core-metadata"] == {"sha256": "12" * 32}
    assert (file["upload_time"], file["upload_time_iso_8601"]) == ("2023-11-14T22:13:20", "2023-11-14T22:13:20.123000Z")
    assert (file["filename"], file["packagetype"], file["python_version"], file["size"]) == (PLAIN.path, "bdist_wheel", "py3", 1234)


@pytest.mark.parametrize(
    ("files", "latest"),
    [
        ([at("1.0"), at("2.0rc1")], "1.0"),
        ([at("1.0rc1"), at("1.0rc2")], "1.0rc2"),
        ([at("1.0"), at("2.0", state={"yanked": True})], "1.0"),
        ([at("1.0rc1"), at("2.0", state={"yanked": "x"})], "1.0rc1"),
        ([at("1.0", state={"yanked": True}), at("2.0", state={"yanked": "x"})], "2.0"),
        ([at("9.0"), at("10.0"), at("1!1.0")], "1!1.0"),
        ([at("2.0", state={"yanked": True}), replace(at("2.0"), path="foo-2.0.tar.gz"), at("1.0")], "2.0"),
    ],
)
def test_the_latest_release_is_neither_yanked_nor_a_prerelease_where_there_is_such_a_one(files: list[StoredFile], latest: str) -> None:
    found = render(files)
    assert found is not None
    assert found["info"]["version"] == latest


@given(st.lists(st.tuples(st.sampled_from(["1.0", "1.1", "2.0a1", "2.0", "3.0.dev1"]), st.booleans()), min_size=1, unique_by=lambda one: one[0]))
@settings(max_examples=50)
def test_every_release_has_a_document_that_agrees_with_the_projects(given: list[tuple[str, bool]]) -> None:
    files = [at(version, state={"yanked": True} if yanked else {}) for version, yanked in given]
    whole = render(files)
    assert whole is not None
    assert list(whole["releases"]) == sorted((version for version, _ in given), key=Version)
    for version, yanked in given:
        one = render(files, view=canonical(version))
        assert one is not None
        assert "releases" not in one
        assert one["info"]["yanked"] is yanked
        assert [file["filename"] for file in one["urls"]] == [file["filename"] for file in whole["releases"][version]]
    ranked = max(given, key=lambda one: (not one[1] and not Version(one[0]).is_prerelease, not one[1], Version(one[0])))
    assert whole["info"]["version"] == ranked[0]


def test_the_wheel_speaks_for_a_release_whatever_its_files_are_called() -> None:
    sdist = replace(at("1.0"), path="Foo-1.0.tar.gz", summary="as the sdist has it")
    for files in ([sdist, PLAIN], [PLAIN, sdist]):
        found = render(files)
        assert found is not None
        assert found["info"]["summary"] == "A foo"
        assert [file["filename"] for file in found["urls"]] == [PLAIN.path, sdist.path]
    later = at("1.0.post1")
    assert [file.version for file in sorted([later, sdist], key=lambda file: PYPI.entries(file)[0].sort_key)] == ["1.0", "1.0.post1"]


def test_there_is_no_document_of_a_release_that_is_not_there() -> None:
    assert render([PLAIN], view="2") is None


def test_urls_are_absolute_where_the_site_knows_its_own_and_else_lead_up() -> None:
    local = at("1.0+cpu")
    for view, relative in (("", "../../files/"), ("1+cpu", "../../../files/")):
        for public_url, base in (("", relative), ("https://example.org", "https://example.org/pypi/alice/files/")):
            found = render([local], view=view, public_url=public_url)
            assert found is not None
            assert found["urls"][0]["url"] == f"{base}foo-1.0%2Bcpu-py3-none-any.whl"


README = "# Foo\n\nIt *foos*."
WHEEL = build_wheel(
    "Foo.Bar", "1.0", ["baz>1"], headers=[("Requires-Python", ">=3.8"), ("Description-Content-Type", "text/markdown")], description=README
)
SDIST = build_sdist("Foo.Bar", "0.9", pkg_info=build_metadata("Foo.Bar", "0.9", metadata_version="2.1", description="The old one."))


async def test_the_documents_are_served_with_the_readme_and_links_that_lead_to_the_files(client: PypiClient) -> None:
    for built in (WHEEL, SDIST):
        assert (await client.publish(built)).status_code == 200
    for rest, version, description, built in (
        ("pypi/foo-bar/json", "1.0", README, WHEEL),
        ("pypi/foo-bar/1.0.0/json", "1.0", README, WHEEL),
        ("pypi/foo-bar/0.9/json", "0.9", "The old one.", SDIST),
    ):
        answer = await client.get(rest)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json"), answer.text
        found = answer.json()
        assert (found["info"]["version"], found["info"]["description"]) == (version, description)
        assert answer.headers["x-pypi-last-serial"] == str(found["last_serial"])
        [file] = found["urls"]
        assert (await client.http.get(urljoin(client.url(rest), file["url"]))).content == built[1]
        again = await client.http.get(client.url(rest), headers={"if-none-match": answer.headers["etag"]})
        assert again.status_code == 304
    for rest in ("pypi/foo-bar/2.0/json", "pypi/foo-bar/nonsense/json", "label/dev/pypi/foo-bar/json"):
        assert (await client.get(rest)).status_code == 404
    assert (await client.get(f"files/{SDIST[0]}.metadata")).status_code == 404


async def test_what_nobody_has_published_is_neither_rendered_nor_kept(client: PypiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    await client.publish(WHEEL)
    assert (await client.get("pypi/foo-bar/1.0/json")).status_code == 200
    indexes = client.services.site.indexes
    size = indexes.parts.size
    rendered: list[str] = []
    monkeypatch.setattr(RENDERS, "add", lambda type, what: rendered.append(what))
    for number in range(3):
        assert (await client.get(f"pypi/foo-bar/{number}.7/json")).status_code == 404
    assert (rendered, indexes.parts.size) == ([], size)
    assert (await client.get("label/dev/pypi/foo-bar/1.0/json")).status_code == 404
    assert (await client.get("simple/foo-bar/", "text/html")).status_code == 200
    assert "part" in rendered


async def test_serials_grow_with_each_change_and_tell_nothing_of_what_is_hidden(client: PypiClient) -> None:
    json = "application/vnd.pypi.simple.v1+json"

    async def serials() -> list[int]:
        answers = [await client.get(rest, json) for rest in ("simple/", "simple/foo-bar/", "pypi/foo-bar/json")]
        assert {answer.status_code for answer in answers} == {200}
        return [int(answer.headers["x-pypi-last-serial"]) for answer in answers]

    await client.publish(WHEEL)
    first = await serials()
    headers = {"authorization": f"Bearer {client.token}"}
    for version in ("1", "2"):
        basename, body = build_wheel("hidden", version)
        put = f"/upload/{client.namespace}/{basename}"
        assert (await client.http.put(put, params={"private": "true"} if version == "1" else {}, content=body, headers=headers)).status_code == 201
    assert await serials() == first
    insider: httpx.Response = await client.http.get(client.url("simple/"), headers={"accept": json, **headers})
    assert int(insider.headers["x-pypi-last-serial"]) > first[0]
    await client.publish(SDIST)
    later = await serials()
    assert all(new > old for new, old in zip(later, first, strict=True))

    [head] = await fetch(
        """SELECT head.id FROM head JOIN namespace ON namespace.id = head.namespace_id
        WHERE namespace.name = $1 AND head.label = 'main' AND head.document = 'simple'""",
        client.namespace,
    )
    snapshots = client.services.site.snapshots
    assert [await snapshots.changed_at(head["id"], part, ()) for part in (None, "foo-bar")] == later[:2]
    report = Report()
    await prune_changes(report, before=1 << 60)
    assert report.changes > 0
    assert [await snapshots.changed_at(head["id"], part, ()) for part in (None, "foo-bar")] == later[:2]
