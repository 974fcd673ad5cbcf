"""The contract between the core and a package type. Plugin authors import these names from `entrepot.plugin`.

A package type is one object with plain, synchronous methods. It knows its file format and its index formats; the core decides threads, caching,
ETags, compression, ranges, storage and permission. Nothing here may block on the network, and nothing here reads the database.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Protocol

from entrepot.errors import ValidationError

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from entrepot.services.facade import Services

type_name_pattern = r"^[a-z][a-z0-9]{0,31}$"
"""What `PackageType.name` must match: it is the first segment of the type's URLs and a word in GraphQL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """A small blob that inspection takes out of an upload: a `.metadata` sidecar, a thumbnail, a rendered view.

    Stored, counted and collected as a blob of its own, and served by `FileTarget(path, extra=name)`.
    """

    name: str
    body: bytes
    media_type: str = "application/octet-stream"


class Strictness(Enum):
    """How much a namespace insists on, beyond what `inspect` refuses everywhere. Each value insists on what those before it do."""

    IMPORT = "import"
    """What was once built otherwise is taken: the files of another server, that nobody will build again."""
    PRIVATE = "private"
    """What the format asks of new files, as far as it serves a house of its own."""
    PUBLIC = "public"
    """What the type's public registry asks."""

    def insists_on(self, objection: Objection) -> bool:
        """Whether a file to which this is objected is refused."""
        order = list(Strictness)
        return order.index(objection.since) <= order.index(self)


@dataclass(frozen=True, slots=True)
class Objection:
    """A rule that a file breaks, and that only some namespaces insist on. Never one that keeps harm away: that is for `inspect` to raise."""

    since: Strictness
    """The mildest strictness that refuses the file."""
    message: str
    """A sentence that says what is wrong and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What a package type read out of an upload."""

    name: str
    """The package's name as the file spells it."""
    version: str
    """The version as the file spells it. May be empty where `versions_itself` is False: then the core dates the upload (`2026.11.22.093015`)."""
    summary: str = ""
    description: str = ""
    license: str = ""
    platform: str = ""
    """What the file runs on, in the type's own words (conda: the subdir). Empty: anything."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """What the type wants to remember: JSON values only. Handed back in `StoredFile.attributes`; entries are made from it."""
    extras: Sequence[Extra] = ()
    names_itself: bool = True
    """True: the name stands inside the file, and an uploader's `package=` may differ from it only in case and in `-`, `_`, `.`.
    False: `name` is only a proposal (from the basename, say); `package=` wins."""
    versions_itself: bool = True
    """True: the version stands inside the file, and an uploader's `version=` must mean the same.
    False: `version` is only a proposal; `version=` wins. Without `version=`, bytes that the package has under this basename make no new release."""
    objections: Sequence[Objection] = ()
    """What the core refuses where the namespace is strict enough (`Objection.since`), and an import tells of where it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredExtra:
    """An extra as it lies in storage."""

    sha256: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file as the database knows it. Everything that `PackageType.entries` may use."""

    namespace: str
    package: str
    """The package's display name in its namespace."""
    name: str
    """The canonical name: the part in which the file's entries appear."""
    version: str
    """The version as the file spells it."""
    path: str
    basename: str
    size: int
    sha256: str
    """Lower-case hex; `md5` and `blake2b` (256 bits) likewise."""
    md5: str
    blake2b: str
    uploaded_at: int
    """Milliseconds since 1970, UTC."""
    attributes: Mapping[str, Any]
    state: Mapping[str, Any]
    """What was said of this file since its upload (yanked, hotfixes …), set through `Services.set_state`."""
    package_state: Mapping[str, Any]
    """What was said of its package in this type (project status, dist-tags …)."""
    extras: Mapping[str, StoredExtra]
    summary: str = ""
    """What inspection said of it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The record of one file in one index document, as the bytes that will be joined.

    Its part is the file's canonical name: so each part of a document belongs to exactly one package, and is as visible as that.
    """

    document: str
    representations: Mapping[str, bytes]
    sort_key: bytes = b""
    """Entries of a part are handed to `render_part` ordered by (sort_key, path)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRepresentation:
    """What is made per part of a document: a project page, a shard, or a fragment that a document is joined from."""

    name: str
    entries: str | None
    """The entry representation that it is made from; None: only the part's existence counts, and `render_part` gets no entries."""
    only_names: bool = False
    """True: nothing is made from those entries; that the part has any is what counts. So entries of a part that lack this representation keep it out
    of the document that is joined from it."""
    media_type: str = "application/octet-stream"
    addressed: bool = False
    """True: stored and served under the sha256 of its bytes (a shard): immutable, kept a week after it is superseded."""
    vary: str = ""
    """Request headers that chose this representation, as in `Vary` (the core adds Accept-Encoding by itself)."""
    compressible: bool = False
    """True: may be sent with a gzip or zstd Content-Encoding. Never for bytes that are compressed already."""
    version: str = "1"
    """Of an addressed one: change it when `render_part` or `withdrawn` makes other bytes of the same entries. A worker that starts takes the digests
    of shards that were stored under this version, and renders all where it is another. What a library of another version would compress otherwise
    has that version in it."""
    shows_withdrawn: bool = False
    """True: under `main` it also tells of files that have no label any more; `PackageType.withdrawn` says how."""
    changed_header: str = ""
    """The name of a response header that says when what is shown was last changed, for all that the reader may know: in milliseconds since 1970
    (PyPI's serials)."""
    reads_extras: bool = False
    """True: `PackageType.extras_for` says of which extras `render_part` wants the bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRepresentation:
    """What is made per document: `repodata.json`, a shard index, a root list."""

    name: str
    parts: str
    """The part representation that it is joined from."""
    media_type: str
    vary: str = ""
    compressible: bool = False
    changed_header: str = ""
    """As in PartRepresentation."""
    zstd: str = ""
    """Another representation from the same parts, with the same `changed_header`, that is this one as a zstd frame: it is sent as this one's zstd
    Content-Encoding. Empty: the core compresses the whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderContext:
    """Where a rendering will be read. What is not in here (and not in the entries) must not be in the rendering: it would not be reproducible."""

    namespace: str
    label: str
    document: str
    part: str | None = None
    public_url: str = ""
    """The site's URL, without a trailing slash, for formats that need absolute URLs; empty where the setting is unset. Relative ones are better:
    they keep a token that stands in the path, and suit every host that the site has."""
    view: str = ""
    """What `PartTarget.view` says."""
    changed_at: int = 0
    """When the part was last changed: milliseconds since 1970, UTC. For part representations that have a `changed_header` alone; else 0."""
    extras: Mapping[str, bytes] = field(default_factory=dict)
    """The bytes of the extras that `PackageType.extras_for` has asked for, by their sha256; one that is lost is not in here."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """Bytes in pieces, measured and hashed once: what `Run.made` gives, and `render` may yield among bytes."""

    pieces: tuple[bytes, ...]
    size: int
    digest: bytes


class Run(Protocol):
    """Neighbouring parts of a document, some hundred KiB of them. Which parts make a run depends on the parts' names and bytes alone.

    A change renders anew what is made of the runs that hold it, and nothing of the others: so large documents are best rendered run by run.
    """

    def names(self) -> Sequence[str]:
        """The names of its parts, sorted."""

    def bodies(self) -> Sequence[bytes]:
        """The rendered bytes of each part, in the order of `names`; of addressed ones the raw sha256."""

    def made(self, what: str, make: Callable[[Sequence[bytes]], Iterable[bytes]]) -> Pieces:
        """What `make` makes of the bodies, remembered under the name `what` for as long as the bodies stay the same."""


class Parts(Protocol):
    """The parts of a document, in order of their names, in the representation that the document asks for."""

    def names(self) -> Sequence[str]:
        """The names of the parts, sorted."""

    def bodies(self) -> Iterator[bytes]:
        """The rendered bytes of each part, in the order of `names`. Not for addressed representations."""

    def digests(self) -> Iterator[bytes]:
        """The raw sha256 (32 bytes) of each part's rendered bytes, in the order of `names`. For addressed representations."""

    def runs(self) -> Sequence[Run]:
        """All parts, in order, as runs of neighbours."""


