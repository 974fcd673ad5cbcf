"""Hundreds of good conda packages: plain ones, and every odd thing that the CEPs allow or that old packages do."""

from __future__ import annotations

import bz2
import io
import itertools
import json
import tarfile
from collections.abc import Iterator, Mapping
from typing import Any

import zstandard
from conda_builder import build_conda, index_json, info_documents, pack_conda

ODD: Mapping[str, Mapping[str, Any]] = {
    "plain": {},
    "depends": {"depends": ["python >=3.9,<4", "numpy 1.26.*", "foo[version='>=1',build='py*']", "conda-forge::bar", "Jinja2", "*"]},
    "no-depends": {"depends": None},
    "many-depends": {"depends": [f"package-{number} >={number}" for number in range(300)]},
    "constrains": {"constrains": ["baz <2", "__glibc >=2.17"]},
    "no-constrains": {"constrains": []},
    "null-constrains": {"constrains": None},
    "_underscore": {},
    "dots.and-dashes_all": {},
    "7zip": {},
    "a": {},
    "features": {"features": "mkl vc14", "track_features": "mkl"},
    "track-list": {"track_features": ["mkl", "vc14"]},
    "track-nothing": {"track_features": ""},
    "track-empty-list": {"track_features": []},
    "noarch-true": {"noarch": True, "subdir": "noarch"},
    "noarch-python": {"noarch": "python", "subdir": "noarch", "python_site_packages_path": "lib/python3.13t/site-packages"},
    "noarch-false": {"noarch": False, "subdir": "linux-64"},
    "license-list": {"license": ["MIT", "BSD-3-Clause"]},
    "license-none": {"license": None, "license_family": "Other"},
    "in-seconds": {"timestamp": 1_420_070_400},
    "timeless": {"timestamp": None},
    "build-number": {"build_number": 2**40},
    "unknown-keys": {"x-custom": {"deep": [1, -2.5, None, True, {"ü": "☃"}]}, "empty": {}, "large": 2**63 - 1, "small": -(2**63) + 1},
    "purl": {"purls": ["pkg:pypi/requests@2.31.0"]},
    "deprecated": {"preferred_env": None, "requires": [], "auxiliary": True, "schema_version": 1},
    "dropped": {"has_prefix": True, "ucs": 4, "mtime": 1, "machine": "x86_64", "operatingsystem": "linux", "target-triplet": "x"},
    "claims": {"md5": "0" * 32, "sha256": "0" * 64, "size": 1, "url": "https://example.org/x", "channel": "elsewhere", "fn": "x"},
    "claims-more": {"urls": ["https://example.org/x"], "filename": "x", "schannel": "x", "attestations_sha256": 5},
    "claims-of-installers": {"package_type": "noarch_python", "build_string": "x"},
    "old": {"requires": ["foo", "bar 1.*"], "date": "2013-05-21", "preferred_env": "_x_", "record_version": 1},
    "later": {"flags": [], "extra_depends": {}, "extra-depends": {}},
    "exports": {},
}
"""What index.json says besides, by the name of the package."""

_versions = ("1.0", "1!2.0", "2.0+cuda.12", "1.0rc1", "2024.1.post2", "1.0_")
_subdirs = ("linux-64", "noarch", "osx-arm64", "win-64")


def varied() -> Iterator[tuple[str, str, bytes]]:
    """Packages as (subdir, basename, bytes): 396 of odd metadata, and a few of odd archives."""
    for turn, (name, version, ext) in enumerate(itertools.product(ODD, _versions, (".conda", ".tar.bz2"))):
        index = dict(ODD[name])
        subdir = index.pop("subdir", _subdirs[turn % len(_subdirs)])
        info = {"run_exports.json": json.dumps({"weak": [f"{name} >={version}"]}).encode()} if name == "exports" else {}
        yield subdir, *build_conda(name, version, f"h{turn:04x}_{turn}", subdir, ["foo"] if turn % 3 else [], ext=ext, index=index, info=info)
    yield "linux-64", *_info_last()
    yield "linux-64", *_pax_headers(".conda")
    yield "linux-64", *_pax_headers(".tar.bz2")


def _documents(name: str) -> dict[str, bytes]:
    documents = info_documents(index_json(name, "1.0", "0", "linux-64", ["foo"], {}), {})
    return {f"info/{path}": body for path, body in documents.items()}


def _info_last() -> tuple[str, bytes]:
    """As the first packers wrote it."""
    files = {"bin/foo": b"#!/bin/sh\n" * 1000, **_documents("info-last")}
    return "info-last-1.0-0.tar.bz2", bz2.compress(_pax_tar(files, tarfile.USTAR_FORMAT))


def _pax_headers(ext: str) -> tuple[str, bytes]:
    """Long paths, names that are no ASCII, and times with fractions, each of which takes a header of its own."""
    files = {f"share/{'long/' * 20}{number}/ünï ☃": b"x" for number in range(40)}
    stem = "pax-headers-1.0-0"
    if ext == ".conda":
        compressed = (zstandard.compress(_pax_tar(half, tarfile.PAX_FORMAT)) for half in (files, _documents("pax-headers")))
        names = (f"pkg-{stem}.tar.zst", f"info-{stem}.tar.zst")
        return stem + ext, pack_conda(
            stem, info=b"", members=[("metadata.json", b'{"conda_pkg_format_version": 2}'), *zip(names, compressed, strict=True)]
        )
    return stem + ext, bz2.compress(_pax_tar({**_documents("pax-headers"), **files}, tarfile.PAX_FORMAT))


def _pax_tar(files: Mapping[str, bytes], format: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format) as archive:
        for name, body in files.items():
            member = tarfile.TarInfo(name)
            member.mtime, member.size = 1_700_000_000.25 if format == tarfile.PAX_FORMAT else 1_700_000_000, len(body)
            archive.addfile(member, io.BytesIO(body))
    return buffer.getvalue()
