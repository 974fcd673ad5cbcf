"""Dependency confusion: an index answers from its own namespace, and never sends anybody to another index, whatever is asked for."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from entrepot_pypi.negotiation import html_type, json_type
from pypi_builder import build_wheel
from pypi_client import PypiClient

LACKING = (
    "simple/requests/",
    "simple/requests",
    "simple/Requests/",
    "simple/zope.interface",
    "files/requests-2.32.0-py3-none-any.whl",
    "files/requests-2.32.0-py3-none-any.whl.metadata",
    "pypi/requests/json",
    "pypi/requests/2.32.0/json",
    "requests/json",
    "requests/",
    "legacy/+simple/Requests",
    "legacy/+simple/Requests/",
    "label/dev/simple/requests/",
    "label/dev/simple/",
)
pytestmark = pytest.mark.parametrize("lasting_ground", ["folder"], indirect=True)  # what is asked for is decided before any database is


@pytest.mark.parametrize("path", LACKING)
async def test_what_a_namespace_lacks_is_404_at_the_end_of_redirects_within_it(client: PypiClient, path: str) -> None:
    await client.publish(build_wheel("own", "1.0"))
    for accept in (json_type, html_type, "*/*"):
        url = client.url(path)
        for _ in range(4):
            answer = await client.http.get(url, headers={"Accept": accept, "User-Agent": "pip/26.3"})
            if not answer.has_redirect_location:
                break
            url = urljoin(url, answer.headers["location"])
            assert_own(client, url)
        assert answer.status_code == 404
        assert "link" not in answer.headers
        assert "pypi.org" not in answer.text


async def test_a_name_that_another_namespace_has_is_not_found_in_this_one(client: PypiClient) -> None:
    answer = await client.publish(build_wheel("shared-name", "9.9"))
    assert answer.status_code == 200
    elsewhere = await client.http.get("http://127.0.0.1/pypi/somebody/simple/shared-name/", follow_redirects=True)
    assert elsewhere.status_code == 404


@pytest.mark.parametrize("accept", [json_type, html_type])
async def test_every_link_of_a_page_stays_in_the_namespace(client: PypiClient, accept: str) -> None:
    headers = [("Home-page", "https://elsewhere.example/"), ("Download-URL", "https://elsewhere.example/own-2.0.zip")]
    assert (await client.publish(build_wheel("own", "1.0", headers=headers))).status_code == 200
    for path in ("simple/", "simple/own/"):
        page = await client.get(path, accept)
        assert page.status_code == 200
        assert "elsewhere" not in page.text
        for link in links(page):
            assert_own(client, urljoin(client.url(path), link))


def assert_own(client: PypiClient, url: str) -> None:
    """The address is one of the namespace's index."""
    found = urlsplit(url)
    assert (found.scheme, found.netloc) == ("http", "127.0.0.1")
    assert found.path.startswith(f"/pypi/{client.namespace}/")


def links(page: httpx.Response) -> list[str]:
    """What a page leads to."""
    if page.headers["content-type"] == json_type:
        return [file["url"] for file in page.json().get("files", [])]
    return [piece.partition('"')[0] for piece in page.text.split('href="')[1:]]