@dataclass(frozen=True, slots=True)
class DocumentTarget:
    """A URL that means a whole document in one representation."""

    document: str
    representation: str


@dataclass(frozen=True, slots=True)
class PartTarget:
    """A URL that means one part of a document in one representation."""

    document: str
    part: str
    representation: str
    view: str = ""
    """What of the part is meant: a canonical version, which `render_part` finds in its context. One that the package has no release of, and one of
    which nothing is rendered, is not found."""


@dataclass(frozen=True, slots=True)
class AddressedTarget:
    """A URL that means an addressed part representation by the hex sha256 of its bytes."""

    document: str
    representation: str
    sha256: str


@dataclass(frozen=True, slots=True)
class FileTarget:
    """A URL that means a stored file by its path, or one of its extras."""

    path: str
    extra: str | None = None


@dataclass(frozen=True, slots=True)
class NewestTarget:
    """A URL that means the newest file of a canonical name that has the channel's label: of the highest version, then of the last upload.

    The answer redirects to `PackageType.location` of the file, below `base`: a relative URL from the requested one to `/<type>/<namespace>/`.
    """

    name: str
    basename: str | None = None
    """Only files of this basename. None: any."""
    base: str = ""


@dataclass(frozen=True, slots=True)
class RedirectTarget:
    """A URL that has moved for good; `location` is relative to the requested URL (no scheme, no host, no leading slash)."""

    location: str


@dataclass(frozen=True, slots=True)
class RefusalTarget:
    """A URL that the type knows and will not serve this way (406 for an Accept that cannot be met, 404 cheaply for what nobody serves)."""

    status: int
    message: str


@dataclass(frozen=True, slots=True)
class NoticesTarget:
    """A URL that means what is to be told to whoever installs from the namespace, as `PackageType.render_notices` words it.

    As public as the namespace, the same under every label; not found while there is nothing to tell.
    """

    media_type: str = "application/json"


Target = DocumentTarget | PartTarget | AddressedTarget | FileTarget | NewestTarget | NoticesTarget | RedirectTarget | RefusalTarget


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
