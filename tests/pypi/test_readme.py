"""READMEs: rendered by a process of their own, without anything that acts, within time and memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
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


DIRECTIVES = """
`x <javascript:alert(1)>`_ and `y <data:text/html,x>`__ and *z*

.. image:: javascript:alert(1)
   :target: vbscript:alert(2)

.. image:: data:text/html,x

.. _later: javascript:alert(3)

later_ <script>alert(4)</script>
"""


@pytest.mark.parametrize(
    ("content_type", "source", "shown"),
    [("text/markdown", ATTACKS, {"img", "p"}), ("text/x-rst", DIRECTIVES, {"a", "img", "em"}), ("text/plain", ATTACKS, {"pre"})],
)
async def test_nothing_in_it_acts(content_type: str, source: str, shown: set[str]) -> None:
    page = Page(await rendered(source, content_type))
    assert shown <= page.tags  # it was rendered, and cleaned
    assert content_type == "text/plain" or "pre" not in page.tags
    assert not page.tags & {"script", "iframe", "object", "embed", "form", "button", "svg", "math", "style", "base", "meta", "link"}
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "style"]
    assert not [value for name, value in page.attributes if name != "alt" and value.lower().startswith(("javascript:", "data:", "vbscript:"))]


async def test_html_within_restructuredtext_is_not_rendered() -> None:
    html = await rendered(f".. raw:: html\n\n   {ATTACKS.strip()}\n\n*x*\n", "text/x-rst")
    assert html.startswith("<pre>.. raw:: html")
    assert Page(html).tags == {"pre"}


async def test_docutils_reads_no_file_of_the_server() -> None:
    html = await rendered(".. include:: /etc/passwd\n\n.. csv-table::\n   :file: /etc/passwd\n", "text/x-rst")
    assert "root:" not in html


@pytest.mark.parametrize(
    ("source", "content_type"),
    [("Title\n==\n\n`broken", "text/x-rst"), (".. |a| replace:: " + "x" * 4000 + "\n\n" + "|a| " * 1000, "text/x-rst")],
    ids=["broken", "far more HTML than text"],
)
async def test_what_does_not_render_is_shown_as_it_was_written(source: str, content_type: str) -> None:
    html = await rendered(source, content_type)
    assert html.startswith("<pre>")
    assert Page(html).tags == {"pre"}


async def test_one_that_takes_too_much_time_is_ended_and_shown_as_it_was_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readme, "seconds", 120)  # its processor time ends it, however busy the machine is
    html = await rendered("<div>" * 100_000, "text/markdown")
    assert html.startswith("<pre>&lt;div&gt;")
    assert html in readme._kept.values()  # nobody spends that time again


Stand = Callable[[str], Path]


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stand:
    """Lets another program be started for the renderer: it counts its starts in a file, whose path the fixture answers."""

    def chosen(lines: str) -> Path:
        program, starts = tmp_path / "renderer.py", tmp_path / "starts"
        program.write_text(f"import os, signal, sys\nopen({str(starts)!r}, 'a').write('.')\n{lines}\n")
        monkeypatch.setattr(readme, "_renderer", str(program))
        return starts

    return chosen


async def test_what_many_read_at_once_is_rendered_once(stand_in: Stand) -> None:
    starts = stand_in("sys.stdout.write('<p>once</p>')")
    digest = uuid4().hex
    assert set(await asyncio.gather(*(readme.rendered("x", "text/plain", digest) for _ in range(20)))) == {"<p>once</p>"}
    assert await readme.rendered("x", "text/plain", digest) == "<p>once</p>"
    assert starts.read_text() == "."


@pytest.mark.parametrize("why", ["no time", "ended by others"])
async def test_what_could_not_be_tried_is_shown_as_it_was_written_and_tried_again(stand_in: Stand, monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    starts = stand_in("os.kill(os.getpid(), signal.SIGKILL)" if why == "ended by others" else "signal.pause()")
    digest = uuid4().hex
    with monkeypatch.context() as hurried:
        hurried.setattr(readme, "seconds", 0 if why == "no time" else 60)
        assert await readme.rendered("<x>", "text/plain", digest) == "<pre>&lt;x&gt;</pre>"
    stand_in("sys.stdout.write('<p>again</p>')")
    assert await readme.rendered("<x>", "text/plain", digest) == "<p>again</p>"
    assert starts.read_text().endswith(".")


async def test_where_many_wait_the_next_one_does_not(stand_in: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in("sys.stdout.write('<p>html</p>')")
    monkeypatch.setattr(readme, "most_under_way", 2)
    digests = [uuid4().hex for _ in range(4)]
    shown = await asyncio.gather(*(readme.rendered("x", "text/plain", digest) for digest in [*digests, digests[0]]))
    assert shown == ["<p>html</p>", "<p>html</p>", "<pre>x</pre>", "<pre>x</pre>", "<p>html</p>"]
    assert await readme.rendered("x", "text/plain", digests[3]) == "<p>html</p>"


async def test_the_renderer_knows_nothing_of_the_servers_environment(stand_in: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENTREPOT_STORAGE_URL", "s3://key:secret@bucket")
    stand_in("sys.stdout.write(repr(sorted(os.environ)))")
    names = await rendered("x", "text/plain")
    assert set(names) & set("[]")
    assert not [name for name in ("ENTREPOT", "PATH'", "HOME", "PYTEST") if name in names]


def test_a_long_one_is_cut_where_it_is_shown() -> None:
    for text, cut in (("y" * readme.longest, False), ("é" * (readme.longest // 2 + 1), True), ("y" * (readme.longest + 1), True)):
        source, is_cut = readme.shown_source(build_metadata("foo", "1.0", description=text))
        assert (is_cut, len(source.encode()) <= readme.longest, text.startswith(source.rstrip("\n"))) == (cut, True, True)


async def test_it_shows_of_a_file_and_of_a_project_and_costs_what_it_takes(client: PypiClient) -> None:
    markdown = build_wheel("Foo.Bar", "2.0", headers=[("Description-Content-Type", "text/markdown")], description="# New")
    old = build_sdist("Foo.Bar", "1.0", pkg_info=build_metadata("Foo.Bar", "1.0", description="*old*"))
    silent = build_wheel("Foo.Bar", "0.9")
    long = build_wheel("Foo.Bar", "0.8", description="*x* " * (readme.longest // 3))
    for built in (markdown, old, silent, long):
        assert (await client.publish(built)).status_code == 200
    told = "readme { source cut contentType html }"
    query = f"""query ($namespace: String!, $first: Int!) {{ package(namespace: $namespace, name: "Foo.Bar") {{
        files(first: $first) {{ nodes {{ path ... on PypiFile {{ {told} }} }} }} }} }}"""
    package: Any = (await look(client.http, query, namespace=client.namespace, first=4))["package"]
    found = {file["path"]: file["readme"] for file in package["files"]["nodes"]}
    assert found[silent[0]] is None
    assert (found[old[0]]["source"], "<em>old</em>" in found[old[0]]["html"]) == ("*old*", True)
    assert (found[markdown[0]]["contentType"], "<h1" in found[markdown[0]]["html"]) == ("text/markdown", True)
    assert (found[long[0]]["cut"], len(found[long[0]]["source"]), found[long[0]]["html"][:9]) == (True, readme.longest, "<pre>*x* ")
    assert not found[old[0]]["cut"]
    facets = f"facets {{ ... on PypiFacet {{ {told} }} }}"
    of_project = f'query ($namespace: String!) {{ package(namespace: $namespace, name: "Foo.Bar") {{ {facets} }} }}'
    assert (await look(client.http, of_project, namespace=client.namespace))["package"]["facets"] == [{"readme": found[markdown[0]]}]
    for wanted, too_many in ((query, 7), (query.replace("contentType html", ""), 20)):
        answer = await ask(client.http, wanted, namespace=client.namespace, first=too_many)
        assert "fields; 20,000 are allowed" in answer["errors"][0]["message"]
