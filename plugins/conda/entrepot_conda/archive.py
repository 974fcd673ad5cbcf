"""What stands below info/ in a .conda or a .tar.bz2 archive (CEP 35), read within bounds.

The bytes are a stranger's: sizes in headers may lie, streams may inflate without end, names may repeat. Whatever a library makes of them leaves
here as InvalidPackage.
"""

from __future__ import annotations

import errno
import os
import tarfile
import zipfile
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO, NamedTuple, cast

import zstandard
from conda_package_handling.utils import is_info_member_path
from conda_package_streaming.package_streaming import tar_generator
from entrepot.plugin import EntrepotError, InvalidPackage

from entrepot_conda.bounds import Bunzip, Inflated, MiB, Readable, ShortReads, member_class
from entrepot_conda.strictjson import load_object

wanted = ("info/index.json", "info/about.json", "info/run_exports.json")
max_info = 64 * MiB
max_document = MiB
max_members = 200_000
max_window = 1 << 27

_too_large = f"The metadata below info/ is larger than {max_info // MiB} MiB."
_zip_magic = b"PK\x03\x04"
_bzip2_magic = (b"BZh", b"1AY&SY")  # a digit between them
_zstd_magic = b"\x28\xb5\x2f\xfd"
_bzip2_end = 0x177245385090
_bytes_to_find_info = MiB
_directory_reach = 1 << 17  # an archive comment may be 64 KiB long


class Archive(NamedTuple):
    """What an archive holds for an index."""

    extension: str
    stem: str | None
    """The stem that the members of a .conda carry in their names; a .tar.bz2 has none."""
    documents: dict[str, bytes]
    """`index.json`, `about.json` and `run_exports.json`, as far as they are there."""


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
            with _open_zip(file) as archive, archive.open("metadata.json") as metadata:
                return "conda_pkg_format_version" in load_object(metadata.read(4096), "metadata.json")
        if extension_of(file) == ".tar.bz2":
            return any(_path(member) == wanted[0] for _, member in _members(Inflated(Bunzip(file), _bytes_to_find_info, _too_large)))
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
    except Exception as error:  # zipfile, tarfile, zstandard and bz2 raise a dozen kinds, RuntimeError and KeyError among them
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise  # our disk's trouble; bz2 raises OSError without a number, and a seek to where a ZIP lies EINVAL
        raise InvalidPackage(
            f"The {extension} archive is damaged or cut short ({error or type(error).__name__}). Build or upload it again."
        ) from error


def _read_zip(file: BinaryIO) -> Archive:
    with _open_zip(file) as archive:
        stem = _check_members(archive)
        with archive.open("metadata.json") as metadata:
            version = load_object(metadata.read(4096), "metadata.json").get("conda_pkg_format_version")
        if version != 2:
            raise InvalidPackage(f"metadata.json says conda_pkg_format_version {str(version)[:20]!r}; this server reads version 2.")
        with archive.open(f"pkg-{stem}.tar.zst") as pkg:
            if pkg.read(4) != _zstd_magic:
                raise InvalidPackage(f"pkg-{stem}.tar.zst is not compressed with zstd.")
        with archive.open(f"info-{stem}.tar.zst") as info:
            reader = zstandard.ZstdDecompressor(max_window_size=max_window).stream_reader(info, read_across_frames=True)
            documents = _collect(Inflated(cast(Readable, reader), max_info, _too_large), stop_early=False)
    return Archive(".conda", stem, documents)


def _open_zip(file: BinaryIO) -> zipfile.ZipFile:
    return zipfile.ZipFile(cast(BinaryIO, ShortReads(file)))


def _check_members(archive: zipfile.ZipFile) -> str:
    """The stem in the members' names. Raises InvalidPackage unless there are exactly the three of CEP 35, stored as they are."""
    members = archive.infolist()
    names = sorted(member.filename for member in members)
    stem = names[0].removeprefix("info-").removesuffix(".tar.zst") if names else ""
    if names != [f"info-{stem}.tar.zst", "metadata.json", f"pkg-{stem}.tar.zst"]:
        held = ", ".join(names[:5])[:300] or "nothing"
        raise InvalidPackage(f"A .conda file holds exactly metadata.json, one info-….tar.zst and one pkg-….tar.zst; this one holds {held}.")
    if any(member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1 for member in members):
        raise InvalidPackage("The members of a .conda file must be stored, neither compressed nor encrypted (CEP 35).")
    if min(member.header_offset for member in members) != 0:
        raise InvalidPackage("Something stands in front of the ZIP archive: a .conda file holds nothing else.")
    if archive.getinfo(names[0]).file_size > max_info:
        raise InvalidPackage(_too_large)
    return stem


def _read_bzip2(file: BinaryIO) -> Archive:
    size = file.seek(0, 2)
    file.seek(max(0, size - 11))
    if not _ends_bzip2(file.read(11)):
        raise InvalidPackage("The .tar.bz2 archive is cut short: it lacks bzip2's end mark. Upload it again.")
    file.seek(0)
    # Metadata in front is the rule. Where it is not, all before it must be inflated: allow what real packages need.
    source = Inflated(Bunzip(file), max_info + 32 * size, "The archive unpacks to too much before its metadata ends. Rebuild the package as .conda.")
    return Archive(".tar.bz2", None, _collect(source, stop_early=True))


def _ends_bzip2(tail: bytes) -> bool:
    """Whether the end mark, a checksum of 32 bits and less than a byte of padding end the file. The mark stands at any bit."""
    number = int.from_bytes(tail, "big")
    return any(number >> shift & 0xFFFFFFFFFFFF == _bzip2_end for shift in range(32, 40))


def _collect(source: Readable, *, stop_early: bool) -> dict[str, bytes]:
    """The wanted documents. `stop_early`: what follows the metadata in front of an archive is not read."""
    found: dict[str, bytes] = {}
    outside = False
    for tar, member in _members(source):
        path = _path(member)
        if path in found:
            raise InvalidPackage(f"The archive holds {path} twice.")
        if path in wanted:
            found[path] = _content(tar, member, path)
        if not (member.isdir() or is_info_member_path(path)):
            if stop_early and not outside and wanted[0] in found:
                break
            outside = True
    return {path.removeprefix("info/"): body for path, body in found.items()}


def _members(source: Readable) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    opener = partial(tarfile.TarFile.open, tarinfo=member_class())
    for count, (tar, member) in enumerate(tar_generator(source, opener), 1):
        if count > max_members:
            raise InvalidPackage(f"The archive holds more than {max_members} members.")
        yield tar, member
        cast(list[tarfile.TarInfo], tar.members).clear()  # tarfile keeps them all otherwise


def _path(member: tarfile.TarInfo) -> str:
    """The member's path without a leading `./`. Raises InvalidPackage for one that points out of the package."""
    path = member.name.removeprefix("./")
    if path.startswith("/") or ".." in path.split("/"):
        raise InvalidPackage(f"The archive holds a file outside of the package: {member.name[:200]!r}.")
    return path


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> bytes:
    if not member.isreg():
        raise InvalidPackage(f"{path} must be a regular file.")
    if member.size > max_document:
        raise InvalidPackage(f"{path} is larger than {max_document // MiB} MiB.")
    stream = tar.extractfile(member)
    body = stream.read() if stream else b""
    if len(body) != member.size:
        raise InvalidPackage(f"{path} is cut short.")
    return body
