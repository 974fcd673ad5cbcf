"""RECORD: what a wheel says it holds, checked against what it holds."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Iterator, Set

from entrepot.plugin import InvalidPackage

from entrepot_pypi.ziparchive import ZipArchive
from entrepot_pypi.zipmember import ZipMember

_largest = 16 << 20
_longest_line = 8 << 10
_most_lines = 100_000
_algorithms = ("sha256", "sha384", "sha512")


def check_record(archive: ZipArchive, dist_info: str) -> None:
    """Each file of the wheel is listed with its digest, each listed file is there, and each digest is right. Raises InvalidPackage."""
    path = f"{dist_info}/RECORD"
    if path not in archive.members:
        raise InvalidPackage(f"The wheel holds no {path}. Build it again.")
    unlisted = {path, f"{path}.jws", f"{path}.p7s"}  # a RECORD cannot hold its own digest, nor that of its signatures
    listed = _rows(archive.read(path, _largest), path, archive.members.keys() | unlisted)
    for member in archive.members.values():
        if member.is_folder or member.name in unlisted:
            archive.check(member)  # no row tells of it, and installers refuse what is damaged all the same
            continue
        if member.name not in listed:
            raise InvalidPackage(f"{member.name!r} is in the wheel, and RECORD does not list it.")
        _check_member(archive, member, *listed[member.name])


def _rows(body: bytes, path: str, known: Set[str]) -> dict[str, tuple[str, str]]:
    """Digest and size by name; of a name that is not known none is kept. A name may be listed twice if both rows say the same."""
    rows: dict[str, tuple[str, str]] = {}
    try:
        for line in _lines(body, path):
            row = next(csv.reader((line,), strict=True), ())
            if not row:
                continue
            name, digest, size = row
            if name not in known:
                raise InvalidPackage(f"RECORD lists {name[:200]!r}, which is not in the wheel.")
            if rows.setdefault(name, (digest, size)) != (digest, size):
                raise InvalidPackage(f"RECORD lists {name[:200]!r} twice, and differently.")
    except (ValueError, csv.Error) as error:
        raise InvalidPackage(
            f"{path} cannot be read: it must be UTF-8 text with three columns, name, digest and size ({str(error)[:200]})."
        ) from error
    return rows


def _lines(body: bytes, path: str) -> Iterator[str]:
    """One after the other, so that no row takes memory; a row that goes on in another line would be of a name with a line's end in it."""
    if body.count(b"\n") > _most_lines:
        raise InvalidPackage(f"{path} has more than {_most_lines} lines.")
    lines = io.BytesIO(body)
    while line := lines.readline(_longest_line + 1):
        if len(line) > _longest_line:
            raise InvalidPackage(f"{path} has a line of more than {_longest_line} bytes.")
        yield line.decode()


def _check_member(archive: ZipArchive, member: ZipMember, digest: str, size: str) -> None:
    name = member.name
    algorithm, _, expected = digest.partition("=")
    if algorithm not in _algorithms:
        raise InvalidPackage(f"RECORD has no digest of {name!r} that can be trusted: it must be one of {', '.join(_algorithms)}.")
    if size and size != str(member.size):
        raise InvalidPackage(f"RECORD says that {name!r} has {size[:20]} bytes; it has {member.size}.")
    hasher = hashlib.new(algorithm)
    for piece in archive.pieces(member):
        hasher.update(piece)
    if not _is_digest(expected, hasher.digest()):
        raise InvalidPackage(f"RECORD has another digest of {name!r} than the file in the wheel. Build the wheel again instead of changing it.")


def _is_digest(text: str, digest: bytes) -> bool:
    """Whether this is how RECORD spells a digest: base64 for URLs. As text, since decoders pass over what is no base64, and some readers compare."""
    spelled = base64.urlsafe_b64encode(digest).decode()
    return text in (spelled, spelled.rstrip("="))
