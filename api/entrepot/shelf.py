"""Package types whose files lie on a shelf: people name them, keep versions of them and fetch them one by one; no installer solves for them.

Such a type says what its files are and what they say of themselves. Identity, addresses and the list of what is there are the same for all:

    index.json                            every package of the channel, with its files
    <package>/index.json                  one package
    <package>/<version>/<basename>        a file, and below it its extras
    <package>/<basename>                  the newest file of this basename
    <package>.yml                         the newest file of the package, by any ending that the type has
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any, ClassVar
from urllib.parse import quote

import orjson

from entrepot.errors import InvalidPackage, ValidationError
from entrepot.inspection import Inspection, StoredFile
from entrepot.packagetype import PackageType
from entrepot.representations import DocumentRepresentation, Entry, PartRepresentation, Parts, RenderContext
from entrepot.services.releases import common_version_key
from entrepot.targets import DocumentTarget, FileTarget, NewestTarget, PartTarget, RedirectTarget, Target

NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,126}[a-z0-9])?", re.ASCII)
VERSION = re.compile(r"[a-z0-9](?:[a-z0-9.!+_-]{0,126}[a-z0-9])?", re.ASCII | re.IGNORECASE)
DOCUMENT = "index"
LIST = "index.json"


class ShelfType(PackageType):
    """What is the same for all of them. A subclass gives `detect`, `inspect`, `install`, and what else it likes of PackageType."""

    endings: ClassVar[tuple[str, ...]]
    """How the basenames of its files end: `(".yml", ".yaml")`. In lower case; a file may spell them otherwise."""
    extra_names: ClassVar[frozenset[str]] = frozenset()
    """The names of the extras that its files may have: each is served below its file."""
    part_representations: ClassVar[Sequence[PartRepresentation]] = (
        PartRepresentation(name="json", entries="json", media_type="application/json", compressible=True),
    )
    document_representations: ClassVar[Sequence[DocumentRepresentation]] = (
        DocumentRepresentation(name="json", parts="json", media_type="application/json", compressible=True),
    )
    standing_documents: ClassVar[Sequence[str]] = (DOCUMENT,)

    # -- for `inspect` ------------------------------------------------------------------------------------------------

    def check_ending(self, basename: str) -> None:
        """Raises InvalidPackage for a basename that does not end as the type's do."""
        if not basename.lower().endswith(self.endings):
            raise InvalidPackage(f"{basename[:200]!r} is no name for a file of type {self.name}: it must end in {' or '.join(self.endings)}.")

    def proposed_name(self, basename: str, said: object = None) -> str:
        """A package name from what the file calls itself, else from its basename: `My Analysis.ipynb` is `my-analysis`. May be empty."""
        ending = next((ending for ending in self.endings if basename.lower().endswith(ending)), "")
        return (slug(said) if isinstance(said, str) else "") or slug(basename[: len(basename) - len(ending)])

    def proposed_version(self, said: object) -> str:
        """A version that the file says, if it is one; else nothing, and the core dates the upload."""
        return said if isinstance(said, str) and VERSION.fullmatch(said) else ""

    # -- identity -----------------------------------------------------------------------------------------------------

    def canonical_name(self, name: str) -> str:
        """In lower case; nothing that an address of the type could mean otherwise."""
        lowered = name.lower()
        if not NAME.fullmatch(lowered):
            raise ValidationError(
                f"{name[:80]!r} is not a valid package name: use up to 128 ASCII letters, digits, `.`, `-` and `_`, with a letter or digit at both "
                "ends. Say the name with `package=`."
            )
        if lowered in ("label", LIST) or lowered.endswith(self.endings):
            raise ValidationError(f"{name[:80]!r} cannot be the name of a package of type {self.name}: its addresses mean something else by it.")
        return lowered

    def canonical_version(self, version: str) -> str:
        """In lower case."""
        if not VERSION.fullmatch(version):
            raise ValidationError(
                f"{version[:80]!r} is not a valid version: use up to 128 ASCII letters, digits, `.`, `-`, `_`, `+` and `!`, with a letter or digit "
                "at both ends."
            )
        return version.lower()

    def version_key(self, version: str) -> bytes:
        """As people read versions."""
        return common_version_key(self.canonical_version(version))

    def path(self, inspection: Inspection, basename: str) -> str:
        """`<package>/<version>/<basename>`."""
        return f"{self.canonical_name(inspection.name)}/{self.canonical_version(inspection.version)}/{basename}"

    # -- the list -----------------------------------------------------------------------------------------------------

    def record(self, file: StoredFile) -> Mapping[str, Any]:
        """What the list says of a file besides what it says of every file: JSON values. A pure function of its argument."""
        return {}

    def entries(self, file: StoredFile) -> Sequence[Entry]:
        """The file in the list."""
        record = {
            "version": file.version,
            "basename": file.basename,
            "path": self.location(file),
            "size": file.size,
            "sha256": file.sha256,
            "uploaded_at": datetime.fromtimestamp(file.uploaded_at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            **self.record(file),
        }
        return [Entry(DOCUMENT, {"json": orjson.dumps(record)}, self.version_key(file.version))]

    def render_part(self, representation: str, context: RenderContext, entries: Sequence[bytes]) -> bytes:
        """One package, its files from the oldest version to the newest."""
        return b'{"name":%s,"files":[%s]}' % (orjson.dumps(context.part), b",".join(entries))

    def render(self, representation: str, context: RenderContext, parts: Parts) -> Iterable[bytes]:
        """All packages."""
        bodies = parts.bodies()
        first = next(bodies, b"")
        return chain((b'{"packages":[', first), (piece for body in bodies for piece in (b",", body)), (b"]}",))

    # -- addresses ----------------------------------------------------------------------------------------------------

    def locate(self, rest: str, accept: str, query: str) -> Target | None:
        """See the module. Names and versions may be spelled in any case."""
        match rest.split("/"):
            case [""]:
                return RedirectTarget(LIST)
            case [name] if name == LIST:
                return DocumentTarget(DOCUMENT, "json")
            case [basename]:
                return self._newest_of(basename)
            case [name, below] if NAME.fullmatch(name.lower()):
                return PartTarget(DOCUMENT, name.lower(), "json") if below == LIST else self._newest_named(name, below)
            case [name, version, basename]:
                return FileTarget(f"{name.lower()}/{version.lower()}/{basename}")
            case [name, version, basename, extra] if extra in self.extra_names:
                return FileTarget(f"{name.lower()}/{version.lower()}/{basename}", extra)
        return None

    def _newest_of(self, basename: str) -> Target | None:
        ending = next((ending for ending in self.endings if basename.lower().endswith(ending)), None)
        name = basename[: -len(ending)].lower() if ending else ""
        return NewestTarget(name) if NAME.fullmatch(name) else None

    def _newest_named(self, name: str, basename: str) -> Target | None:
        return NewestTarget(name.lower(), basename, base="../") if basename.lower().endswith(self.endings) else None

    def location(self, file: StoredFile) -> str:
        """The path."""
        return quote(file.path, safe="/")


def slug(text: str) -> str:
    """A text as the anaconda client makes names of it: ASCII in lower case, `-` for whatever is no letter, digit or `_`. May be empty."""
    ascii_text = unicodedata.normalize("NFKD", text[:1000]).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9_]+", "-", ascii_text)[:100].strip("-_")
