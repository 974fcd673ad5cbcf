"""A package type that is as small as the contract allows and uses all of it, so that tests of the core need no real one.

A toy file is text: `toy NAME VERSION`, then anything. It shows in the document `all` as one line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import BinaryIO, ClassVar

from entrepot.plugin import (
    AddressedTarget,
    DocumentRepresentation,
    DocumentTarget,
    Entry,
    Extra,
    FileTarget,
    Inspection,
    InvalidPackage,
    PackageType,
    PartRepresentation,
    Parts,
    PartTarget,
    RedirectTarget,
    RenderContext,
    StoredFile,
    Target,
    hookimpl,
)


class ToyType(PackageType):
    """Toys."""

    name: ClassVar[str] = "toy"
    title: ClassVar[str] = "Toy"
    part_representations: ClassVar[Sequence[PartRepresentation]] = (
        PartRepresentation(name="page", entries="line", media_type="text/plain", compressible=True),
        PartRepresentation(name="shard", entries="line", addressed=True),
        PartRepresentation(name="name", entries=None),
    )
    document_representations: ClassVar[Sequence[DocumentRepresentation]] = (
        DocumentRepresentation(name="listing", parts="page", media_type="text/plain", compressible=True),
        DocumentRepresentation(name="shards", parts="shard", media_type="text/plain"),
        DocumentRepresentation(name="names", parts="name", media_type="text/plain"),
    )
    standing_documents: ClassVar[Sequence[str]] = ("all",)

    def detect(self, file: BinaryIO, basename: str) -> bool:
        return file.read(4) == b"toy "

    def inspect(self, file: BinaryIO, basename: str) -> Inspection:
        words = file.readline(1000).decode().split()
        if len(words) != 3:
            raise InvalidPackage("A toy begins with the word toy, its name and its version.")
        return Inspection(
            name=words[1], version=words[2], attributes={"words": words}, extras=[Extra(name="note", body=b"note of " + words[1].encode())]
        )

    def canonical_name(self, name: str) -> str:
        return name.lower()

    def canonical_version(self, version: str) -> str:
        return version

    def version_key(self, version: str) -> bytes:
        return version.encode()

    def path(self, inspection: Inspection, basename: str) -> str:
        return basename

    def entries(self, file: StoredFile) -> Sequence[Entry]:
        state = "".join(f" {key}={value}" for key, value in sorted({**file.package_state, **file.state}.items()))
        return [Entry("all", {"line": f"{file.path} {file.sha256}{state}\n".encode()})]

    def render_part(self, representation: str, context: RenderContext, entries: Sequence[bytes]) -> bytes:
        return b"".join(entries)

    def render(self, representation: str, context: RenderContext, parts: Parts) -> Iterable[bytes]:
        if representation == "shards":
            return [f"{name} {digest.hex()}\n".encode() for name, digest in zip(parts.names(), parts.digests(), strict=True)]
        if representation == "names":
            return [f"{name}\n".encode() for name in parts.names()]
        return parts.bodies()

    def locate(self, rest: str, accept: str, query: str) -> Target | None:
        match rest.split("/"):
            case [""]:
                return RedirectTarget("listing")
            case ["listing" | "shards" | "names" as name]:
                return DocumentTarget("all", name)
            case ["page", name]:
                return PartTarget("all", name, "page")
            case ["shard", digest]:
                return AddressedTarget("all", "shard", digest)
            case ["files", basename]:
                return FileTarget(basename)
            case ["notes", basename]:
                return FileTarget(basename, extra="note")
        return None

    def location(self, file: StoredFile) -> str:
        return f"files/{file.path}"

    def install(self, package: str, channel: str) -> Sequence[str]:
        return [f"play {channel} {package}"]


class ToyPlugin:
    """The plugin object."""

    @hookimpl
    def package_types(self) -> Sequence[PackageType]:
        return [ToyType()]


def build_toy(name: str, version: str = "1", filling: bytes = b"") -> bytes:
    """A toy file."""
    return f"toy {name} {version}\n".encode() + filling


def line_of(basename: str, body: bytes) -> str:
    """What `ToyType` shows of a file without state."""
    return f"{basename} {hashlib.sha256(body).hexdigest()}\n"
