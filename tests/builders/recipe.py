"""A package type of the shelf: recipes, which are text. The first line may be `recipe`, or `recipe VERSION`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, ClassVar

from entrepot.plugin import Extra, Inspection, PackageType, ShelfType, StoredFile, hookimpl


class RecipeType(ShelfType):
    """Recipes."""

    name: ClassVar[str] = "recipe"
    title: ClassVar[str] = "Recipe"
    endings: ClassVar[tuple[str, ...]] = (".recipe", ".dish")
    extra_names: ClassVar[frozenset[str]] = frozenset({"photo.png"})

    def detect(self, file: BinaryIO, basename: str) -> bool:
        return file.read(6) == b"recipe"

    def inspect(self, file: BinaryIO, basename: str) -> Inspection:
        self.check_ending(basename)
        words = file.readline(1000).decode().split()
        return Inspection(
            name=self.proposed_name(basename),
            version=self.proposed_version(words[1] if len(words) > 1 else None),
            attributes={"words": len(words)},
            extras=[Extra(name="photo.png", body=b"photo", media_type="image/png")],
            names_itself=False,
            versions_itself=False,
        )

    def record(self, file: StoredFile) -> Mapping[str, Any]:
        return {"words": file.attributes["words"]}

    def install(self, package: str, channel: str) -> Sequence[str]:
        return [f"cook {channel}/{package}.recipe"]


class RecipePlugin:
    """The plugin object."""

    @hookimpl
    def package_types(self) -> Sequence[PackageType]:
        return [RecipeType()]


def build_recipe(text: str = "", version: str = "") -> bytes:
    """A recipe file."""
    return f"recipe {version}\n{text}\n".encode()
