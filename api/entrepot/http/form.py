"""An upload form (multipart/form-data) that is taken in as it arrives: the file in it goes to its sink in pieces and is never held.

Each dialect says which part is the file and which fields it reads; the others are passed over.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from entrepot.errors import BadRequest, TooLarge

MOST_OVERHEAD = 8 << 20
LONGEST_FIELD = 4 << 10
MOST_PARTS = 4_000
"""A tenth of a second on the event loop. Publishers send a part for each requirement, and large applications have more than a thousand."""


@dataclass(slots=True)
class _Part:
    """The part of the form that is being received."""

    headers: dict[bytes, bytes] = field(default_factory=dict)
    header: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)
    name: str = ""
    is_file: bool = False
    body: bytearray = field(default_factory=bytearray)


class UploadForm:
    """Takes the body of a request in pieces of any size, and gives back what belongs to the file in it. Subclasses say what they read."""

    wanted: ClassVar[str] = "an upload form"
    """What the address takes, in words."""
    file_part: ClassVar[str] = "file"
    """The name of the part that is the file."""
    read: ClassVar[Collection[str]] = ()
    """The fields that are read."""
    longer: ClassVar[Mapping[str, int]] = {}
    """Of those, the ones that may be longer than others, with the most bytes that they may have."""
    unread_files: ClassVar[Collection[str]] = ()
    """Other parts that may be files, and are passed over."""
    refused: ClassVar[Mapping[str, str]] = {}
    """Parts that the address does not take, by what there is to say of it."""

    def __init__(self, content_type: str) -> None:
        media_type, options = parse_options_header(content_type)
        if media_type != b"multipart/form-data" or not options.get(b"boundary"):
            raise BadRequest(f"This address takes {self.wanted}: multipart/form-data with a boundary.")
        self.basename: str | None = None
        """The file's name, as soon as its part has begun."""
        self.file_headers: Mapping[str, str] = {}
        """The headers of the file's part, by their names in lower case."""
        self.fields: dict[str, str] = {}
        """The fields that were read and not empty."""
        self._part = _Part()
        self._pieces: list[bytes] = []
        self._fed = self._content = self._parts = 0
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
        if self._fed - self._content > MOST_OVERHEAD:
            raise TooLarge(f"The upload form has more than {MOST_OVERHEAD >> 20} MiB besides the file.")
        return pieces

    def check_ended(self) -> None:
        """Raises BadRequest for a form that broke off."""
        if not self._ended:
            raise BadRequest("The upload form ends in the middle: upload the file again.")

    def file_name(self) -> str:
        """The file's name. Raises BadRequest where the form has no file."""
        if self.basename is None:
            raise BadRequest(f"The upload form has no file: the part `{self.file_part}` must be one, with a filename.")
        return self.basename

    # -- the parser's callbacks ---------------------------------------------------------------------------------------

    def _begin_part(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise TooLarge(f"The upload form has more than {MOST_PARTS} parts.")
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
        if part.name in self.refused:
            raise BadRequest(self.refused[part.name])
        part.is_file = part.name == self.file_part
        if part.is_file:
            self._begin_file(_text(options.get(b"filename", b"")))
        elif b"filename" in options and part.name not in self.unread_files:
            raise BadRequest(f"The field {part.name[:40]!r} of the upload form must not be a file.")

    def _begin_file(self, filename: str) -> None:
        if self.basename is not None:
            raise BadRequest("The upload form has more than one file: upload one at a time.")
        self.basename = filename or None
        self.file_name()
        self.file_headers = {_text(name): _text(value) for name, value in self._part.headers.items()}

    def _take_body(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        if part.is_file:
            self._pieces.append(data[start:end])
        elif part.name in self.read:
            part.body += data[start:end]
            longest = self.longer.get(part.name, LONGEST_FIELD)
            if len(part.body) > longest:
                raise BadRequest(f"The field {part.name!r} of the upload form is longer than {longest} bytes.")

    def _end_part(self) -> None:
        """Keep a field. `UNKNOWN` is how old tools say nothing."""
        name, value = self._part.name, _text(bytes(self._part.body)).strip()
        if name not in self.read or value in ("", "UNKNOWN"):
            return
        if self.fields.setdefault(name, value) != value:
            raise BadRequest(f"The upload form says {name!r} twice, and differently.")

    def _end(self) -> None:
        self._ended = True


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise BadRequest("The upload form must be UTF-8.") from error
