"""`PUT /upload/<namespace>/<basename>`: the core's own upload, raw bytes, any type."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

import orjson
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from entrepot.errors import BadRequest
from entrepot.http.urls import base_url
from entrepot.services.labels import label_names
from entrepot.services.uploads import check_basename

if TYPE_CHECKING:
    from starlette.requests import Request

    from entrepot.services.facade import Services
    from entrepot.services.uploads import PublishedFile

PARAMETERS = ("package", "version", "type", "label", "private")
TRUTH = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


class AnythingConvertor(PathConvertor):
    """As `path`, which leaves out line ends: these too must come to be refused with a sentence."""

    regex = "(?s:.*)"


register_url_convertor("anything", AnythingConvertor())


class UploadEndpoint:
    """The route's endpoint."""

    path = "/upload/{namespace}/{basename:anything}"

    def __init__(self, services: Services) -> None:
        self._services = services

    async def put(self, request: Request) -> Response:
        """201 with the file as JSON; 200 when the same bytes were there."""
        actor = await self._services.authenticate(request)
        namespace, basename = request.path_params["namespace"], request.path_params["basename"]
        given, labels = _parameters(request), request.query_params.getlist("label")
        private = _truth(given.get("private"))
        async with self._services.upload(actor, namespace=namespace, type=given.get("type"), declared_size=declared_size(request)) as upload:
            check_basename(basename)
            label_names(labels)
            await send_body(request, upload.write)
            published = await upload.publish(
                basename=basename,
                type=given.get("type"),
                package=given.get("package"),
                version=given.get("version"),
                labels=labels,
                private=private,
            )
        return answer(published, base_url(self._services.site, request.scope))


def _parameters(request: Request) -> Mapping[str, str]:
    for name in request.query_params:
        if name not in PARAMETERS:
            raise BadRequest(f"There is no parameter {name[:40]!r}; there are {', '.join(PARAMETERS)}.")
        if name != "label" and len(request.query_params.getlist(name)) > 1:
            raise BadRequest(f"The parameter {name!r} is given twice; only `label` may be.")
    return {name: value for name, value in request.query_params.items() if value}


def _truth(text: str | None) -> bool | None:
    if text is None:
        return None
    if text.lower() not in TRUTH:
        raise BadRequest("`private` takes true or false.")
    return TRUTH[text.lower()]


def declared_size(request: Request) -> int | None:
    """How many bytes the body has, if the request says so."""
    size = request.headers.get("content-length", "")
    return int(size) if size.isdecimal() else None


async def send_body(request: Request, write: Callable[[bytes], Awaitable[None]]) -> None:
    """Hand the body on as it comes. Raises BadRequest for one that is encoded or breaks off, and what `write` raises."""
    encoding = request.headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise BadRequest(f"Send the file as it is, without Content-Encoding ({encoding[:40]}).")
    try:
        async for chunk in request.stream():
            await write(chunk)
    except ClientDisconnect as error:
        raise BadRequest("The connection ended before the whole file had arrived.") from error


def answer(published: PublishedFile, base: str) -> Response:
    """A published file as JSON: 201, or 200 where nothing changed."""
    body = asdict(published)
    created = body.pop("created")
    del body["forgiven"]  # only imports forgive
    body["url"] = base + published.url
    body["labels"] = list(published.labels)
    headers = {"location": body["url"], "cache-control": "no-store"}
    return Response(orjson.dumps(body), 201 if created else 200, headers, "application/json")
