"""Small real packages, made as fast as they are wanted."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import zipfile
from base64 import urlsafe_b64encode
from pathlib import Path

import zstandard

WHEEL = b"Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def wheel(name: str, version: str, *, weight: int = 0) -> tuple[str, bytes]:
    """A pure Python wheel: its basename and its bytes. `weight` adds a stored member of so many bytes."""
    info = f"{name}-{version}.dist-info"
    members = {
        f"{name}/__init__.py": f'"""{name}."""\n__version__ = "{version}"\n'.encode(),
        f"{info}/METADATA": metadata(name, version),
        f"{info}/WHEEL": WHEEL,
    }
    if weight:
        members[f"{name}/data.bin"] = (os.urandom(min(weight, 1 << 20)) * (weight // (1 << 20) + 1))[:weight]
    record = "".join(f"{path},sha256={digest(body)},{len(body)}\n" for path, body in members.items()) + f"{info}/RECORD,,\n"
    return f"{name}-{version}-py3-none-any.whl", archive({**members, f"{info}/RECORD": record.encode()})


def write_wheel(path: Path, name: str, version: str, weight: int) -> None:
    """As `wheel`, into a file: so large (in whole MiB) that it should not be held in memory."""
    info, block, held = f"{name}-{version}.dist-info", os.urandom(1 << 20), hashlib.sha256()
    with zipfile.ZipFile(path, "w") as archive:
        with archive.open(f"{name}/data.bin", "w", force_zip64=True) as member:
            for _ in range(weight >> 20):
                member.write(block)
                held.update(block)
        record = f"{name}/data.bin,sha256={encoded(held.digest())},{weight}\n"
        for each, body in ((f"{info}/METADATA", metadata(name, version)), (f"{info}/WHEEL", WHEEL)):
            archive.writestr(each, body)
            record += f"{each},sha256={digest(body)},{len(body)}\n"
        archive.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")


def metadata(name: str, version: str) -> bytes:
    """Core metadata with a word in the fields that an index shows."""
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: Measured\nRequires-Python: >=3.9\n\nA small package.\n".encode()


def digest(body: bytes) -> str:
    """A digest as RECORD writes it."""
    return encoded(hashlib.sha256(body).digest())


def encoded(raw: bytes) -> str:
    """Base64 as RECORD writes it."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def conda(name: str, version: str, *, rich: bool = False) -> tuple[str, bytes]:
    """A noarch .conda package: its basename and its bytes. `rich`: with what makes a record as long as most are (about 500 bytes)."""
    stem = f"{name}-{version}-py_0"
    index = {
        "name": name,
        "version": version,
        "build": "py_0",
        "build_number": 0,
        "depends": ["python >=3.9"],
        "subdir": "noarch",
        "noarch": "python",
    }
    if rich:
        depends = ["python >=3.9", "numpy >=1.22,<3", "pandas >=1.5.3", "requests >=2.28,<3.0a0", "typing_extensions >=4.4.0"]
        index |= {"depends": depends, "license": "BSD-3-Clause", "license_family": "BSD", "timestamp": 1_700_000_000_000}
    code = f'__version__ = "{version}"\n'.encode()
    paths = {
        "paths": [
            {"_path": f"site-packages/{name}.py", "path_type": "hardlink", "sha256": hashlib.sha256(code).hexdigest(), "size_in_bytes": len(code)}
        ]
    }
    info = {"info/index.json": json.dumps(index).encode(), "info/paths.json": json.dumps({**paths, "paths_version": 1}).encode()}
    members = {
        "metadata.json": b'{"conda_pkg_format_version": 2}',
        f"pkg-{stem}.tar.zst": tarball({f"site-packages/{name}.py": code}),
        f"info-{stem}.tar.zst": tarball(info),
    }
    return f"{stem}.conda", archive(members)


def tarball(members: dict[str, bytes]) -> bytes:
    """A tar archive, compressed with zstd."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for path, body in members.items():
            member = tarfile.TarInfo(path)
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    return zstandard.compress(out.getvalue(), 3)


def archive(members: dict[str, bytes]) -> bytes:
    """A zip archive, not compressed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:
        for path, body in members.items():
            zipped.writestr(zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0)), body)
    return out.getvalue()
