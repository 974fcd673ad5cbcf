"""Reads simple pages as client libraries do, in an environment that has them: for each line of JSON, a page, one line with what each library found.

A page is {"project", "url", "content_type", "body"}; what is found is a list of files for each library, in the words of PEP 691 with absolute URLs.
"""

from __future__ import annotations

import json
import sys
from typing import Any
from urllib.parse import urljoin, urlsplit

JSON = "application/vnd.pypi.simple.v1+json"


def by_pypi_simple(page: dict[str, str]) -> list[dict[str, Any]]:
    from pypi_simple import ProjectPage  # type: ignore[import-not-found]  # see above: another environment

    if page["content_type"] == JSON:
        found = ProjectPage.from_json_data(json.loads(page["body"]), base_url=page["url"])
    else:
        found = ProjectPage.from_html(page["project"], page["body"], base_url=page["url"])
    assert found.repository_version == "1.4"
    return [
        {
            "filename": one.filename,
            "url": one.url.partition("#")[0],
            "hashes": dict(one.digests),
            "requires-python": one.requires_python,
            "yanked": (one.yanked_reason or True) if one.is_yanked else False,
            "core-metadata": dict(one.metadata_digests) if one.has_metadata else False,
        }
        for one in found.packages
    ]


def by_mousebender(page: dict[str, str]) -> list[dict[str, Any]]:
    from mousebender import simple  # type: ignore[import-not-found]  # see above

    found = simple.parse_project_details(page["body"], page["content_type"], page["project"])
    return [
        {
            "filename": one["filename"],
            "url": urljoin(page["url"], one["url"]),
            "hashes": one["hashes"],
            "requires-python": one.get("requires-python"),
            "yanked": one.get("yanked", False),
            "core-metadata": one.get("core-metadata", one.get("dist-info-metadata", False)),
        }
        for one in found["files"]
    ]


def by_unearth(page: dict[str, str]) -> list[dict[str, Any]]:
    from unearth import Link  # type: ignore[import-not-found]  # see above
    from unearth.collector import IndexPage, parse_html_page, parse_json_response  # type: ignore[import-not-found]  # see above

    fetched = IndexPage(Link(page["url"]), page["body"].encode(), "utf-8", page["content_type"])
    links = (parse_json_response if page["content_type"] == JSON else parse_html_page)(fetched)
    return [
        {
            "filename": one.filename,
            "url": one.url_without_fragment,
            "hashes": one.hashes or dict([urlsplit(one.url).fragment.split("=")]),
            "requires-python": one.requires_python,
            "yanked": (one.yank_reason or True) if one.is_yanked else False,
            "core-metadata": one.dist_info_metadata or False,
        }
        for one in links
    ]


LIBRARIES = {"pypi-simple": by_pypi_simple, "mousebender": by_mousebender, "unearth": by_unearth}

if __name__ == "__main__":
    for line in sys.stdin:
        given = json.loads(line)
        print(json.dumps({name: read(given) for name, read in LIBRARIES.items()}), flush=True)
