"""Builds real conda packages in memory: installable by conda, mamba and rattler, and easy to spoil for a test of bad input."""

from __future__ import annotations

import bz2
import hashlib
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import zstandard

timestamp = 1_700_000_000_000
"""Milliseconds since 1970 that every built package carries, so that the same call makes the same bytes."""


def build_conda(
    name: str,
    version: str,
    build: str = "0",
    subdir: str = "noarch",
    depends: Sequence[str] = (),
    files: Mapping[str, bytes] | None = None,
    ext: str = ".conda",
    index: Mapping[str, Any] | None = None,
    info: Mapping[str, bytes | None] | None = None,
) -> tuple[str, bytes]:
    """A package as (basename, bytes).

    `files` are what it installs, by path below the prefix; `index` overrides keys of info/index.json; `info` adds files below info/,
    or leaves one out (None).
    """
    files = {f"share/{name}/{version}.txt": f"{name} {version}\n".encode()} if files is None else files
    stem = f"{name}-{version}-{build}"
    documents = info_documents(index_json(name, version, build, subdir, depends, index or {}), files)
    for path, body in (info or {}).items():
        if body is None:
            documents.pop(path, None)
        else:
            documents[path] = body
    below_info = {f"info/{path}": body for path, body in documents.items()}
    if ext == ".conda":
        return stem + ext, pack_conda(stem, info=tar(below_info), pkg=tar(files))
    return stem + ext, bz2.compress(tar({**below_info, **files}))


def index_json(name: str, version: str, build: str, subdir: str, depends: Sequence[str], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """What info/index.json says."""
    number = re.search(r"\d+$", build)
    index: dict[str, Any] = {
        "arch": None if subdir == "noarch" else subdir.rpartition("-")[2],
        "build": build,
        "build_number": int(number[0]) if number else 0,
        "depends": list(depends),
        "license": "MIT",
        "name": name,
        "platform": None if subdir == "noarch" else subdir.partition("-")[0],
        "subdir": subdir,
        "timestamp": timestamp,
        "version": version,
    }
    if subdir == "noarch":
        index["noarch"] = "generic"
    return {**index, **overrides}


def info_documents(index: Mapping[str, Any], files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files below info/, by their names there."""
    paths = [
        {"_path": path, "path_type": "hardlink", "sha256": hashlib.sha256(body).hexdigest(), "size_in_bytes": len(body)}
        for path, body in sorted(files.items())
    ]
    documents: dict[str, Any] = {
        "index.json": index,
        "paths.json": {"paths": paths, "paths_version": 1},
        "about.json": {"home": "https://example.org", "license": "MIT", "summary": f"The {index['name']} of the tests"},
    }
    bodies = {name: json.dumps(document, sort_keys=True).encode() for name, document in documents.items()}
    return {**bodies, "files": "".join(path + "\n" for path in sorted(files)).encode()}


def tar(files: Mapping[str, bytes] | Iterable[tuple[str | tarfile.TarInfo, bytes]]) -> bytes:
    """A tar archive in the order given; pairs may repeat a name, and a TarInfo makes a member of any kind."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, body in files.items() if isinstance(files, Mapping) else files:
            member = tarfile.TarInfo(name) if isinstance(name, str) else name
            member.mtime = timestamp // 1000
            if member.isreg():
                member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    return buffer.getvalue()


def pack_conda(
    stem: str,
    *,
    info: bytes,
    pkg: bytes | None = None,
    level: int = 3,
    members: Iterable[tuple[str, bytes]] | None = None,
    compression: int = zipfile.ZIP_STORED,
) -> bytes:
    """A .conda from two tar archives; `members` replaces what stands in the ZIP altogether."""
    if members is None:
        compress = zstandard.ZstdCompressor(level=level).compress
        members = [
            ("metadata.json", b'{"conda_pkg_format_version": 2}'),
            (f"pkg-{stem}.tar.zst", compress(tar({}) if pkg is None else pkg)),
            (f"info-{stem}.tar.zst", compress(info)),
        ]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression=compression) as archive:
        for name, body in members:
            archive.writestr(zipfile.ZipInfo(name), body, compress_type=compression)
    return buffer.getvalue()
