"""The index documents of a subdir, joined from bytes: shards and their index (CEP 16), repodata.json (CEP 36), run_exports.json (CEP 12).

Those in JSON are made run by run, plain or as one zstd frame, so that a publish makes one run of a large document anew. Both forms are the same text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Protocol

import msgpack
import orjson
from entrepot.plugin import Parts, Pieces, Run

from entrepot_conda import fragment, zstdframe
from entrepot_conda.fragment import Take
from entrepot_conda.record import split_entries

shards_folder = "shards"
shard_version = f"1, {zstdframe.library}"
"""Raise the number when `shard`, or what it calls, makes other bytes of the same entries."""
_run_exports_version = 1
_length = 8
Document = Iterable[bytes | Pieces]


def shard(entries: Sequence[bytes]) -> bytes:
    """All records of one name. The same records make the same bytes."""
    packages, packages_conda, removed = split_entries(entries)
    packer = msgpack.Packer()
    body = b"".join(
        (
            packer.pack_map_header(3),
            packer.pack("packages"),
            packer.pack_map_header(len(packages)),
            *packages,
            packer.pack("packages.conda"),
            packer.pack_map_header(len(packages_conda)),
            *packages_conda,
            packer.pack("removed"),
            packer.pack_array_header(len(removed)),
            *removed,
        )
    )
    return zstdframe.compressor(3).compress(body)


def shard_index(subdir: str, parts: Parts) -> bytes:
    """`repodata_shards.msgpack.zst`. It carries no date: one would tell when a package that the reader may not see has changed.

    Most of it are digests, which nothing compresses: level 3 takes twice as long as 1 and leaves a twentieth less.
    """
    info = {"base_url": "", "shards_base_url": f"./{shards_folder}/", "subdir": subdir}
    packer = msgpack.Packer()
    begin = (packer.pack_map_header(3), packer.pack("info"), packer.pack(info), packer.pack("shards"), packer.pack_map_header(len(parts.names())))
    shards = (piece for run in parts.runs() for piece in run.made("shards", partial(_packed_shards, run.names())).pieces)
    return zstdframe.compressor(1).compress(b"".join((*begin, *shards, packer.pack("version"), packer.pack(1))))


def _packed_shards(names: Sequence[str], digests: Sequence[bytes]) -> Iterator[bytes]:
    """Pairs of the index's map."""
    packer = msgpack.Packer(autoreset=False)
    for name, digest in zip(names, digests, strict=True):
        packer.pack(name)
        packer.pack(digest)
    yield packer.bytes()


def repodata(subdir: str, parts: Parts, form: Form) -> Document:
    """`repodata.json`."""
    return _records(subdir, parts, form, fragment.packages, fragment.packages_conda, "")


def repodata_from_packages(subdir: str, parts: Parts, form: Form) -> Document:
    """The same without hotfixes."""
    return _records(subdir, parts, form, fragment.unpatched_packages, fragment.unpatched_packages_conda, "unpatched ")


def run_exports(subdir: str, parts: Parts, form: Form) -> Document:
    """`run_exports.json`."""
    platform, _, arch = subdir.partition("-")
    info = {"arch": arch or subdir, "platform": platform, "subdir": subdir, "version": _run_exports_version}
    return form.document(_maps(info, parts, form, fragment.packages, fragment.packages_conda, ""), b"}}")


def _records(subdir: str, parts: Parts, form: Form, packages: Take, packages_conda: Take, which: str) -> Document:
    removed = b"".join(piece for run in parts.runs() for piece in run.made("removed", lambda bodies: map(fragment.removed, bodies)).pieces)
    return form.document(
        _maps({"subdir": subdir}, parts, form, packages, packages_conda, which), b'},"removed":[' + removed[1:] + b'],"repodata_version":1}'
    )


def _maps(info: object, parts: Parts, form: Form, packages: Take, packages_conda: Take, which: str) -> Iterator[bytes | Pieces]:
    """All in front of what follows the two maps: texts, and what the form makes of runs."""
    runs = parts.runs()
    yield b'{"info":' + orjson.dumps(info) + b',"packages":{'
    yield from _stretches(runs, form, packages, f"{which}packages")
    yield b'},"packages.conda":{'
    yield from _stretches(runs, form, packages_conda, f"{which}packages.conda")


def _stretches(runs: Sequence[Run], form: Form, take: Take, what: str) -> Iterator[Pieces]:
    """The runs of which something is in a map; the first of them without its first comma."""
    first = True
    for run in runs:
        made = form.stretch(run, take, what, first)
        if made.size:
            first = False
            yield made


class Form(Protocol):
    """How a document is written."""

    def stretch(self, run: Run, take: Take, what: str, first: bool) -> Pieces:
        """One section of a run's fragments, behind PADDING; `what` is the section's name."""

    def document(self, begin: Iterable[bytes | Pieces], end: bytes) -> Document:
        """Texts and stretches as a document."""


class Plain:
    """As it is."""

    def stretch(self, run: Run, take: Take, what: str, first: bool) -> Pieces:
        """See Form."""

        def make(bodies: Sequence[bytes]) -> Iterator[bytes]:
            texts = _texts(bodies, take, first)
            head = next(texts, None)
            if head is not None:
                yield zstdframe.PADDING
                yield head
                yield from texts

        return run.made(f"{what}, first" if first else what, make)

    def document(self, begin: Iterable[bytes | Pieces], end: bytes) -> Document:
        """See Form."""
        yield from begin
        yield end


class Compressed:
    """As one zstd frame. Level 1 makes repodata smaller than 3 does, in half the time."""

    def stretch(self, run: Run, take: Take, what: str, first: bool) -> Pieces:
        """See Form. The length of the text stands in front, and is not sent."""

        def make(bodies: Sequence[bytes]) -> Iterable[bytes]:
            text = b"".join(_texts(bodies, take, first))
            return (len(text).to_bytes(_length, "big"), zstdframe.stretch(text)) if text else ()

        return run.made(f"{what}, zstd, first" if first else f"{what}, zstd", make)

    def document(self, begin: Iterable[bytes | Pieces], end: bytes) -> Document:
        """See Form."""
        held: list[bytes | Pieces] = []
        size = len(end)
        for one in begin:
            if isinstance(one, bytes):
                size += len(one)
                held.append(zstdframe.raw(one))
            else:
                length, *blocks = one.pieces
                size += len(zstdframe.PADDING) + int.from_bytes(length, "big")
                held.append(Pieces(tuple(blocks), one.size - _length, one.digest))
        return [zstdframe.header(size), *held, zstdframe.raw(end), zstdframe.END]


def _texts(bodies: Sequence[bytes], take: Take, first: bool) -> Iterator[bytes]:
    """The sections that are not empty; of the first, if it begins a map, what follows its comma."""
    for body in bodies:
        text = take(body)
        if text:
            yield text[1:] if first else text
            first = False


renderings: dict[str, Callable[[str, Parts], Document]] = {
    "repodata.json": lambda subdir, parts: repodata(subdir, parts, Plain()),
    "repodata.json.zst": lambda subdir, parts: repodata(subdir, parts, Compressed()),
    "repodata_from_packages.json": lambda subdir, parts: repodata_from_packages(subdir, parts, Plain()),
    "run_exports.json": lambda subdir, parts: run_exports(subdir, parts, Plain()),
    "run_exports.json.zst": lambda subdir, parts: run_exports(subdir, parts, Compressed()),
    "repodata_shards.msgpack.zst": lambda subdir, parts: [shard_index(subdir, parts)],
}
"""How each representation of a subdir is rendered."""
