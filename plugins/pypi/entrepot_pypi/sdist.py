"""Source distributions: PEP 625, and the older spellings and zip files that came before it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import replace
from typing import Any, BinaryIO

from entrepot.plugin import InvalidPackage, Objection, Patience, StoredFile, Strictness, TarMember
from packaging.version import Version

from entrepot_pypi import allowance, metadata
from entrepot_pypi.membername import check_folders, check_link, check_name, check_spelling
from entrepot_pypi.name import normalized
from entrepot_pypi.registryrules import sdist_objections
from entrepot_pypi.tararchive import opened
from entrepot_pypi.version import is_same, parsed
from entrepot_pypi.ziparchive import ZipArchive
from entrepot_pypi.zipend import has_end

_most_letters = 8 << 20
_endings = (".tar.gz", ".zip")
_filename = re.compile(r"([A-Za-z0-9][A-Za-z0-9._+!-]*-[A-Za-z0-9._+!]+)\.(tar\.gz|zip)")


def stem(basename: str) -> str | None:
    """The `name-version` of an sdist's filename; None for what is not named so."""
    match = _filename.fullmatch(basename)
    return match[1] if match and re.search(r"-v?[0-9]", match[1]) else None


def inspect_sdist(file: BinaryIO, basename: str) -> tuple[bytes, metadata.Description, dict[str, Any]]:
    """An sdist's PKG-INFO, what it says, and attributes. Raises InvalidPackage."""
    name_and_version = stem(basename)
    if name_and_version is None:
        raise InvalidPackage(f"{basename[:200]!r} is not the filename of an sdist: it is name-version.tar.gz, for example foo_bar-1.0.tar.gz.")
    patience = allowance.patience(file)
    body, names = (_read_zip if basename.endswith(".zip") else _read_tar)(file, patience)
    top = _top(names)
    description = metadata.describe(body, f"{top}/PKG-INFO", patience)
    _check_identity(description, name_and_version, basename)
    objections = (*_license_file_objections(names, top, description), *sdist_objections(basename, description.name, description.version))
    description = replace(description, objections=(*description.objections, *objections))
    return body, description, {"packagetype": "sdist", "python_tag": "source"}


def sibling_objections(file: StoredFile, siblings: Sequence[str]) -> Iterator[Objection]:
    """A release has one sdist: of several, installers build whichever they come upon first."""
    other = next((path for path in siblings if path.endswith(_endings)), None)
    if other is not None and file.path.endswith(_endings):
        yield Objection(
            Strictness.PRIVATE,
            f"The release {file.version} of {file.name} has the sdist {other}, and a release has one alone. "
            f"Raise the version, or remove {other} before you publish {file.path}.",
        )


def _license_file_objections(names: Set[str], top: str, description: metadata.Description) -> Iterator[Objection]:
    """PEP 639."""
    for path in description.license_files:
        if f"{top}/{path}" not in names:
            yield Objection(Strictness.PRIVATE, f"PKG-INFO names the license file {path!r}, and the sdist has no {top}/{path}.")
            return


def _read_zip(file: BinaryIO, patience: Patience) -> tuple[bytes, set[str]]:
    """PKG-INFO, and the names of all members. Every member is read, so that damage shows."""
    archive = ZipArchive(file, patience)
    path = f"{_top(archive.members)}/PKG-INFO"
    if path not in archive.members:
        raise InvalidPackage(f"The sdist holds no {path}. Build it again.")
    body = archive.read(path, metadata.largest)
    for member in archive.members.values():
        archive.check(member)
    return body, set(archive.members)


def _read_tar(file: BinaryIO, patience: Patience) -> tuple[bytes, set[str]]:
    """PKG-INFO, and the names of all members."""
    if has_end(file):
        raise InvalidPackage("The file is both a tar and a zip archive: what is in it depends on the reader.")
    body: bytes | None = None
    names: set[str] = set()
    letters = 0
    reader = opened(file, patience)
    for member in reader:
        name = _checked_name(member)
        letters += len(name)
        if letters > _most_letters:
            raise InvalidPackage(f"The names in the tar archive have more than {_most_letters} characters together.")
        if name in names and member.kind != "folder":
            raise InvalidPackage(f"The sdist holds {name!r} twice: which one counts depends on the reader.")
        names.add(name)
        if member.kind == "file" and name.count("/") == 1 and name.endswith("/PKG-INFO"):
            if member.size > metadata.largest:
                raise InvalidPackage(f"{name} is larger than {metadata.largest} bytes.")
            body = reader.read()
    reader.finish()
    check_folders(names)
    if body is None:
        raise InvalidPackage(f"The sdist holds no {_top(names)}/PKG-INFO. Build it again.")
    return body, names


def _checked_name(member: TarMember) -> str:
    """The member's name, of a folder with a slash behind it."""
    check_name(member.path)
    if member.kind == "hardlink":
        raise InvalidPackage(f"{member.path[:200]!r} in the archive is a hard link: an sdist holds files, folders and symbolic links.")
    name = member.path.removeprefix("./").rstrip("/")
    if member.kind != "folder" and (name in ("", ".") or member.path.endswith("/")):
        raise InvalidPackage(f"The archive holds a {member.kind} with the name of a folder, {member.path[:200]!r}: readers disagree on what it is.")
    if name not in ("", "."):
        check_spelling(name)
    if member.kind == "symlink":
        check_link(name, member.target)
    return f"{name}/" if member.kind == "folder" else name


def _top(names: Iterable[str]) -> str:
    """The one folder that everything is in."""
    tops = {name.partition("/")[0] for name in names} - {"", "."}
    if len(tops) != 1:
        raise InvalidPackage(
            f"An sdist holds one folder, name-version, with everything in it; this one holds {', '.join(sorted(tops)[:5]) or 'nothing'}."
        )
    return tops.pop()


def _check_identity(description: metadata.Description, name_and_version: str, basename: str) -> None:
    """Before PEP 625 names kept their dashes, and versions their spelling: any way to part the two will do."""
    version: Version = parsed(description.version)
    dashes = [match.start() for match in re.finditer("-", name_and_version)]
    if not any(
        normalized(name_and_version[:dash]) == normalized(description.name) and is_same(name_and_version[dash + 1 :], version) for dash in dashes
    ):
        raise InvalidPackage(
            f"PKG-INFO says that this is {description.name} {description.version}, and the filename {basename!r} says something else. "
            "Build the sdist again instead of renaming it."
        )
