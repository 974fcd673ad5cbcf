"""A file's record in repodata.json and in its shard (CEP 16, 21 and 36), as the bytes that will be joined.

An entry's first byte says which of the two maps of a document it belongs to; the rest is the pair of file name and record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgpack
import orjson
from entrepot.plugin import StoredFile

in_packages = b"t"
"""A .tar.bz2 file: `packages`."""
in_packages_conda = b"c"
"""A .conda file: `packages.conda`."""


def entry_bodies(file: StoredFile) -> dict[str, bytes]:
    """The entry of a file in each representation."""
    where = in_packages_conda if file.basename.endswith(".conda") else in_packages
    return {"json": where + _json_pair(file), "msgpack": where + _msgpack_pair(file)}


def split_entries(entries: Iterable[bytes]) -> tuple[list[bytes], list[bytes]]:
    """The pairs for `packages` and for `packages.conda`."""
    packages: list[bytes] = []
    packages_conda: list[bytes] = []
    for entry in entries:
        (packages_conda if entry.startswith(in_packages_conda) else packages).append(entry[1:])
    return packages, packages_conda


def _json_pair(file: StoredFile) -> bytes:
    return orjson.dumps(file.basename) + b":" + _sorted_json(_record(file))


def _msgpack_pair(file: StoredFile) -> bytes:
    """Digests as raw bytes; with run_exports, which repodata.json never has (CEP 21)."""
    record = orjson.loads(_sorted_json({**_record(file), "run_exports": file.attributes["run_exports"]}))
    for digest in ("md5", "sha256"):
        record[digest] = bytes.fromhex(record[digest])
    return b"".join(msgpack.packb(part) for part in (file.basename, record))


def _record(file: StoredFile) -> dict[str, Any]:
    index: Mapping[str, Any] = file.attributes["index"]
    return {**index, "md5": file.md5, "sha256": file.sha256, "size": file.size}


def _sorted_json(record: Mapping[str, Any]) -> bytes:
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
