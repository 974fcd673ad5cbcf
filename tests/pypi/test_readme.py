"""READMEs: rendered by a process of their own, without anything that acts, within time and memory."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

import pytest
from changes import ask, look
from entrepot_pypi import readme
from pypi_builder import build_metadata, build_sdist, build_wheel
from pypi_client import PypiClient

ATTACKS = """
<script>alert(1)</script><iframe src="https://evil.example"></iframe><object data="x"></object><form action="/logout"><button>b</button></form>
<img src="x" onerror="alert(1)"><a href="javascript:alert(1)" onclick="alert(1)">x</a><svg onload="alert(1)"><style>* {display: none}</style>
<p style="position: fixed">x</p><math><mtext></mtext></math><base href="https://evil.example"><meta http-equiv="refresh" content="0">
[x](javascript:alert(1)) [x](data:text/html,x) ![x](javascript:alert(1))
"""


class Page(HTMLParser):
    """What is in a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}


async def rendered(source: str, content_type: str) -> str:
    return await readme.rendered(source, content_type, uuid4().hex)


@pytest.mark.parametrize(
    ("source", "content_type", "html"),
    [
        ("# Foo\n\n*foos*", "text/markdown", "<em>foos</em>"),
        ("~~gone~~ <b>bold</b>", "text/markdown; charset=UTF-8; variant=GFM", "<del>gone</del> <b>bold</b>"),
        ("~~stays~~", "text/markdown; variant=CommonMark", "~~stays~~"),
        ("Foo\n===\n\n*foos*", "", "<em>foos</em>"),
        ("<b>plain</b>", "text/plain", "<pre>&lt;b&gt;plain&lt;/b&gt;"),
    ],
)
async def test_a_readme_is_rendered_as_its_content_type_says(source: str, content_type: str, html: str) -> None:
    assert html in await rendered(source, content_type)


@pytest.mark.parametrize("content_type", ["text/markdown", "text/x-rst", "text/plain"])
async def test_nothing_in_it_acts(content_type: str) -> None:
    raw = f".. raw:: html\n\n   {ATTACKS.strip()}\n\n`x <javascript:alert(1)>`_\n" if content_type == "text/x-rst" else ATTACKS
    page = Page(await rendered(raw, content_type))
    assert not page.tags & {"script", "iframe", "object", "embed", "form", "button", "svg", "math", "style", "base", "meta", "link"}
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "style"]
    assert not [value for _, value in page.attributes if value.lower().startswith(("javascript:", "data:", "vbscript:"))]


async def test_docutils_reads_no_file_of_the_server() -> None:
    html = await rendered(".. include:: /etc/passwd\n\n.. csv-table::\n   :file: /etc/passwd\n", "text/x-rst")
    assert "root:" not in html


@pytest.mark.parametrize(("source", "content_type"), [("Title\n==\n\n`broken", "text/x-rst"), ("# <b>" + "x" * readme.longest, "text/markdown")])
async def test_what_does_not_render_or_is_too_long_is_shown_as_it_was_written(source: str, content_type: str) -> None:
    html = await rendered(source, content_type)
    assert html.startswith("<pre>")
    assert Page(html).tags == {"pre"}


async def test_one_that_takes_too_much_time_is_ended_and_shown_as_it_was_written() -> None:
    html = await rendered("<div>" * 100_000, "text/markdown")
    assert html.startswith("<pre>&lt;div&gt;")


async def test_it_shows_of_a_file_and_of_a_project_and_costs_what_it_takes(client: PypiClient) -> None:
    markdown = build_wheel("Foo.Bar", "2.0", headers=[("Description-Content-Type", "text/markdown")], description="# New")
    old = build_sdist("Foo.Bar", "1.0", pkg_info=build_metadata("Foo.Bar", "1.0", description="*old*"))
    silent = build_wheel("Foo.Bar", "0.9")
    for built in (markdown, old, silent):
        assert (await client.publish(built)).status_code == 200
    told = "readme { source contentType html }"
    query = f"""query ($namespace: String!) {{ package(namespace: $namespace, name: "Foo.Bar") {{
        facets {{ ... on PypiFacet {{ {told} }} }} files(first: 3) {{ nodes {{ path ... on PypiFile {{ {told} }} }} }} }} }}"""
    package: Any = (await look(client.http, query, namespace=client.namespace))["package"]
    found = {file["path"]: file["readme"] for file in package["files"]["nodes"]}
    assert found[silent[0]] is None
    assert (found[old[0]]["source"], "<em>old</em>" in found[old[0]]["html"]) == ("*old*", True)
    assert (found[markdown[0]]["contentType"], "<h1" in found[markdown[0]]["html"]) == ("text/markdown", True)
    assert package["facets"] == [{"readme": found[markdown[0]]}]
    many = query.replace("first: 3", "first: 100")
    answer = await ask(client.http, many, namespace=client.namespace)
    assert "fields; 20,000 are allowed" in answer["errors"][0]["message"]
