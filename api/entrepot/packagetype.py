"""The contract between the core and a package type. Plugin authors import these names from `entrepot.plugin`.

A package type is one object with plain, synchronous methods. It knows its file format and its index formats; the core decides threads, caching,
ETags, compression, ranges, storage and permission. Nothing here may block on the network, and nothing here reads the database.

What its methods take and give stands in `inspection` (files), `representations` (index documents) and `targets` (URLs).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar

from entrepot.errors import ValidationError

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from entrepot.inspection import Inspection, Objection, StoredExtra, StoredFile
    from entrepot.representations import DocumentRepresentation, Entry, PartRepresentation, Parts, Pieces, RenderContext
    from entrepot.services.facade import Services
    from entrepot.targets import Target

type_name_pattern = r"^[a-z][a-z0-9]{0,31}$"
"""What `PackageType.name` must match: it is the first segment of the type's URLs and a word in GraphQL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What the administrators of a namespace want to tell those who install from it."""

    id: str
    level: str
    """`info`, `warning` or `critical`."""
    message: str
    """May have several lines; holds no other control characters."""
    created_at: int
    """Milliseconds since 1970, UTC; `expires_at` likewise."""
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSummary:
    """What the core knows of a package in one type; `PackageType.facet` makes its facet from it."""

    namespace: str
    package: str
    name: str
    """The canonical name."""
    state: Mapping[str, Any]
    platforms: Sequence[str]
    """The distinct non-empty platforms of its files, sorted."""
    file_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What an index document says of a file that lies in the same folder: for an import of the folder."""

    digests: Mapping[str, str] = field(default_factory=dict)
    """Hex digests by algorithm (`sha256`, `md5`, `blake2b`). A file that has others is refused."""
    record: Mapping[str, Any] = field(default_factory=dict)
    """What `PackageType.check_place` shall compare with the file; whatever the type likes."""
    state: Mapping[str, Any] = field(default_factory=dict)
    """What was said of the file after its publication (yanked …): JSON values that become its state here."""
    removed: bool = False
    """The index hides the file from installers, so it is not imported."""


class PackageType(ABC):
    """One package type: detection, inspection, identity, index entries, rendering, URLs, GraphQL."""

    name: ClassVar[str]
    """`conda`: lower-case letters and digits. Also the first segment of its URLs and its host name."""
    title: ClassVar[str]
    """What people read: "Conda package"."""
    entry_version: ClassVar[int] = 1
    """Raise it when `entries` changes: the core then restates every file from the database."""
    part_representations: ClassVar[Sequence[PartRepresentation]] = ()
    document_representations: ClassVar[Sequence[DocumentRepresentation]] = ()
    standing_documents: ClassVar[Sequence[str]] = ()
    """Documents that exist in every namespace and label from the first, though empty (conda: `noarch`)."""
    filename_endings: ClassVar[Sequence[str]] = ()
    """How the names of its files end: an import tells of a file that is named so and is no package, and passes over other strangers."""
    graphql_type: ClassVar[type | None] = None
    """A Strawberry type that implements `File`."""
    facet_type: ClassVar[type | None] = None
    """A Strawberry type that implements `PackageFacet`."""

    # -- taking a file in ---------------------------------------------------------------------------------------------

    @abstractmethod
    def detect(self, file: BinaryIO, basename: str) -> bool:
        """Whether this upload is of this type, by its bytes first. May seek; must read a bounded amount; must not raise on any bytes."""

    @abstractmethod
    def inspect(self, file: BinaryIO, basename: str) -> Inspection:
        """Read and validate the upload, within bounds on inflated bytes, members and depth.

        Raises InvalidPackage with a sentence for whatever is wrong, a basename that contradicts the content included.
        """

    @abstractmethod
    def canonical_name(self, name: str) -> str:
        """The one spelling of a name that identifies a package in this type. Raises ValidationError for what is no name."""

    @abstractmethod
    def canonical_version(self, version: str) -> str:
        """The one spelling of a version (1.0 and 1.0.0 are one PyPI release). Raises ValidationError for what is no version."""

    @abstractmethod
    def version_key(self, version: str) -> bytes:
        """Bytes that sort as the versions do."""

    @abstractmethod
    def path(self, inspection: Inspection, basename: str) -> str:
        """The file's address within its namespace and type. The inspection's name and version are those that were agreed with the uploader."""

    # -- importing a folder -------------------------------------------------------------------------------------------

    def is_companion(self, basename: str) -> bool:
        """Whether a file of this name lies beside packages in folders and is none: an index, a signature, a sidecar. An import passes it over."""
        return False

    def read_companion(self, file: BinaryIO, basename: str) -> Mapping[str, Listed]:
        """What a companion says of files, by their paths relative to its folder. Reads a bounded amount.

        Raises ValidationError with a sentence for one that cannot be read: it is told of, and the files are imported without.
        """
        return {}

    def check_place(self, inspection: Inspection, folders: Sequence[str], listed: Listed | None) -> Sequence[str]:
        """Raises InvalidPackage for a file that cannot lie where it lies: `folders` are the names above it, the imported folder's own first.

        Answers sentences for the report: what its index says of it that the import does not keep.
        """
        return ()

    def admit(self, file: StoredFile, siblings: Sequence[str]) -> Sequence[Objection]:
        """What speaks against a new file where it goes: rules on which a namespace insists or not, as on `Inspection.objections`.

        `siblings` are the paths of the other files that its release has in this type, sorted. Raises Conflict with a sentence for a file that
        what was said of its package (`package_state`) keeps out of every namespace.

        Asked in the transaction that publishes or copies a file, with the state that it will have; not for one that is there already.
        """
        return ()

    # -- index documents ----------------------------------------------------------------------------------------------

    @abstractmethod
    def entries(self, file: StoredFile) -> Sequence[Entry]:
        """The file's records, one for each document in which it shows. A pure function of its argument."""

    def render_part(self, representation: str, context: RenderContext, entries: Sequence[bytes]) -> bytes:
        """One part, from the entry bytes that the representation names. Joins bytes: never parses or serializes records again."""
        raise KeyError(representation)

    def extras_for(self, representation: str, context: RenderContext, entries: Sequence[bytes]) -> Sequence[StoredExtra]:
        """The extras whose bytes `render_part` wants beside these entries, few and small: for part representations with `reads_extras`,
        where a part is served by itself."""
        return ()

    def render(self, representation: str, context: RenderContext, parts: Parts) -> Iterable[bytes | Pieces]:
        """One document as pieces of bytes, from its parts. Runs in a thread; yields the parts' own bytes unchanged where it can."""
        raise KeyError(representation)

    def withdrawn(self, representation: str, entry: bytes) -> bytes:
        """What `main` shows of a file that has no label any more, made from its entry: `render_part` gets it behind the others.

        Asked for part representations with `shows_withdrawn` alone; `representation` is that of the entry.
        """
        raise KeyError(representation)

    def hotfix(self, file: StoredFile, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        """What indexes shall say of a file instead of what the file says: fields with their new values, null for a field to leave out.

        `changes` is what an administrator has sent. The answer becomes the key `hotfix` of the file's state, which `entries` looks at.
        Raises ValidationError with a sentence for what no upload of the type could say.
        """
        raise ValidationError(f"Files of the type {self.name} take no hotfixes.", field="hotfix")

    def render_notices(self, notices: Sequence[Notice], now: int) -> bytes:
        """The notices that have not expired, newest first, as the type's installers read them; `now` in milliseconds."""
        raise KeyError("notices")

    # -- URLs ---------------------------------------------------------------------------------------------------------

    @abstractmethod
    def locate(self, rest: str, accept: str, query: str) -> Target | None:
        """What `GET /<type>/<namespace>[/label/<label>]/<rest>` means, by the decoded rest of the path, the Accept header and the raw query.

        A pure function (its answers are remembered). None: not an index document or a file; `routes` may still have it.
        """

    @abstractmethod
    def location(self, file: StoredFile) -> str:
        """The rest of the path under which `locate` finds the file, percent-encoded: its download URL below `/<type>/<namespace>/`."""

    def routes(self, serve: Services) -> Sequence[BaseRoute]:
        """What else the type serves below `/<type>` and on its own host: uploads of its own dialect, searches … Starlette routes."""
        return ()

    # -- people and GraphQL -------------------------------------------------------------------------------------------

    def graphql_fields(self, file: StoredFile) -> Mapping[str, Any]:
        """The values of the fields that `graphql_type` adds to `File`, by their Python names."""
        return {}

    def facet(self, package: PackageSummary) -> object | None:
        """What the type says of a package: an instance of `facet_type`, or None."""
        return None

    @abstractmethod
    def install(self, package: str, channel: str) -> Sequence[str]:
        """What a person types to install the package.

        `channel` is the absolute URL of the namespace (and label) in this type, without a slash at its end.
        """
