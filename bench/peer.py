"""The peer: a bare Starlette route that answers a given body and headers, under the same uvicorn, loop and parser as Entrepot.

`python -m bench.peer PORT FOLDER` serves the file `body` with the headers of `headers.json` at `/`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def application(folder: Path) -> Starlette:
    """One route, as a Starlette user writes it."""
    body, headers = (folder / "body").read_bytes(), json.loads((folder / "headers.json").read_text())

    async def answer(request: Request) -> Response:
        return Response(body, headers=headers)

    return Starlette(routes=[Route("/", answer)])


def serve(app: Starlette, port: int) -> None:
    """Serve until told to stop, under what Entrepot runs under."""
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        log_level="warning",
    )


if __name__ == "__main__":
    serve(application(Path(sys.argv[2])), int(sys.argv[1]))
