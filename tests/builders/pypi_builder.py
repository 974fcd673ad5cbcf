"""Builds wheels and sdists in memory: good ones, and through the keyword tweaks every kind of bad one."""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import io
import re
import tarfile
import zipfile
from collections.abc import Mapping, Sequence


def _escaped(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower()


def build_metadata(
    name: str,
    version: str,
    requires: Sequence[str] = (),
    *,
    metadata_version: str = "2.1",
    headers: Sequence[tuple[str, str]] = (),
    description: str = "",
) -> bytes:
    """A METADATA or PKG-INFO file."""
    lines = [f"Metadata-Version: {metadata_version}", f"Name: {name}", f"Version: {version}", "Summary: A package made by the tests"]
    lines += [f"{header}: {value}" for header, value in headers]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    return ("\n".join(lines) + "\n\n" + description).encode()


def record_line(path: str, body: bytes) -> tuple[str, str, str]:
    """A member's row in RECORD."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()
    return path, f"sha256={digest}", str(len(body))


def build_record(members: Mapping[str, bytes], record_path: str) -> bytes:
    """A RECORD of these members."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerows(record_line(path, body) for path, body in members.items())
    rows.writerow((record_path, "", ""))
    return text.getvalue().encode()


def build_zip(members: Sequence[tuple[str, bytes]], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these members, in this order, duplicates and strange names included."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for path, body in members:
            info = zipfile.ZipInfo(path, (2024, 1, 1, 0, 0, 0))
            info.compress_type = compression
            archive.writestr(info, body)
    return buffer.getvalue()


def build_wheel(
    name: str,
    version: str,
    requires: Sequence[str] = (),
    files: Mapping[str, bytes] | None = None,
    tag: str = "py3-none-any",
    *,
    headers: Sequence[tuple[str, str]] = (),
    metadata_version: str = "2.1",
    description: str = "",
    metadata: bytes | None = None,
    wheel: bytes | None = None,
    record: bytes | None = None,
    dist_info: str | None = None,
    without: Sequence[str] = (),
    more: Sequence[tuple[str, bytes]] = (),
    compression: int = zipfile.ZIP_DEFLATED,
    basename: str | None = None,
) -> tuple[str, bytes]:
    """A wheel as (basename, bytes), with a RECORD that is right.

    Tweaks: `metadata`, `wheel` and `record` replace these files; `dist_info` renames their folder; `without` leaves members out (named within the
    dist-info folder); `more` appends members that no RECORD knows; `basename` renames the wheel.
    """
    stem = f"{_escaped(name)}-{version}"
    folder = dist_info or f"{stem}.dist-info"
    members = dict(files if files is not None else {f"{_escaped(name)}.py": b"answer = 42\n"})
    members[f"{folder}/METADATA"] = (
        metadata
        if metadata is not None
        else build_metadata(name, version, requires, metadata_version=metadata_version, headers=headers, description=description)
    )
    members[f"{folder}/WHEEL"] = (
        wheel if wheel is not None else f"Wheel-Version: 1.0\nGenerator: entrepot-tests\nRoot-Is-Purelib: true\nTag: {tag}\n".encode()
    )
    for path in without:
        members.pop(f"{folder}/{path}", None)
    listed = list(members.items())
    if "RECORD" not in without:
        listed.append((f"{folder}/RECORD", record if record is not None else build_record(members, f"{folder}/RECORD")))
    return basename or f"{stem}-{tag}.whl", build_zip([*listed, *more], compression)


def build_tar(members: Sequence[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    """A gzipped tar of these members, in this order. Same members, same bytes."""
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for info, body in members:
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
    return buffer.getvalue()


def build_sdist(
    name: str,
    version: str,
    requires: Sequence[str] = (),
    files: Mapping[str, bytes] | None = None,
    *,
    headers: Sequence[tuple[str, str]] = (),
    metadata_version: str = "2.2",
    pkg_info: bytes | None = None,
    top: str | None = None,
    without: Sequence[str] = (),
    more: Sequence[tuple[tarfile.TarInfo, bytes]] = (),
    format: str = "tar.gz",
    basename: str | None = None,
) -> tuple[str, bytes]:
    """An sdist as (basename, bytes) that pip can build with setuptools. `format` is tar.gz or zip."""
    stem = f"{_escaped(name)}-{version}"
    folder = top if top is not None else stem
    module = _escaped(name)
    members = {
        "PKG-INFO": pkg_info if pkg_info is not None else build_metadata(name, version, requires, metadata_version=metadata_version, headers=headers),
        "pyproject.toml": b'[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n',
        "setup.py": f"from setuptools import setup\nsetup(name={name!r}, version={version!r}, py_modules=[{module!r}])\n".encode(),
        **(files if files is not None else {f"{module}.py": b"answer = 42\n"}),
    }
    for path in without:
        members.pop(path, None)
    listed = [(f"{folder}/{path}", body) for path, body in members.items()]
    body = build_zip(listed) if format == "zip" else build_tar([*((tarfile.TarInfo(path), body) for path, body in listed), *more])
    return basename or f"{stem}.{format}", body
