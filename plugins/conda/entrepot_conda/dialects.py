"""The uploads of other channel servers, for clients that know how to publish there: quetz's and prefix.dev's.

There is no standard. What stands here is what `rattler-build upload`, pixi and quetz's own client send and expect; a channel's address may end with
`/label/<label>`, as it does for installers. The file goes to its sink as it arrives.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, ClassVar

from entrepot.plugin import BadRequest, DigestMismatch, EntrepotError, NotFound, Unauthenticated, UploadForm, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

if TYPE_CHECKING:
    from entrepot.plugin import IncomingUpload, PublishedFile, Services

_truth = {"": False, "0": False, "false": False, "no": False, "1": True, "true": True, "yes": True}
_challenge = {"WWW-Authenticate": 'Basic realm="Entrepot"'}


class PrefixForm(UploadForm):
    """prefix.dev's form: the package in the part `file`, whose own headers say its name and its digest."""

    wanted: ClassVar[str] = "a package as it is, or in the form of prefix.dev"
    refused: ClassVar[Mapping[str, str]] = {"attestation": "This server keeps no attestations (CEP 27). Upload the package without one."}

    def finish(self) -> tuple[str, Mapping[str, str]]:
        """The file's basename, and its digests as the client found them. Raises BadRequest."""
        self.check_ended()
        basename, said = self.file_name(), self.file_headers.get("x-file-name", "")
        if said not in ("", basename):
            raise BadRequest(f"The upload form names the file {basename[:200]!r} and {said[:200]!r}: send it under one name.")
        return basename, _digests(self.file_headers.get("x-file-sha256", ""))


def routes(serve: Services) -> Sequence[BaseRoute]:
    """The upload addresses."""

    async def quetz(request: Request) -> Response:
        try:
            published = await _receive_quetz(serve, request)
        except EntrepotError as error:
            return JSONResponse({"detail": error.message}, _status(error), _headers(error))
        return _taken(published)

    async def prefix(request: Request) -> Response:
        try:
            published = await _receive_prefix(serve, request)
        except EntrepotError as error:
            return PlainTextResponse(error.message + "\n", _status(error), _headers(error))
        return _taken(published)

    return [
        Route("/api/channels/{channel:path}/upload/{basename}", quetz, methods=["POST"]),
        Route("/api/v1/upload/{channel:path}", prefix, methods=["POST"]),
    ]


async def _receive_quetz(serve: Services, request: Request) -> PublishedFile:
    """The bare file; its name is in the path and its digest in the query."""
    actor = await serve.authenticate(request)
    namespace, labels = _channel(request)
    async with serve.upload(actor, namespace=namespace, type="conda", declared_size=_declared_size(request)) as upload:
        force, digests = _force(request), _digests(request.query_params.get("sha256", ""))
        await _take(request, upload)
        basename: str = request.path_params["basename"]
        return await upload.publish(basename=basename, type="conda", labels=labels, digests=digests, replaces=force)


async def _receive_prefix(serve: Services, request: Request) -> PublishedFile:
    """The form, or the bare file with its name and digest in headers, which is what pixi sent until it shared rattler-build's uploads."""
    actor = await serve.authenticate(request)
    namespace, labels = _channel(request)
    content_type = request.headers.get("content-type", "")
    bare = not content_type.lower().startswith("multipart/")
    size = _declared_size(request) if bare else None  # a form is longer than its file, so its length says nothing of the limit
    async with serve.upload(actor, namespace=namespace, type="conda", declared_size=size) as upload:
        force = _force(request)
        if bare:
            basename, digests = request.headers.get("x-file-name", ""), _digests(request.headers.get("x-file-sha256", ""))
            if not basename:
                raise BadRequest("Say how the file is named: in the header X-File-Name, or send the form of prefix.dev (multipart/form-data).")
            await _take(request, upload)
        else:
            form = PrefixForm(content_type)
            await _take(request, upload, form)
            basename, digests = form.finish()
        return await upload.publish(basename=basename, type="conda", labels=labels, digests=digests, replaces=force)


async def _take(request: Request, upload: IncomingUpload, form: PrefixForm | None = None) -> None:
    async for chunk in _chunks(request):
        for piece in (chunk,) if form is None else form.feed(chunk):
            await upload.write(piece)


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect as error:
        raise BadRequest("The connection ended before the whole file had arrived.") from error


def _channel(request: Request) -> tuple[str, Sequence[str]]:
    """The namespace and the labels that a file gets. Raises NotFound."""
    match request.path_params["channel"].split("/"):
        case [namespace]:
            return namespace, ()
        case [namespace, "label", label]:
            return namespace, (label,)
    raise NotFound("There is no such channel. A channel is named by its namespace, or as <namespace>/label/<label>.")


def _declared_size(request: Request) -> int | None:
    size = request.headers.get("content-length", "")
    return int(size) if size.isdecimal() else None


def _digests(sha256: str) -> Mapping[str, str]:
    return {"sha256": sha256} if sha256 else {}


def _force(request: Request) -> bool:
    """Whether a file of other bytes shall give way."""
    said = request.query_params.get("force", "")
    if said.lower() not in _truth:
        raise BadRequest("`force` takes true or false.")
    return _truth[said.lower()]


def _taken(published: PublishedFile) -> Response:
    """201, or 200 where the same bytes were there."""
    body = asdict(published)
    del body["forgiven"]  # only imports forgive
    return JSONResponse(body, 201 if published.created else 200)


def _status(error: EntrepotError) -> int:
    """A broken transfer is quetz's 406, which clients try again; what is wrong with a file is a 400 and not a 422, which they take for a conflict."""
    if isinstance(error, DigestMismatch):
        return 406
    return 400 if isinstance(error, ValidationError) else error.status


def _headers(error: EntrepotError) -> Mapping[str, str]:
    return _challenge if isinstance(error, Unauthenticated) else {}
