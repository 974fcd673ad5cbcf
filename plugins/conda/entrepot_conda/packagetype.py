"""The package type: what the core asks of conda."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar
from urllib.parse import quote

from entrepot.plugin import (
    DocumentRepresentation,
    Entry,
    Inspection,
    Listed,
    Notice,
    PackageSummary,
    PackageType,
    PartRepresentation,
    Parts,
    Pieces,
    RenderContext,
    StoredFile,
    Target,
)

from entrepot_conda import address, channeldata, dialects, documents, folder, fragment
from entrepot_conda.archive import extension_of, looks_like_conda
from entrepot_conda.graphql import CondaFacet, CondaFile, file_fields
from entrepot_conda.hotfix import clean_hotfix
from entrepot_conda.inspection import inspect
from entrepot_conda.name import check_name, extensions
from entrepot_conda.notices import notices_json
from entrepot_conda.record import entry_bodies, withdrawn
from entrepot_conda.version import check_version, version_key

if TYPE_CHECKING:
    from entrepot.plugin import Services
    from starlette.routing import BaseRoute


class CondaType(PackageType):
    """Conda packages in channels. `now` tells the time in seconds, by which a timestamp in the future is known."""

    name: ClassVar[str] = "conda"
    title: ClassVar[str] = "Conda package"
    part_representations: ClassVar[Sequence[PartRepresentation]] = (
        PartRepresentation(
            name="shard", entries="msgpack", media_type="application/zstd", addressed=True, version=documents.shard_version, shows_withdrawn=True
        ),
        PartRepresentation(name="fragment", entries="json", shows_withdrawn=True),
        PartRepresentation(name="run_exports", entries="json"),
        PartRepresentation(name=channeldata.document, entries=channeldata.document),
    )
    document_representations: ClassVar[Sequence[DocumentRepresentation]] = (
        DocumentRepresentation(name="repodata.json", parts="fragment", media_type="application/json", compressible=True, zstd="repodata.json.zst"),
        DocumentRepresentation(name="repodata.json.zst", parts="fragment", media_type="application/zstd"),
        DocumentRepresentation(name="repodata_from_packages.json", parts="fragment", media_type="application/json", compressible=True),
        DocumentRepresentation(name="repodata_shards.msgpack.zst", parts="shard", media_type="application/zstd"),
        DocumentRepresentation(
            name="run_exports.json", parts="run_exports", media_type="application/json", compressible=True, zstd="run_exports.json.zst"
        ),
        DocumentRepresentation(name="run_exports.json.zst", parts="run_exports", media_type="application/zstd"),
        DocumentRepresentation(name=channeldata.file_name, parts=channeldata.document, media_type="application/json", compressible=True),
    )
    entry_version: ClassVar[int] = 2
    standing_documents: ClassVar[Sequence[str]] = ("noarch",)
    filename_endings: ClassVar[Sequence[str]] = extensions
    graphql_type: ClassVar[type | None] = CondaFile
    facet_type: ClassVar[type | None] = CondaFacet

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now

    def detect(self, file: BinaryIO, basename: str) -> bool:
        """A ZIP archive or bzip2 stream with the right extension, though it be broken: `inspect` says what is wrong with it. Else by the content."""
        extension = extension_of(file)
        return extension is not None and (basename.endswith(extension) or looks_like_conda(file))

    def inspect(self, file: BinaryIO, basename: str) -> Inspection:
        """Everything that can be known to be wrong with one file."""
        return inspect(file, basename, now=int(self._now() * 1000))

    def canonical_name(self, name: str) -> str:
        """In lower case, which is all that CEP 26 allows."""
        return check_name(name.lower())

    def canonical_version(self, version: str) -> str:
        """In lower case: 1.0 and 1.0.0 sort alike, and are two releases."""
        return check_version(version.lower())

    def version_key(self, version: str) -> bytes:
        """Conda's version order."""
        return version_key(version.lower())

    def path(self, inspection: Inspection, basename: str) -> str:
        """`linux-64/x-1.0-0.conda`."""
        return f"{inspection.platform}/{basename}"

    def is_companion(self, basename: str) -> bool:
        """repodata.json in all its forms, and what else a channel's folders hold."""
        return folder.is_companion(basename)

    def read_companion(self, file: BinaryIO, basename: str) -> Mapping[str, Listed]:
        """The records of repodata.json."""
        return folder.read_companion(file, basename)

    def check_place(self, inspection: Inspection, folders: Sequence[str], listed: Listed | None) -> Sequence[str]:
        """In the folder of its subdir; hotfixes are told of."""
        return folder.check_place(inspection, folders, listed)

    def entries(self, file: StoredFile) -> Sequence[Entry]:
        """One record, in the document of its subdir, and what channeldata.json says of it."""
        return [Entry(file.attributes["index"]["subdir"], entry_bodies(file)), channeldata.entry(file)]

    def render_part(self, representation: str, context: RenderContext, entries: Sequence[bytes]) -> bytes:
        """A shard, or what the documents in JSON hold of one name."""
        if representation == "shard":
            return documents.shard(entries)
        if representation == "fragment":
            return fragment.of_records(entries)
        if representation == "run_exports":
            return fragment.of_run_exports(entries)
        if representation == channeldata.document:
            return channeldata.part(entries)
        raise KeyError(representation)

    def render(self, representation: str, context: RenderContext, parts: Parts) -> Iterable[bytes | Pieces]:
        """One document of a subdir, or channeldata.json."""
        if representation == channeldata.file_name:
            return channeldata.render(parts)
        return documents.renderings[representation](context.document, parts)

    def withdrawn(self, representation: str, entry: bytes) -> bytes:
        """Its name, for `removed`."""
        return withdrawn(representation, entry)

    def hotfix(self, file: StoredFile, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        """Fields of the record, under the rules that an upload must keep."""
        return clean_hotfix(file, changes, now=int(self._now() * 1000))

    def render_notices(self, notices: Sequence[Notice], now: int) -> bytes:
        """notices.json (CEP 6)."""
        return notices_json(notices, now)

    def locate(self, rest: str, accept: str, query: str) -> Target | None:
        """Nothing is negotiated: every representation has its own name."""
        return address.locate(rest)

    def location(self, file: StoredFile) -> str:
        """The path; versions may hold `+` and `!`."""
        return quote(file.path, safe="/")

    def routes(self, serve: Services) -> Sequence[BaseRoute]:
        """The uploads that other channel servers take."""
        return dialects.routes(serve)

    def graphql_fields(self, file: StoredFile) -> Mapping[str, Any]:
        """What CondaFile adds."""
        return file_fields(file)

    def facet(self, package: PackageSummary) -> CondaFacet:
        """The subdirs."""
        return CondaFacet(type=self.name, platforms=list(package.platforms))

    def install(self, package: str, channel: str) -> Sequence[str]:
        """For conda, mamba, and in a pixi workspace."""
        name, url = shlex.quote(package.lower()), shlex.quote(channel)
        return [
            f"conda install -c {url} {name}",
            f"mamba install -c {url} {name}",
            f"pixi workspace channel add {url} && pixi add {name}",
        ]
