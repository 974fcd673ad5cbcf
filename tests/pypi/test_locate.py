"""What URLs mean, and which representation a client gets."""

from __future__ import annotations

import pytest
from entrepot.plugin import DocumentTarget, FileTarget, PartTarget, RedirectTarget, RefusalTarget, Target
from entrepot_pypi.packagetype import PypiType

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"
PIP = f"{JSON}, {HTML}; q=0.1, text/html; q=0.01"
UV = f"{JSON}, {HTML};q=0.2, text/html;q=0.01"
POETRY = f"{JSON}, */*;q=0.1"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "representation"),
    [
        (PIP, "json"),
        (UV, "json"),
        (POETRY, "json"),
        (BROWSER, "html"),
        ("", "html"),
        ("*/*", "html"),
        ("text/*", "html"),
        ("application/*", "json"),
        ("text/html", "html"),
        (HTML, "v1html"),
        ("application/vnd.pypi.simple.latest+json", "json"),
        ("application/vnd.pypi.simple.latest+html", "v1html"),
        (f"text/html, {HTML}, {JSON}", "json"),
        (f"text/html;q=0.5, {JSON};q=0.4", "html"),
        (f"{JSON};q=0, */*", "html"),
        (f"text/html;q=0, {HTML};q=0, */*", "json"),
        (f"{JSON.upper()};Q=1", "json"),
        (f"{JSON};charset=utf-8;q=1, text/html;q=0.9", "json"),
        (f"{JSON};q=oops, text/html;q=0.1", "html"),
        ("application/json, text/html;q=0.1", "html"),
        ("text/html, */*", "html"),
    ],
)
def test_the_best_accepted_representation_is_chosen(pypi: PypiType, accept: str, representation: str) -> None:
    assert pypi.locate("simple/", accept, "") == DocumentTarget("simple", representation)
    assert pypi.locate("simple/foo-bar/", accept, "") == PartTarget("simple", "foo-bar", representation)


@pytest.mark.parametrize("accept", ["application/json", "image/png, application/xml;q=0.9", "*/*;q=0", "text/html;q=0", f"{JSON};q=nan", "garbage"])
def test_an_accept_that_cannot_be_met_is_a_406_that_names_the_types(pypi: PypiType, accept: str) -> None:
    target = pypi.locate("simple/foo/", accept, "")
    assert isinstance(target, RefusalTarget)
    assert target.status == 406
    assert JSON in target.message


@pytest.mark.parametrize("plus", ["+", "%2B", "%2b"])
def test_the_format_parameter_wins_over_accept(pypi: PypiType, plus: str) -> None:
    query = f"a=b&format=application/vnd.pypi.simple.v1{plus}json"
    assert pypi.locate("simple/", "text/html", query) == DocumentTarget("simple", "json")


@pytest.mark.parametrize("wanted", ["", "*/*", "json", "application/json"])
def test_a_format_that_is_not_one_media_type_of_ours_is_a_406(pypi: PypiType, wanted: str) -> None:
    target = pypi.locate("simple/", "*/*", f"format={wanted}")
    assert isinstance(target, RefusalTarget)
    assert target.status == 406


@pytest.mark.parametrize(
    ("rest", "location"),
    [
        ("", "simple/"),
        ("simple", "simple/"),
        ("simple/foo", "foo/"),
        ("simple/Foo.Bar", "foo-bar/"),
        ("simple/Foo_Bar/", "../foo-bar/"),
        ("simple/foo--bar/", "../foo-bar/"),
        ("pypi/Foo.Bar/json", "../foo-bar/json"),
        ("pypi/Foo.Bar/1.0+a/json", "../../foo-bar/1.0%2Ba/json"),
        ("Foo.Bar/json", "../pypi/foo-bar/json"),
        ("legacy/+simple/Foo.Bar/", "../../../simple/foo-bar/"),
    ],
)
def test_what_is_not_quite_the_address_is_redirected(pypi: PypiType, rest: str, location: str) -> None:
    assert pypi.locate(rest, "*/*", "") == RedirectTarget(location)


@pytest.mark.parametrize(
    ("rest", "target"),
    [
        ("files/foo-1.0.tar.gz", FileTarget("foo-1.0.tar.gz")),
        ("files/foo-1.0+cpu-py3-none-any.whl", FileTarget("foo-1.0+cpu-py3-none-any.whl")),
        ("files/foo-1.0-py3-none-any.whl.metadata", FileTarget("foo-1.0-py3-none-any.whl", "metadata")),
        ("pypi/foo-bar/json", PartTarget("simple", "foo-bar", "project.json")),
        ("pypi/foo-bar/1.0.0/json", PartTarget("simple", "foo-bar", "project.json", "1")),
        ("pypi/foo-bar/no version/json", RefusalTarget(404, "There is no such version.")),
    ],
)
def test_files_and_their_sidecars_are_found(pypi: PypiType, rest: str, target: Target) -> None:
    assert pypi.locate(rest, "*/*", "") == target


@pytest.mark.parametrize(
    "rest",
    [
        "simple//",
        "simple/foo/bar",
        "simple/foo//",
        "simple/-foo/",
        "simple/a b/",
        "simple/../",
        "files/",
        "files",
        "files/a/b",
        "legacy/",
        "x",
        "foo/bar/json",
        "a b/json",
        "pypi/json",
        "pypi/foo/1.0/2.0/json",
        "pypi/a b/json",
        "legacy/+simple",
        "legacy/+simple/a b/",
        "legacy/+simple/foo/x/",
    ],
)
def test_what_means_nothing_here_is_left_to_the_routes(pypi: PypiType, rest: str) -> None:
    assert pypi.locate(rest, "*/*", "") is None


def test_installing_names_one_index_and_quotes_for_the_shell(pypi: PypiType) -> None:
    pip, uv = pypi.install("foo", "https://example.org/pypi/alice")
    assert pip == "pip install --index-url https://example.org/pypi/alice/simple/ foo"
    assert uv == "uv pip install --index-url https://example.org/pypi/alice/simple/ foo"
    assert pypi.install("foo", "https://example.org/a b")[0] == "pip install --index-url 'https://example.org/a b/simple/' foo"
