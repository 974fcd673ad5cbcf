"""The upload form of twine, and of everything that publishes to PyPI: `POST /pypi/<namespace>/legacy/`.

There is no standard; this is what warehouse takes and what twine, uv, hatch, poetry, pdm and flit send. The file goes to its sink as it arrives
and is never held. Of the form only what identifies the file is read: the metadata that counts is the file's own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import orjson
from entrepot.plugin import BadRequest, Conflict, EntrepotError, Extra, Unauthenticated, UploadForm, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

if TYPE_CHECKING:
    from entrepot.plugin import PublishedFile, Services

_digests = {"md5_digest": ("md5", 32), "sha256_digest": ("sha256", 64), "blake2_256_digest": ("blake2b", 64)}
_endings = {"bdist_wheel": (".whl",), "sdist": (".tar.gz", ".zip")}
_attestations = "attestations"
_longest_attestations = 1 << 20
_headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}  # as on the core's own refusals
_gone = ("submit", "doc_upload", "doc_destroy")


class Gone(EntrepotError):
    """The form asks for something that indexes did once."""

    status = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a form says of the file in it."""

    basename: str
    name: str
    version: str
    digests: Mapping[str, str]
    extras: Sequence[Extra] = ()


class LegacyForm(UploadForm):
    """The form; `finish` when all of it was fed."""

    wanted: ClassVar[str] = "the upload form of twine"
    file_part: ClassVar[str] = "content"
    read: ClassVar[Collection[str]] = frozenset((":action", "protocol_version", "name", "version", "filetype", "pyversion", _attestations, *_digests))
    longer: ClassVar[Mapping[str, int]] = {_attestations: _longest_attestations}
    unread_files: ClassVar[Collection[str]] = ("gpg_signature",)

    def finish(self) -> Submission:
        """What the whole form says. Raises BadRequest, ValidationError, Gone."""
        self.check_ended()
        self._check_action()
        basename = self.file_name()
        absent = [name for name in ("name", "version", "filetype") if name not in self.fields]
        if absent:
            raise BadRequest(f"The upload form lacks {', '.join(absent)}.")
        endings = _endings.get(self.fields["filetype"])
        if endings is None:
            raise BadRequest(f"The filetype {self.fields['filetype'][:40]!r} is not taken: it must be bdist_wheel or sdist.")
        if not basename.endswith(endings):
            raise BadRequest(f"{basename[:200]!r} is not the filename of a {self.fields['filetype']}: that ends in {' or '.join(endings)}.")
        self._check_python(basename)
        return Submission(basename=basename, name=self.fields["name"], version=self.fields["version"], digests=self._digests(), extras=self._extras())

    def _check_action(self) -> None:
        action = self.fields.get(":action", "")
        if action in _gone:
            raise Gone(f"The action {action!r} is long gone: a package is registered by its first upload. Publish with a current tool.")
        if action != "file_upload":
            raise BadRequest("The upload form must say `:action=file_upload`.")
        if self.fields.get("protocol_version", "1") != "1":
            raise BadRequest("The upload form must say `protocol_version=1`, or nothing about it.")

    def _check_python(self, basename: str) -> None:
        """As PyPI asks: wheels say a Python tag, sdists `source` or, as flit's, nothing. Which tag is not compared with the filename's, by which
        installers go: maturin says `cp310` of wheels for PyPy.
        """
        said = self.fields.get("pyversion")
        if not basename.endswith(".whl"):
            if said not in (None, "source"):
                raise BadRequest(f"The upload form says pyversion {said[:40]!r} of an sdist: that is `source`.")
        elif said in (None, "source"):
            raise BadRequest("The upload form of a wheel must say its Python tag, for example `pyversion=py3`.")

    def _extras(self) -> Sequence[Extra]:
        """The attestations (PEP 740): kept as they came, neither verified nor served. Raises BadRequest for what can be none."""
        text = self.fields.get(_attestations)
        if text is None:
            return ()
        try:
            said = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise BadRequest(f"The field {_attestations!r} of the upload form is not valid JSON ({error}).") from error
        if not isinstance(said, list) or not all(isinstance(one, dict) for one in said):
            raise BadRequest(f"The field {_attestations!r} of the upload form must be a JSON array of attestation objects.")
        return (Extra(name=_attestations, body=text.encode(), media_type="application/json"),) if said else ()

    def _digests(self) -> dict[str, str]:
        """The digests that the client sent, by the core's names for them."""
        digests: dict[str, str] = {}
        for name, (algorithm, length) in _digests.items():
            value = self.fields.get(name, "").lower()
            if value and re.fullmatch(f"[0-9a-f]{{{length}}}", value) is None:
                raise BadRequest(f"{name} must be {length} hexadecimal digits.")
            if value:
                digests[algorithm] = value
        if not digests:
            raise BadRequest(f"The upload form must have at least one of {', '.join(_digests)}.")
        return digests


def routes(serve: Services) -> Sequence[BaseRoute]:
    """The upload address, with its slash and without: twine, hatch and pdm do not follow a redirect, and uv not every one."""

    async def endpoint(request: Request) -> Response:
        try:
            await _receive(serve, request)
        except EntrepotError as error:
            return _refusal(error)
        return Response(headers=_headers)

    return [Route(f"/{{namespace}}/legacy{slash}", endpoint, methods=["POST"]) for slash in ("/", "")]


async def _receive(serve: Services, request: Request) -> PublishedFile:
    """Authorize, then take the form in. It is longer than the file, so its length says nothing of the limit: that is held as the file arrives."""
    actor = await serve.authenticate(request)
    async with serve.upload(actor, namespace=request.path_params["namespace"], type="pypi") as upload:
        form = LegacyForm(request.headers.get("content-type", ""))
        try:
            async for chunk in request.stream():
                for piece in form.feed(chunk):
                    await upload.write(piece)
        except ClientDisconnect as error:
            raise BadRequest("The connection ended before the whole form had arrived.") from error
        said = form.finish()
        return await upload.publish(
            basename=said.basename, type="pypi", package=said.name, version=said.version, digests=said.digests, extras=said.extras
        )


def _refusal(error: EntrepotError) -> Response:
    """As publishing tools expect it: what is wrong with a file is a 400, and so is one that exists; they show the body, or look for words in it."""
    status = 400 if isinstance(error, ValidationError | Conflict) else error.status
    headers = _headers | ({"WWW-Authenticate": 'Basic realm="Entrepot"'} if isinstance(error, Unauthenticated) else {})
    return PlainTextResponse(error.message + "\n", status, headers)
