"""GraphiQL for browsers, served from here: nothing is loaded from elsewhere.

Its files come from a distribution that holds them as their authors built them: GraphiQL 2.4.7 and React 17.0.2, both under the MIT licence. It is
made for another framework, of which nothing is used but the folder. Only files with the digests below are served, so that nobody's later version of
that distribution runs scripts here; without them there is a plain page that says how to ask.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from importlib.util import find_spec
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse, PlainTextResponse, Response

from entrepot.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from entrepot.graphql.schema import Schema

DISTRIBUTION = "graphene_django_graphiql_static"
PINNED = {
    "react.production.min.js": "229bbf4d0e7488209564152c6723497f1ac3934136ca1684233d2fa88fa4146f",
    "react-dom.production.min.js": "9db33292007ab6c38527b39d5663e976a305564e19b2a5a8713ea2b2c00f505d",
    "graphiql.min.js": "c564de05b95d184e2c5ba5ceaf2635821f6bf92f2d5777b74d91004ff6b591d1",
    "graphiql.min.css": "c6cd4b83f01c5e1ff4975d77bc957184dce6dec0155fbf9cc4d9190eba8a7b9d",
}
"""SHA-256. The scripts run in this order. The last two are the files of npm's graphiql 2.4.7 with a line end added, the first two those of 17.0.2."""

OURS = {
    "start.js": b"""\
ReactDOM.render(
  React.createElement(GraphiQL, {
    fetcher: GraphiQL.createFetcher({ url: new URL("/graphql", location.href).href }),
    defaultEditorToolsVisibility: "headers",
    headerEditorEnabled: true,
    shouldPersistHeaders: false,
    defaultHeaders: '{\\n  "Authorization": ""\\n}',
    defaultQuery: document.getElementById("example").textContent.trim() + "\\n",
  }),
  document.getElementById("graphiql"),
);
""",
    "page.css": b"""\
html, body, #graphiql { height: 100%; margin: 0 }
.plain { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem }
.plain pre { background: #f4f4f4; padding: 1rem; overflow: auto }
""",
}
MEDIA_TYPES = {"js": "text/javascript", "css": "text/css"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing inline, nothing from elsewhere; the fonts of GraphiQL stand in its stylesheet."""
HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that the page loads."""

    body: bytes
    packed: bytes
    media_type: str
    digest: str


@cache
def assets() -> Mapping[str, Asset]:
    """All of them by name, read once; without those of GraphiQL where they are not installed, or not what they should be."""
    found = dict(OURS)
    if find_spec(DISTRIBUTION) is not None:
        folder = files(DISTRIBUTION) / "static" / DISTRIBUTION
        theirs = {name: (folder / name).read_bytes() for name in PINNED if (folder / name).is_file()}
        if {name: hashlib.sha256(body).hexdigest() for name, body in theirs.items()} == PINNED:
            found |= theirs
    return {name: _asset(name, body) for name, body in found.items()}


def _asset(name: str, body: bytes) -> Asset:
    return Asset(body, gzip.compress(body, mtime=0), MEDIA_TYPES[name.rpartition(".")[2]], hashlib.sha256(body).hexdigest()[:16])


async def asset(request: Request) -> Response:
    """`/graphql/assets/<digest>/<name>`. Raises NotFound."""
    one = (await asyncio.to_thread(assets)).get(request.path_params["name"])
    if one is None or one.digest != request.path_params["digest"]:
        raise NotFound("There is nothing at this address.")
    headers = {**HEADERS, "Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(one.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=one.media_type)
    return Response(one.body, headers=headers, media_type=one.media_type)


async def page(url: str) -> Response:
    """GraphiQL, or where it is not at hand the plain page. `url` is the address of the API, which people copy."""
    return page_with(await asyncio.to_thread(assets), url)


def page_with(found: Mapping[str, Asset], url: str) -> Response:
    """The page that these assets make."""
    whole = PINNED.keys() <= found.keys()
    body = (INTERACTIVE if whole else PLAIN).replace("{url}", escape(url)).replace("{example}", escape(EXAMPLE))
    for name, one in found.items():
        body = body.replace("{" + name + "}", f"/graphql/assets/{one.digest}/{name}")
    return HTMLResponse(body, headers={**HEADERS, "Content-Security-Policy": POLICY})


class SchemaText:
    """`/graphql/schema.graphql`: the schema of this server, its plugins' parts included, for people and for tools."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._text = ""

    async def get(self, request: Request) -> Response:
        """Printed when it is first asked for."""
        self._text = self._text or self._schema.as_str() + "\n"
        return PlainTextResponse(self._text, headers={**HEADERS, "Cache-Control": "no-cache"})


EXAMPLE = """\
# Write a query here and run it with Ctrl-Enter.
# A token goes below, under Headers: {"Authorization": "Bearer TOKEN"}
{
  packages(first: 10) {
    totalCount
    nodes { name namespace { name } latestRelease { version } }
  }
}
"""

INTERACTIVE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Entrepot: GraphQL</title><meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,"><link rel="stylesheet" href="{graphiql.min.css}"><link rel="stylesheet" href="{page.css}"></head>
<body><div id="graphiql"></div>
<noscript><div class="plain"><p>This page needs scripts. The API takes queries as JSON at <code>{url}</code>;
<a href="/graphql/schema.graphql">the schema</a> describes it.</p></div></noscript>
<pre id="example" hidden>{example}</pre>
<script src="{react.production.min.js}"></script><script src="{react-dom.production.min.js}"></script>
<script src="{graphiql.min.js}"></script><script src="{start.js}"></script>
</body></html>
"""

PLAIN = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Entrepot: GraphQL</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="{page.css}"></head>
<body><main class="plain">
<h1>The GraphQL API</h1>
<p>Send queries as JSON; a token goes into the header <code>Authorization</code>.</p>
<pre>curl {url} \\
  -H 'Content-Type: application/json' \\
  -H 'Authorization: Bearer TOKEN' \\
  -d '{"query": "{ packages(first: 10) { totalCount nodes { name namespace { name } latestRelease { version } } } }"}'</pre>
<p><a href="/graphql/schema.graphql">The schema</a> describes every type, field and argument. Any GraphQL client can be pointed at this address, and
reads the schema from it by itself.</p>
<p>There is no interactive page here, because GraphiQL is not installed beside this server: its operator can add it with
<code>pip install graphene-django-graphiql-static==0.8</code>.</p>
</main></body></html>
"""
