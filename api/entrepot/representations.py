"""What index documents are made of: the entries of files, parts and whole documents in their representations, and what a rendering is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


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
    absolute: bool = False
    """True: its URLs are absolute where `RenderContext.public_url` is set. Who asks with a token in the path gets another rendering, for which
    `public_url` is empty: an absolute URL would lose the token, and none may stand in a rendering."""


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
