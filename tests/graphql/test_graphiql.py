"""GraphiQL, from this server alone."""

from __future__ import annotations

import hashlib
import re

from entrepot.graphql.graphiql import OURS, PINNED, assets, page_with
from house import House

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


async def test_the_page_loads_everything_from_here_and_nothing_inline(house: House) -> None:
    page = await house.anyone.get("/graphql", headers=BROWSER)
    assert page.status_code == 200
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["form-action"] == policy["base-uri"] == "'none'"
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert [address for address in loaded if not address.startswith(("/graphql/", "data:,"))] == []
    assert re.findall(r"<script(?! src=)|<style| on\w+=|style=", page.text) == []
    scripts = [address for address in loaded if address.endswith(".js")]
    assert [address.rpartition("/")[2] for address in scripts] == [*[name for name in PINNED if name.endswith(".js")], "start.js"]
    for address in [*scripts, *(one for one in loaded if one.endswith(".css"))]:
        answer = await house.anyone.get(address)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/javascript" if address.endswith(".js") else "text/css")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "immutable" in answer.headers["cache-control"]
        name = address.rpartition("/")[2]
        if name in PINNED:
            assert hashlib.sha256(answer.content).hexdigest() == PINNED[name]
        packed = await house.anyone.get(address, headers={"accept-encoding": "gzip"})
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.content == answer.content


async def test_no_other_file_is_served_there(house: House) -> None:
    digest = assets()["graphiql.min.js"].digest
    for path in (
        f"{digest}/graphql-ws.min.js",
        f"{digest}/../views.py",
        f"{digest}/..%2f..%2f..%2fviews.py",
        f"{'0' * 16}/graphiql.min.js",
        f"{digest}/",
        digest,
        "",
    ):
        assert (await house.anyone.get(f"/graphql/assets/{path}")).status_code == 404, path


async def test_the_schema_is_there_to_read(house: House) -> None:
    answer = await house.anyone.get("/graphql/schema.graphql")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "type Query {" in answer.text
    assert "type Mutation {" in answer.text
    assert (await house.anyone.get("/graphql/schema.graphql")).text == answer.text


def test_without_the_files_there_is_a_plain_page_that_says_so() -> None:
    found = {name: one for name, one in assets().items() if name in OURS}
    answer = page_with(found, "https://packages.example/graphql?<x>")
    text = bytes(answer.body).decode()
    assert "curl https://packages.example/graphql?&lt;x&gt;" in text
    assert "GraphiQL is not installed" in text
    assert "<script" not in text
    assert 'href="/graphql/schema.graphql"' in text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
