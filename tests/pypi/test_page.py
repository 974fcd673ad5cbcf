"""Simple pages: HTML and JSON say the same, of whatever files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from entrepot.plugin import PackageSummary, RenderContext, StoredExtra, StoredFile
from entrepot_pypi.packagetype import PypiType
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_version
from stored_wheel import WHEEL

PYPI = PypiType()
CONTEXT = RenderContext(namespace="alice", label="main", document="simple", part="foo")
SIDECAR = StoredExtra(sha256="12" * 32, size=10, media_type="application/octet-stream")

text = st.one_of(
    st.sampled_from(['"><script>alert(1)</script>', "a\nb", "'&amp;\"<", "\x00\x1b\r\n", "ünï—☃", "   ", "\x85\u2028"]), st.text(max_size=20)
).map(lambda value: value.encode("utf-8", "replace").decode())
files = st.builds(
    lambda number, requires_python, yanked, sidecar, at: replace(
        WHEEL,
        version=number,
        path=f"foo-{number}-py3-none-any.whl",
        attributes={"requires_python": requires_python} if requires_python else {},
        state={} if yanked is None else {"yanked": yanked},
        extras={"metadata": SIDECAR} if sidecar else {},
        uploaded_at=at,
    ),
    st.sampled_from(["1.0", "1.0.0", "2.0rc1", "2!1.0", "1.0+local.1", "10.0"]),
    st.sampled_from(["", ">=3.8", ">=3.8, <4", "!=3.0.*; \"<>&'"]),
    st.one_of(st.none(), st.booleans(), text),
    st.booleans(),
    st.integers(0, 4_000_000_000_000),
)


class Page(HTMLParser):
    """What a client reads out of a page: metas and anchors."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.metas: dict[str, str] = {}
        self.anchors: list[tuple[dict[str, str], str]] = []
        self.tags: list[str] = []
        self._in_anchor = False
        self.feed(html.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if tag == "meta" and "name" in attributes:
            self.metas[attributes["name"]] = attributes["content"]
        if tag == "a":
            self.anchors.append((attributes, ""))
            self._in_anchor = True

    def handle_endtag(self, tag: str) -> None:
        self._in_anchor = self._in_anchor and tag != "a"

    def handle_data(self, data: str) -> None:
        if self._in_anchor:
            attributes, shown = self.anchors[-1]
            self.anchors[-1] = (attributes, shown + data)


def render(stored: Sequence[StoredFile], representation: str) -> bytes:
    """A project's page, as the core makes it."""
    entries = [(entry.sort_key, file.path, entry.representations) for file in stored for entry in PYPI.entries(file)]
    kind = "json" if representation == "json" else "html"
    return PYPI.render_part(
        representation, CONTEXT, [representations[kind] for _, _, representations in sorted(entries, key=lambda entry: entry[:2])]
    )


def from_html(attributes: dict[str, str], shown: str) -> dict[str, Any]:
    """An anchor in the words of PEP 691."""
    url = urlsplit(attributes["href"])
    sidecar = attributes.get("data-core-metadata", "")
    assert sidecar == attributes.get("data-dist-info-metadata", "")
    return {
        "filename": shown,
        "url": attributes["href"].partition("#")[0],
        "hashes": dict([url.fragment.split("=")]),
        "requires-python": attributes.get("data-requires-python"),
        "core-metadata": dict([sidecar.split("=")]) if sidecar else False,
        "yanked": (attributes["data-yanked"] or True) if "data-yanked" in attributes else False,
    }


def from_json(file: dict[str, Any]) -> dict[str, Any]:
    assert file["core-metadata"] == file["dist-info-metadata"]
    return {key: file.get(key) for key in ("filename", "url", "hashes", "requires-python", "core-metadata", "yanked")}


@given(st.lists(files, max_size=6, unique_by=lambda file: file.path))
def test_html_and_json_say_the_same(stored: list[StoredFile]) -> None:
    html, parsed = Page(render(stored, "html")), json.loads(render(stored, "json"))
    assert [from_html(*anchor) for anchor in html.anchors] == [from_json(file) for file in parsed["files"]]
    assert set(html.tags) <= {"html", "head", "meta", "title", "body", "h1", "a", "br"}
    assert render(stored, "html") == render(stored, "v1html")


@given(st.lists(files, max_size=6, unique_by=lambda file: file.path))
def test_a_json_page_has_what_pep_700_demands(stored: list[StoredFile]) -> None:
    parsed = json.loads(render(stored, "json"))
    assert parsed["meta"] == {"api-version": "1.4"}
    assert parsed["name"] == "foo"
    canonical = [canonicalize_version(version) for version in parsed["versions"]]
    assert len(canonical) == len(set(canonical))
    assert set(canonical) == {canonicalize_version(file.version) for file in stored}
    for file, entry in zip(sorted(stored, key=lambda file: (PYPI.version_key(file.version), file.path)), parsed["files"], strict=True):
        assert (entry["filename"], entry["size"]) == (file.path, file.size)
        assert datetime.fromisoformat(entry["upload-time"]) == datetime.fromtimestamp(file.uploaded_at / 1000, UTC)
        assert entry["upload-time"].endswith("Z")


@given(files)
def test_an_entry_is_a_pure_function_of_the_file(file: StoredFile) -> None:
    assert PYPI.entries(file) == PypiType().entries(replace(file))


@pytest.mark.parametrize(
    "index", ["/pypi/alice/simple/foo/", "/pypi/alice/label/dev/simple/foo/", "/t/secret/pypi/alice/simple/foo/", "/alice/simple/foo/"]
)
def test_a_link_leads_to_the_file_below_the_same_index(index: str) -> None:
    file = replace(WHEEL, version="1.0+cpu", path="foo-1.0+cpu-py3-none-any.whl")
    [(attributes, shown)] = Page(render([file], "html")).anchors
    path = urlsplit(urljoin(f"https://example.org{index}", attributes["href"])).path
    assert unquote(path) == f"{index.removesuffix('simple/foo/')}files/{file.path}"
    assert path.endswith(PYPI.location(file))
    assert shown == file.path


def test_the_page_says_its_version_in_both_forms() -> None:
    assert Page(render([WHEEL], "html")).metas["pypi:repository-version"] == "1.4"


def test_a_yank_shows_its_reason_and_an_empty_one_shows_as_yanked() -> None:
    shown = [
        json.loads(render([replace(WHEEL, state={"yanked": value})], "json"))["files"][0]["yanked"] for value in (True, "broken", "", False, None)
    ]
    assert shown == [True, "broken", True, False, False]


def test_a_project_status_shows_on_the_page_with_its_reason() -> None:
    state = {"project-status": {"status": "deprecated", "reason": 'use "bar" <now>\nplease'}}
    stored = [replace(WHEEL, package_state=state)]
    assert json.loads(render(stored, "json"))["project-status"] == {"status": "deprecated", "reason": 'use "bar" <now>\nplease'}
    metas = Page(render(stored, "html")).metas
    assert metas["pypi:project-status"] == "deprecated"
    assert metas["pypi:project-status-reason"] == 'use "bar" <now>\nplease'


@pytest.mark.parametrize("state", [{}, {"project-status": "active"}, {"project-status": "nonsense"}, {"project-status": 7}])
def test_an_active_project_says_nothing_of_its_status(state: dict[str, Any]) -> None:
    stored = [replace(WHEEL, package_state=state)]
    assert "project-status" not in json.loads(render(stored, "json"))
    assert "pypi:project-status" not in Page(render(stored, "html")).metas


def test_a_project_in_quarantine_has_a_page_with_its_status_and_no_files_and_is_not_listed() -> None:
    stored = [replace(WHEEL, version=version, package_state={"project-status": {"status": "quarantined", "reason": "mal\nware"}}) for version in "12"]
    assert json.loads(render(stored, "json")) == {
        "meta": {"api-version": "1.4"},
        "name": "foo",
        "project-status": {"status": "quarantined", "reason": "mal\nware"},
        "versions": [],
        "files": [],
    }
    page = Page(render(stored, "html"))
    assert (page.anchors, page.metas["pypi:project-status"], page.metas["pypi:project-status-reason"]) == ([], "quarantined", "mal\nware")
    [listing] = [made for made in PYPI.part_representations if made.only_names]
    assert [listing.entries in PYPI.entries(file)[0].representations for file in (stored[0], WHEEL)] == [False, True]


class Names:
    """The parts of a document that needs their names alone."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def names(self) -> Sequence[str]:
        return self._names

    def bodies(self) -> Any:
        raise AssertionError("the root list needs no pages")

    digests = runs = bodies


@pytest.mark.parametrize("names", [[], ["foo"], ["bar", "foo-bar", "zope"]])
def test_the_root_lists_the_projects_in_each_form(names: list[str]) -> None:
    context = RenderContext(namespace="alice", label="main", document="simple")
    parsed = json.loads(b"".join(PYPI.render("json", context, Names(names))))
    assert parsed == {"meta": {"api-version": "1.4"}, "projects": [{"name": name} for name in names]}
    for representation in ("html", "v1html"):
        page = Page(b"".join(PYPI.render(representation, context, Names(names))))
        assert [(attributes["href"], shown) for attributes, shown in page.anchors] == [(f"{name}/", name) for name in names]
        assert page.metas["pypi:repository-version"] == "1.4"


def test_each_representation_is_answered_with_its_media_type() -> None:
    html = "application/vnd.pypi.simple.v1+html"
    wanted = {"json": "application/vnd.pypi.simple.v1+json", "v1html": html, "html": "text/html"}
    assert {made.name: made.media_type for made in PYPI.document_representations} == wanted
    assert {made.name: made.media_type for made in PYPI.part_representations if not made.only_names} == {**wanted, "project.json": "application/json"}
    assert {made.vary for made in PYPI.document_representations} == {"Accept"}


def test_graphql_shows_the_yank_and_the_sidecar() -> None:
    file = replace(WHEEL, state={"yanked": "broken"}, extras={"metadata": SIDECAR}, attributes={**WHEEL.attributes, "requires_dist": ["bar>1"]})
    shown = PYPI.graphql_fields(file)
    assert {key: shown[key] for key in ("yanked", "yanked_reason", "core_metadata", "core_metadata_sha256", "requires_dist")} == {
        "yanked": True,
        "yanked_reason": "broken",
        "core_metadata": True,
        "core_metadata_sha256": "12" * 32,
        "requires_dist": ["bar>1"],
    }


def test_graphql_shows_every_tag_of_a_wheel_within_bounds() -> None:
    told = {"python_tag": "py2.py3", "abi_tag": "none", "platform_tag": "any", "build": "1x"}
    shown = PYPI.graphql_fields(replace(WHEEL, attributes=told))
    assert (shown["tags"], shown["build_tag"]) == (["py2-none-any", "py3-none-any"], "1x")
    assert PYPI.graphql_fields(replace(WHEEL, attributes={"packagetype": "sdist", "python_tag": "source"}))["tags"] == []
    many = {name: ".".join("abcdefghij") for name in ("python_tag", "abi_tag", "platform_tag")}
    assert len(PYPI.graphql_fields(replace(WHEEL, attributes=many))["tags"]) == 500


def test_graphql_shows_no_link_that_could_act() -> None:
    urls = {"Homepage": "https://example.org", "x": "javascript:alert(1)", "Docs": "http://example.org/docs"}
    shown = PYPI.graphql_fields(replace(WHEEL, attributes={"project_urls": urls}))["project_urls"]
    assert [(link.label, link.url) for link in shown] == [("Homepage", "https://example.org"), ("Docs", "http://example.org/docs")]


def test_the_facet_names_the_project_and_its_status() -> None:
    summary = PackageSummary(namespace="alice", package="Foo.Bar", name="foo-bar", state={"project-status": "archived"}, platforms=(), file_count=1)
    facet = PYPI.facet(summary)
    assert (facet.type, facet.name, facet.project_status.name, facet.project_status_reason) == ("pypi", "foo-bar", "ARCHIVED", None)
