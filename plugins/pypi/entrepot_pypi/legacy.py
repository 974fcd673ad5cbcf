"""The upload form of twine, and of everything that publishes to PyPI: `POST /pypi/<namespace>/legacy/`.

There is no standard; this is what warehouse takes and what twine, uv, hatch, poetry, pdm and flit send. The file goes to its sink as it arrives
and is never held. Of the form only what identifies the file is read: the metadata that counts is the file's own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from entrepot.plugin import BadRequest, Conflict, EntrepotError, TooLarge, Unauthenticated, ValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

if TYPE_CHECKING:
    from entrepot.plugin import PublishedFile, Services

_most_overhead = 8 << 20
_longest_field = 4 << 10
_digests = {"md5_digest": ("md5", 32), "sha256_digest": ("sha256", 64), "blake2_256_digest": ("blake2b", 64)}
_read = frozenset((":action", "protocol_version", "name", "version", "filetype", *_digests))
_endings = {"bdist_wheel": (".whl",), "sdist": (".tar.gz", ".zip")}
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


@dataclass(slots=True)
class _Part:
    """The part of the form that is being received."""

    headers: dict[bytes, bytes] = field(default_factory=dict)
    header: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)
    name: str = ""
    is_content: bool = False
    body: bytearray = field(default_factory=bytearray)


class LegacyForm:
    """Takes the body of a request in pieces of any size, and gives back what belongs to the file in it."""

    def __init__(self, content_type: str) -> None:
        media_type, options = parse_options_header(content_type)
        if media_type != b"multipart/form-data" or not options.get(b"boundary"):
            raise BadRequest("This address takes the upload form of twine: multipart/form-data with a boundary.")
        self.basename: str | None = None
        self._fields: dict[str, str] = {}
        self._part = _Part()
        self._pieces: list[bytes] = []
        self._fed = self._content = 0
        self._ended = False
        try:
            self._parser = MultipartParser(
                options[b"boundary"],
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._take_header,
                    "on_header_value": self._take_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._end_headers,
                    "on_part_data": self._take_body,
                    "on_part_end": self._end_part,
                    "on_end": self._end,
                },
            )
        except (FormParserError, ValueError) as error:
            raise BadRequest(f"The upload form cannot be read: {error}.") from error

    def feed(self, data: bytes) -> Sequence[bytes]:
        """Take the next piece of the body; the pieces of the file that were in it. Raises BadRequest, TooLarge."""
        self._fed += len(data)
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise BadRequest(f"The upload form cannot be read: {error}.") from error
        pieces, self._pieces = self._pieces, []
        self._content += sum(map(len, pieces))
        if self._fed - self._content > _most_overhead:
            raise TooLarge(f"The upload form has more than {_most_overhead >> 20} MiB besides the file.")
        return pieces

    def finish(self) -> Submission:
        """What the whole form says. Raises BadRequest, ValidationError, Gone."""
        if not self._ended:
            raise BadRequest("The upload form ends in the middle: upload the file again.")
        self._check_action()
        if self.basename is None:
            raise BadRequest("The upload form has no file: the part `content` must be one, with a filename.")
        absent = [name for name in ("name", "version", "filetype") if name not in self._fields]
        if absent:
            raise BadRequest(f"The upload form lacks {', '.join(absent)}.")
        endings = _endings.get(self._fields["filetype"])
        if endings is None:
            raise BadRequest(f"The filetype {self._fields['filetype'][:40]!r} is not taken: it must be bdist_wheel or sdist.")
        if not self.basename.endswith(endings):
            raise BadRequest(f"{self.basename[:200]!r} is not the filename of a {self._fields['filetype']}: that ends in {' or '.join(endings)}.")
        return Submission(basename=self.basename, name=self._fields["name"], version=self._fields["version"], digests=self._digests())

    def _check_action(self) -> None:
        action = self._fields.get(":action", "")
        if action in _gone:
            raise Gone(f"The action {action!r} is long gone: a package is registered by its first upload. Publish with a current tool.")
        if action != "file_upload":
            raise BadRequest("The upload form must say `:action=file_upload`.")
        if self._fields.get("protocol_version", "1") != "1":
            raise BadRequest("The upload form must say `protocol_version=1`, or nothing about it.")

    def _digests(self) -> dict[str, str]:
        """The digests that the client sent, by the core's names for them."""
        digests: dict[str, str] = {}
        for name, (algorithm, length) in _digests.items():
            value = self._fields.get(name, "").lower()
            if value and re.fullmatch(f"[0-9a-f]{{{length}}}", value) is None:
                raise BadRequest(f"{name} must be {length} hexadecimal digits.")
            if value:
                digests[algorithm] = value
        if not digests:
            raise BadRequest(f"The upload form must have at least one of {', '.join(_digests)}.")
        return digests

    # -- the parser's callbacks ---------------------------------------------------------------------------------------

    def _begin_part(self) -> None:
        self._part = _Part()

    def _take_header(self, data: bytes, start: int, end: int) -> None:
        self._part.header += data[start:end]

    def _take_value(self, data: bytes, start: int, end: int) -> None:
        self._part.value += data[start:end]

    def _end_header(self) -> None:
        part = self._part
        part.headers[bytes(part.header).lower()] = bytes(part.value)
        part.header.clear()
        part.value.clear()

    def _end_headers(self) -> None:
        part = self._part
        disposition, options = parse_options_header(part.headers.get(b"content-disposition"))
        part.name = _text(options.get(b"name", b""))
        if disposition != b"form-data" or not part.name:
            raise BadRequest("The upload form has a part without a name.")
        part.is_content = part.name == "content"
        if part.is_content:
            self._take_filename(_text(options.get(b"filename", b"")))
        elif b"filename" in options and part.name != "gpg_signature":
            raise BadRequest(f"The field {part.name[:40]!r} of the upload form must not be a file.")

    def _take_filename(self, filename: str) -> None:
        if not filename:
            raise BadRequest("The upload form has no file: the part `content` must be one, with a filename.")
        if self.basename is not None:
            raise BadRequest("The upload form has more than one file: upload one at a time.")
        self.basename = filename

    def _take_body(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        if part.is_content:
            self._pieces.append(data[start:end])
        elif part.name in _read:
            part.body += data[start:end]
            if len(part.body) > _longest_field:
                raise BadRequest(f"The field {part.name!r} of the upload form is longer than {_longest_field} bytes.")

    def _end_part(self) -> None:
        """Keep a field. `UNKNOWN` is how old tools say nothing."""
        name, value = self._part.name, _text(bytes(self._part.body)).strip()
        if name not in _read or value in ("", "UNKNOWN"):
            return
        if self._fields.setdefault(name, value) != value:
            raise BadRequest(f"The upload form says {name!r} twice, and differently.")

    def _end(self) -> None:
        self._ended = True


def routes(serve: Services) -> Sequence[BaseRoute]:
    """The upload address, with its slash and without: a redirect would lose the form in most clients."""

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
        return await upload.publish(basename=said.basename, type="pypi", package=said.name, version=said.version, digests=said.digests)


def _refusal(error: EntrepotError) -> Response:
    """As publishing tools expect it: what is wrong with a file is a 400, and so is one that exists; they show the body, or look for words in it."""
    status = 400 if isinstance(error, ValidationError | Conflict) else error.status
    headers = _headers | ({"WWW-Authenticate": 'Basic realm="Entrepot"'} if isinstance(error, Unauthenticated) else {})
    return PlainTextResponse(error.message + "\n", status, headers)


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise BadRequest("The upload form must be UTF-8.") from error
