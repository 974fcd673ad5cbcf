"""A file's record in repodata.json and in its shard (CEP 16, 21, 36 and 47), as the bytes that will be joined.

An entry's first byte says where it belongs; the pair of file name and record follows. In JSON there may be more, a line each: the run exports, where
there are any, and the pair as the package has it, where a hotfix says something else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgpack
import orjson
from entrepot.plugin import StoredFile

in_packages = b"t"
"""A .tar.bz2 file: `packages`."""
in_packages_conda = b","
"""A .conda file: `packages.conda`. As the comma in front of a pair it is never cut off: where all is so, entries are joined as they are."""
in_removed = b"r"
"""The name alone of a file that no label offers any more: `removed`."""

_end_of_name = b'":{'


class Split(NamedTuple):
    """Entries by where they belong."""

    packages: list[bytes]
    packages_conda: list[bytes]
    removed: list[bytes]


def entry_bodies(file: StoredFile) -> dict[str, bytes]:
    """The entry of a file in each representation."""
    where = in_packages_conda if file.basename.endswith(".conda") else in_packages
    return {"json": where + _json_lines(file), "msgpack": where + _msgpack_pair(file)}


def split_entries(entries: Sequence[bytes]) -> Split:
    """Entries without their first byte, by where they belong. Those of an older version, which a restatement had to leave, are passed over."""
    packages_conda = [entry[1:] for entry in entries if entry[:1] == in_packages_conda]
    if len(packages_conda) == len(entries):
        return Split([], packages_conda, [])
    split = Split([], [], [])
    places = {in_packages: split.packages.append, in_packages_conda: split.packages_conda.append, in_removed: split.removed.append}
    for entry in entries:
        if place := places.get(entry[:1]):
            place(entry[1:])
    return split


def withdrawn(representation: str, entry: bytes) -> bytes:
    """An entry as it is when no label offers the file: its name is left."""
    if representation == "json":
        return in_removed + entry[1 : entry.index(_end_of_name) + 1]
    unpacker = msgpack.Unpacker()
    unpacker.feed(entry[1:])
    return in_removed + bytes(msgpack.packb(unpacker.unpack()))


def unpatched(file: StoredFile) -> dict[str, Any]:
    """The record as the package has it."""
    index: Mapping[str, Any] = file.attributes["index"]
    return {**index, "indexed_timestamp": file.uploaded_at, "md5": file.md5, "sha256": file.sha256, "size": file.size}


def patched(file: StoredFile) -> dict[str, Any]:
    """The record that is served, with its run exports: what a hotfix says goes before what the package says, and null takes a field away."""
    record = {**unpatched(file), "run_exports": file.attributes["run_exports"], **file.state.get("hotfix", {})}
    return {key: value for key, value in record.items() if value is not None}


def _json_lines(file: StoredFile) -> bytes:
    record = patched(file)
    record.pop("run_exports", None)  # repodata.json never has them (CEP 21)
    name = orjson.dumps(file.basename) + b":"
    exports = file.attributes["run_exports"]  # as they are in the package: run_exports.json is never patched (CEP 12)
    lines = [name + _sorted_json(record)]
    if "hotfix" in file.state:
        lines += [_sorted_json(exports), name + _sorted_json(unpatched(file))]
    elif exports:
        lines.append(_sorted_json(exports))
    return b"\n".join(lines)


def _msgpack_pair(file: StoredFile) -> bytes:
    """Digests as raw bytes; with run_exports."""
    record = orjson.loads(_sorted_json(patched(file)))
    for digest in ("md5", "sha256"):
        record[digest] = bytes.fromhex(record[digest])
    return b"".join(msgpack.packb(part) for part in (file.basename, record))


def _sorted_json(record: Mapping[str, Any]) -> bytes:
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
