"""`PUT /upload/<namespace>/<basename>`: the core's own upload, raw bytes, any type."""

from __future__ import annotations

from collections.abc import Mapping
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
        encoding = request.headers.get("content-encoding", "identity")
        size = request.headers.get("content-length", "")
        async with self._services.upload(
            actor, namespace=namespace, type=given.get("type"), declared_size=int(size) if size.isdecimal() else None
        ) as upload:
            check_basename(basename)
            label_names(labels)
            if encoding != "identity":
                raise BadRequest(f"Send the file as it is, without Content-Encoding ({encoding[:40]}).")
            try:
                async for chunk in request.stream():
                    await upload.write(chunk)
            except ClientDisconnect as error:
                raise BadRequest("The connection ended before the whole file had arrived.") from error
            published = await upload.publish(
                basename=basename,
                type=given.get("type"),
                package=given.get("package"),
                version=given.get("version"),
                labels=labels,
                private=private,
            )
        return _answer(published, base_url(self._services.site, request.scope))


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


def _answer(published: PublishedFile, base: str) -> Response:
    body = asdict(published)
    created = body.pop("created")
    body["url"] = base + published.url
    body["labels"] = list(published.labels)
    headers = {"location": body["url"], "cache-control": "no-store"}
    return Response(orjson.dumps(body), 201 if created else 200, headers, "application/json")
