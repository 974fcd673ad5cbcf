"""The peer: a bare Starlette route that answers given bytes, under the same uvicorn, loop and parser as Entrepot.

`python -m bench.peer PORT FILE MEDIA_TYPE [FILE MEDIA_TYPE …]` serves the first file at `/0`, the second at `/1` …
"""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def route(path: str, body: bytes, media_type: str) -> Route:
    """A route as a Starlette user writes it."""

    async def answer(request: Request) -> Response:
        return Response(body, media_type=media_type)

    return Route(path, answer)


def main() -> None:
    """Serve until told to stop."""
    port, *rest = sys.argv[1:]
    routes = [route(f"/{at}", Path(name).read_bytes(), media_type) for at, (name, media_type) in enumerate(zip(rest[::2], rest[1::2], strict=True))]
    uvicorn.run(
        Starlette(routes=routes),
        host="127.0.0.1",
        port=int(port),
        loop="uvloop",
        http="httptools",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
