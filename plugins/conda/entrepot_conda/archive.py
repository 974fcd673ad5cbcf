"""What stands below info/ in a .conda or a .tar.bz2 archive (CEP 35), read within bounds; of the rest, where it would be unpacked.

The bytes are a stranger's: sizes in headers may lie, streams may inflate without end, names may repeat. Whatever a library makes of them leaves
here as InvalidPackage.
"""

from __future__ import annotations

import errno
import os
import sys
from bz2 import BZ2Decompressor
from typing import IO, BinaryIO, NamedTuple, cast

from entrepot.plugin import EntrepotError, Inflated, InvalidPackage, Patience, Readable, TarMember, TarReader, Unpacked

from entrepot_conda.bounds import MiB
from entrepot_conda.contents import Contents, Holds
from entrepot_conda.strictjson import load_object
from entrepot_conda.traits import Traits
from entrepot_conda.ziparchive import check_layout, check_members, open_zip

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

wanted = ("info/index.json", "info/about.json", "info/run_exports.json")
max_info = 64 * MiB
max_document = MiB
_max_metadata = 4096
max_window_log = 27
"""Of the widest that clients read, 128 MiB."""

_once = (*wanted, "info/paths.json", "info/files", "info/has_prefix", "info/no_link", "info/link.json")
_too_large = f"The metadata below info/ is larger than {max_info // MiB} MiB."
_too_inflated = "The archive unpacks to more than a package of its size can hold. Build it again without its padding."
_zip_magic = b"PK\x03\x04"
_bzip2_magic = (b"BZh", b"1AY&SY")  # a digit between them
_bytes_to_find_info = MiB
_directory_reach = 1 << 17  # an archive comment may be 64 KiB long
_spare_members = 30_000
_bytes_a_member = 80  # each file has its digest in paths.json, which nothing compresses
_least_patience = 1.2
_patient_bytes = 6 * MiB
"""For each of which a .conda may take a second of CPU time; usual ones take a twentieth of it."""


class Archive(NamedTuple):
    """What an archive holds for an index."""

    extension: str
    stem: str | None
    """The stem that the members of a .conda carry in their names; a .tar.bz2 has none."""
    documents: dict[str, bytes]
    """`index.json`, `about.json` and `run_exports.json`, as far as they are there."""
    traits: frozenset[str] = frozenset()
    """What it does beside being unpacked."""


def max_content(size: int) -> int:
    """What the pkg archive of a .conda may unpack to, by the size of the .conda."""
    return 1024 * MiB + 64 * size


def max_bunzipped(size: int) -> int:
    """What a .tar.bz2 may unpack to, by its size: bzip2 takes thirty times as long for a byte as zstd."""
    return 64 * MiB + 16 * size


def extension_of(file: BinaryIO) -> str | None:
    """`.conda` for a ZIP archive, `.tar.bz2` for a bzip2 stream, by the first bytes. Leaves the file at its start."""
    file.seek(0)
    head = file.read(10)
    file.seek(0)
    if head.startswith(_zip_magic):
        return ".conda"
    if head.startswith(_bzip2_magic[0]) and head[4:] == _bzip2_magic[1]:
        return ".tar.bz2"
    return None


def looks_like_conda(file: BinaryIO) -> bool:
    """Whether an archive of any name is a conda package, judged by its first MiB or its directory. False for what cannot be read."""
    try:
        if extension_of(file) == ".conda":
            if not _directory_names(file, b"metadata.json"):
                return False
            with open_zip(file) as archive, archive.open("metadata.json") as metadata:
                return "conda_pkg_format_version" in load_object(metadata.read(_max_metadata), "metadata.json")
        if extension_of(file) == ".tar.bz2":
            reader = TarReader(Inflated(Unpacked(file, BZ2Decompressor), _bytes_to_find_info, _too_large), most_members=_spare_members)
            contents = Contents("all", 0)
            return any(contents.place(member) == wanted[0] for member in reader)
    except Exception:  # whatever it is, it is no conda package
        return False
    return False


def _directory_names(file: BinaryIO, name: bytes) -> bool:
    """Whether a name stands where a small ZIP has its directory; much cheaper than reading it, and most archives that come by are wheels."""
    file.seek(max(0, file.seek(0, os.SEEK_END) - _directory_reach))
    return name in file.read(_directory_reach)


