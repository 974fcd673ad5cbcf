"""Plugins and package types for the tests, made in a line or two each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, ClassVar

from entrepot.plugin import DocumentRepresentation, Entry, Inspection, PackageType, PartRepresentation, StoredFile, Target, hookimpl


class Crate(PackageType):
    """A package type that takes every file that begins with its own name."""

    name: ClassVar[str] = "crate"
    title: ClassVar[str] = "Crate"

    def detect(self, file: BinaryIO, basename: str) -> bool:
        return file.read(len(self.name)) == self.name.encode()

    def inspect(self, file: BinaryIO, basename: str) -> Inspection:
        return Inspection(name="one", version="1")

    def canonical_name(self, name: str) -> str:
        return name

    def canonical_version(self, version: str) -> str:
        return version

    def version_key(self, version: str) -> bytes:
        return version.encode()

    def path(self, inspection: Inspection, basename: str) -> str:
        return basename

    def entries(self, file: StoredFile) -> Sequence[Entry]:
        return ()

    def locate(self, rest: str, accept: str, query: str) -> Target | None:
        return None

    def location(self, file: StoredFile) -> str:
        return file.path

    def install(self, package: str, channel: str) -> Sequence[str]:
        return ()


def crate(**members: Any) -> PackageType:
    """A `Crate` with other members."""
    made: PackageType = type("Other", (Crate,), members)()
    return made


def parts(*names: str) -> tuple[PartRepresentation, ...]:
    """Part representations of these names."""
    return tuple(PartRepresentation(name=name, entries="record") for name in names)


def document(name: str, of: str) -> DocumentRepresentation:
    """A document representation."""
    return DocumentRepresentation(name=name, parts=of, media_type="application/json")


def plugin(**hooks: object) -> object:
    """A plugin whose hooks answer these values; a hook that is given a function is that function."""
    members = {name: hookimpl(answer if callable(answer) and not isinstance(answer, type) else _answering(answer)) for name, answer in hooks.items()}
    return type("Plugin", (), members)()


def _answering(answer: object) -> Callable[[object], object]:
    return lambda self: answer
