"""A package type for the tests of the API: it fills every part of the GraphQL contract and knows no format."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, ClassVar

import strawberry
from entrepot.plugin import (
    Entry,
    File,
    Inspection,
    PackageFacet,
    PackageSummary,
    PackageType,
    StoredFile,
    Target,
    ValidationError,
    hookimpl,
)


@strawberry.type(description="A book.")
class BookFile(File):
    """Fields without defaults: filled when they are asked for."""

    author: str = strawberry.field(description="Who wrote it.")
    pages: int = strawberry.field(description="How long it is.")
    notes: list[str] = strawberry.field(description="The names of its extras.")


@strawberry.type(description="A map.")
class MapFile(File):
    """A field with a default, and one with a resolver."""

    scale: int = strawberry.field(description="One to how much.", default=1)

    @strawberry.field(description="The scale, in words.")  # type: ignore[untyped-decorator]
    def caption(self) -> str:
        """From another field."""
        return f"1:{self.scale}"


@strawberry.type(description="What a library says of a book.")
class BookFacet(PackageFacet):
    """Everything that a facet may know."""

    name: str = strawberry.field(description="The canonical name.")
    platforms: list[str] = strawberry.field(description="Where it can be read.")
    file_count: int = strawberry.field(description="How many files there are.")
    shelf: str | None = strawberry.field(description="Where it stands.")


class BookType(PackageType):
    """Books: versions are dotted numbers, and 1 is 1.0."""

    name: ClassVar[str] = "book"
    title: ClassVar[str] = "Book"
    graphql_type: ClassVar[type | None] = BookFile
    facet_type: ClassVar[type | None] = BookFacet

    def detect(self, file: BinaryIO, basename: str) -> bool:
        return basename.endswith(f".{self.name}")

    def inspect(self, file: BinaryIO, basename: str) -> Inspection:
        name, version = basename.removesuffix(f".{self.name}").rsplit("-", 1)
        return Inspection(name=name, version=version)

    def canonical_name(self, name: str) -> str:
        if not name.isalnum():
            raise ValidationError(f"{name!r} is no name of a {self.name}.")
        return name.lower()

    def canonical_version(self, version: str) -> str:
        numbers = version.split(".")
        if not all(number.isdecimal() for number in numbers):
            raise ValidationError(f"{version!r} is no version of a {self.name}.")
        return ".".join(numbers).removesuffix(".0")

    def version_key(self, version: str) -> bytes:
        return b"".join(int(number).to_bytes(4, "big") for number in self.canonical_version(version).split("."))

    def path(self, inspection: Inspection, basename: str) -> str:
        return basename

    def entries(self, file: StoredFile) -> Sequence[Entry]:
        return []

    def locate(self, rest: str, accept: str, query: str) -> Target | None:
        return None

    def location(self, file: StoredFile) -> str:
        return f"files/{file.path}"

    def graphql_fields(self, file: StoredFile) -> Mapping[str, Any]:
        return {"author": file.attributes["author"], "pages": file.attributes.get("pages", 0), "notes": sorted(file.extras)}

    def facet(self, package: PackageSummary) -> object | None:
        return BookFacet(
            type=self.name, name=package.name, platforms=list(package.platforms), file_count=package.file_count, shelf=package.state.get("shelf")
        )

    def install(self, package: str, channel: str) -> Sequence[str]:
        return [f"read {package} --from {channel}"]


class MapType(BookType):
    """Maps: no facet."""

    name: ClassVar[str] = "map"
    title: ClassVar[str] = "Map"
    graphql_type: ClassVar[type | None] = MapFile
    facet_type: ClassVar[type | None] = None

    def graphql_fields(self, file: StoredFile) -> Mapping[str, Any]:
        return {"scale": file.attributes["scale"]}

    def facet(self, package: PackageSummary) -> object | None:
        return None


class LetterType(BookType):
    """Letters: nothing of their own in GraphQL."""

    name: ClassVar[str] = "letter"
    title: ClassVar[str] = "Letter"
    graphql_type: ClassVar[type | None] = None
    facet_type: ClassVar[type | None] = None

    def facet(self, package: PackageSummary) -> object | None:
        return None


class Library:
    """The plugin object."""

    @hookimpl
    def package_types(self) -> Sequence[PackageType]:
        return [BookType(), MapType(), LetterType()]