def read_archive(file: BinaryIO) -> Archive:
    """Raises InvalidPackage, in a sentence, for whatever is wrong with the archive."""
    extension = extension_of(file)
    if extension is None:
        raise InvalidPackage("This is no conda package: a .conda file is a ZIP archive, a .tar.bz2 file a bzip2 stream.")
    try:
        return _read_zip(file) if extension == ".conda" else _read_bzip2(file)
    except (EntrepotError, MemoryError):
        raise
    except Exception as error:  # zipfile, zstandard and bz2 raise a dozen kinds, RuntimeError and KeyError among them
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise  # our disk's trouble; bz2 raises OSError without a number, and a seek to where a ZIP lies EINVAL
        raise InvalidPackage(
            f"The {extension} archive is damaged or cut short ({error or type(error).__name__}). Build or upload it again."
        ) from error


def _read_zip(file: BinaryIO) -> Archive:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    patience = Patience(max(_least_patience, size / _patient_bytes))
    with open_zip(file) as archive:
        stem = check_members(archive)
        check_layout(archive, file)
        with archive.open("metadata.json") as metadata:
            body = metadata.read(_max_metadata + 1)
        if len(body) > _max_metadata:
            raise InvalidPackage(f"metadata.json is larger than {_max_metadata} bytes: it has one number to tell.")
        version = load_object(body, "metadata.json").get("conda_pkg_format_version")
        if version != 2:
            raise InvalidPackage(f"metadata.json says conda_pkg_format_version {str(version)[:20]!r}; this server reads version 2.")
        traits = Traits()
        with archive.open(f"info-{stem}.tar.zst") as info:
            documents = _read_half(Inflated(_unzstd(info), max_info, _too_large, patience), "info", stem, size, traits)
        with archive.open(f"pkg-{stem}.tar.zst") as pkg:
            _read_half(Inflated(_unzstd(pkg), max_content(size), _too_inflated, patience), "pkg", stem, size, traits)
    return Archive(".conda", stem, documents, frozenset(traits.held))


def _unzstd(member: IO[bytes]) -> Unpacked:
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: max_window_log}
    return Unpacked(cast(Readable, member), lambda: zstd.ZstdDecompressor(options=options))


def _read_half(source: Readable, half: Holds, stem: str, size: int, traits: Traits) -> dict[str, bytes]:
    try:
        return _collect(source, half, size, traits)
    except zstd.ZstdError as error:
        name = f"{half}-{stem}.tar.zst"
        raise InvalidPackage(f"{name} is damaged or not compressed with zstd ({error}). Build or upload the file again.") from error


def _read_bzip2(file: BinaryIO) -> Archive:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    traits = Traits()
    documents = _collect(Inflated(Unpacked(file, BZ2Decompressor), max_bunzipped(size), _too_inflated), "all", size, traits)
    return Archive(".tar.bz2", None, documents, frozenset(traits.held))


def _collect(source: Readable, holds: Holds, size: int, traits: Traits) -> dict[str, bytes]:
    """The wanted documents. The archive is walked to its end, for a client unpacks it to its end."""
    reader = TarReader(source, most_members=_spare_members + size // _bytes_a_member)
    contents = Contents(holds, size)
    seen: set[str] = set()
    found: dict[str, bytes] = {}
    for member in reader:
        path = contents.place(member)
        folded = path.lower()
        if folded in _once and folded in seen:
            raise InvalidPackage(f"The archive holds {folded} twice.")
        if folded in _once:
            seen.add(folded)
            if member.kind != "file":
                raise InvalidPackage(f"{path} must be a regular file.")
        if folded in wanted:
            found[folded.removeprefix("info/")] = _content(reader, member, path)
        elif path == "info/paths.json":
            traits.scan(reader.pieces())
        else:
            traits.see(path)
    reader.finish()
    contents.finish()
    return found


def _content(reader: TarReader, member: TarMember, path: str) -> bytes:
    if path not in wanted:
        raise InvalidPackage(f"The archive holds {path}, which some systems take for {path.lower()}.")
    if member.size > max_document:
        raise InvalidPackage(f"{path} is larger than {max_document // MiB} MiB.")
    return reader.read()
