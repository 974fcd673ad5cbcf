"""A channel in memory: takes conda files in and renders their documents through the package type alone, in the order in which the core would."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence

from entrepot.plugin import Entry, Pieces, RenderContext, StoredFile
from entrepot.services.partstores import HeldPart
from entrepot.services.runs import Runs, StoredRun
from entrepot_conda.packagetype import CondaType

conda = CondaType()


def store(basename: str, body: bytes, uploaded_at: int = 1_700_000_000_000) -> StoredFile:
    """The file as the core would remember it."""
    inspection = conda.inspect(io.BytesIO(body), basename)
    return StoredFile(
        namespace="alice",
        package=inspection.name,
        name=conda.canonical_name(inspection.name),
        version=inspection.version,
        path=conda.path(inspection, basename),
        basename=basename,
        size=len(body),
        sha256=hashlib.sha256(body).hexdigest(),
        md5=hashlib.md5(body, usedforsecurity=False).hexdigest(),
        blake2b=hashlib.blake2b(body, digest_size=32).hexdigest(),
        uploaded_at=uploaded_at,
        attributes=inspection.attributes,
        state={},
        package_state={},
        extras={},
        summary=inspection.summary,
    )


class Rendered:
    """The parts of a document, as `entrepot.plugin.Parts` describes them."""

    def __init__(self, parts: dict[str, bytes], *, addressed: bool = False) -> None:
        self.parts = dict(sorted(parts.items()))
        self.addressed = addressed

    def names(self) -> Sequence[str]:
        return list(self.parts)

    def bodies(self) -> Iterator[bytes]:
        return iter(self.parts.values())

    def digests(self) -> Iterator[bytes]:
        return (hashlib.sha256(body).digest() for body in self.parts.values())

    def runs(self) -> Sequence[StoredRun]:
        held = zip(self.names(), self.digests() if self.addressed else self.bodies(), strict=True)
        return Runs.of(self.names(), {name: HeldPart(body, 1, False) for name, body in held}, ()).runs


class Channel:
    """What the files of a namespace make."""

    def __init__(self, files: Iterable[StoredFile], withdrawn: Iterable[StoredFile] = ()) -> None:
        self.entries: list[tuple[StoredFile, Entry]] = [(file, entry) for file in files for entry in conda.entries(file)]
        self.withdrawn: list[tuple[StoredFile, Entry]] = [(file, entry) for file in withdrawn for entry in conda.entries(file)]
        for pairs in (self.entries, self.withdrawn):
            pairs.sort(key=lambda pair: (pair[1].sort_key, pair[0].path))

    def parts(self, document: str, representation: str) -> dict[str, bytes]:
        """Every part of a document by its name."""
        part = next(part for part in conda.part_representations if part.name == representation)
        source = part.entries
        assert source is not None
        bodies: dict[str, list[bytes]] = {}
        for file, entry in self.entries:
            if entry.document == document:
                bodies.setdefault(file.name, []).append(entry.representations[source])
        for file, entry in self.withdrawn if part.shows_withdrawn else ():
            if entry.document == document:
                bodies.setdefault(file.name, []).append(conda.withdrawn(source, entry.representations[source]))
        context = RenderContext(namespace="alice", label="main", document=document)
        return {name: conda.render_part(representation, context, entries) for name, entries in bodies.items()}

    def document(self, document: str, representation: str) -> bytes:
        """A whole document."""
        source = next(known.parts for known in conda.document_representations if known.name == representation)
        addressed = next(part.addressed for part in conda.part_representations if part.name == source)
        context = RenderContext(namespace="alice", label="main", document=document)
        return b"".join(flat(conda.render(representation, context, Rendered(self.parts(document, source), addressed=addressed))))


def flat(pieces: Iterable[bytes | Pieces]) -> Iterator[bytes]:
    """The bytes of what a rendering yields."""
    for one in pieces:
        yield from one.pieces if isinstance(one, Pieces) else (one,)
