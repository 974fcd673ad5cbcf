"""What `npm publish` and `npm dist-tag` send."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import orjson
from entrepot.plugin import BadRequest, Services, TooLarge
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from entrepot_npm import tags
from entrepot_npm.document import publication
from entrepot_npm.names import canonical_name

DOCUMENT_LIMIT = 64 << 20
"""A publish document is read into memory, and base64 makes four bytes of three: archives of up to 48 MiB. Larger ones go to `PUT /upload/…`."""

_chunk = 1 << 20


def routes(services: Services) -> Sequence[BaseRoute]:
    """Paths below `/npm`."""
    tag = "/{namespace}/-/package/{package}/dist-tags/{tag}"
    return [
        Route("/{namespace}/-/package/{package}/dist-tags", partial(list_tags, services), methods=["GET"]),
        Route(tag, partial(put_tag, services), methods=["PUT", "POST"]),
        Route(tag, partial(delete_tag, services), methods=["DELETE"]),
        Route("/{namespace}/{package:path}", partial(publish, services), methods=["PUT"]),  # a path: npm sends @scope%2fname
    ]


async def publish(services: Services, request: Request) -> Response:
    """`npm publish`."""
    actor = await services.authenticate(request)
    namespace, name = request.path_params["namespace"], canonical_name(request.path_params["package"])
    async with services.upload(actor, namespace=namespace, type="npm") as upload:
        text = await body(request, DOCUMENT_LIMIT)
        given = await run_in_threadpool(publication, text, name)
        for start in range(0, len(given.archive), _chunk):
            await upload.write(given.archive[start : start + _chunk])
        published = await upload.publish(basename=given.basename, type="npm", package=name, version=given.version)
    await tags.move(services, actor, namespace=namespace, package=name, changes=dict(given.tags))
    return JSONResponse(
        {"ok": "published", "success": True, "id": published.id, "name": name, "version": published.version},
        status_code=201 if published.created else 200,
    )


async def list_tags(services: Services, request: Request) -> Response:
    """`npm dist-tag ls`."""
    actor = await services.authenticate(request)
    return JSONResponse(await tags.dist_tags(services, actor, **_package(request)))


async def put_tag(services: Services, request: Request) -> Response:
    """`npm dist-tag add`: the body is a version as a JSON string."""
    actor = await services.authenticate(request)
    tags.require_tag_scope(actor)
    try:
        version = orjson.loads(await body(request, 4096))
    except orjson.JSONDecodeError as error:
        raise BadRequest('The body must be a version as a JSON string: "1.2.3".') from error
    if not isinstance(version, str):
        raise BadRequest('The body must be a version as a JSON string: "1.2.3".')
    await tags.move(services, actor, **_package(request), changes={request.path_params["tag"]: version})
    return JSONResponse({"ok": f"{request.path_params['tag']} is {version}"}, status_code=201)


async def delete_tag(services: Services, request: Request) -> Response:
    """`npm dist-tag rm`."""
    actor = await services.authenticate(request)
    tags.require_tag_scope(actor)
    tag = request.path_params["tag"]
    tags.require_tag(await tags.dist_tags(services, actor, **_package(request)), tag, request.path_params["package"])
    await tags.move(services, actor, **_package(request), changes={tag: None})
    return JSONResponse({"ok": f"{tag} is removed"})


async def body(request: Request, limit: int) -> bytes:
    """The request's body. Raises TooLarge as soon as that is known."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise TooLarge(f"The body has {declared} bytes; {limit} are allowed here.")
    gathered = bytearray()
    async for chunk in request.stream():
        gathered += chunk
        if len(gathered) > limit:
            raise TooLarge(f"The body has more than the {limit} bytes that are allowed here.")
    return bytes(gathered)


def _package(request: Request) -> dict[str, str]:
    return {"namespace": request.path_params["namespace"], "package": canonical_name(request.path_params["package"])}
