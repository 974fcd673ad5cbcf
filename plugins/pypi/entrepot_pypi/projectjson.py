"""The older JSON documents, `/pypi/<project>/json` and `/pypi/<project>/<version>/json`: nobody has specified them, and tools still read them.

An entry is what one file brings to them, six lines of bytes:

    the canonical version, the version for people, `1` for a pre-release, the yank, the sidecar with the README (`<sha256> <size>`),
    what the file's metadata says of the release, the record of the file but for its URL, the quoted filename

Entries come in the order of versions, and within one wheels first (`PypiType.entries`): a wheel's metadata is final, so it speaks for the release. A
project in quarantine has none, and no document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson
from entrepot.plugin import RenderContext, StoredExtra, StoredFile

from entrepot_pypi.page import core_metadata, upload_time, yanked
from entrepot_pypi.readme import sidecar_of, source_of
from entrepot_pypi.version import canonical, parsed

_texts = (
    *("author", "author_email", "description_content_type", "download_url", "home_page", "license", "maintainer", "maintainer_email"),
    *("requires_python",),
)
_told = ("license_expression", "license_files", "project_urls", "provides_extra", "requires_dist")


class _File(NamedTuple):
    """One entry."""

    canonical: bytes
    version: bytes
    prerelease: bytes
    yanked: bytes
    sidecar: bytes
    info: bytes
    record: bytes
    filename: bytes

    def at(self, base: bytes) -> bytes:
        """The record with the file's URL."""
        return b'%s,"url":"%s%s"}' % (self.record, base, self.filename)


def entry(file: StoredFile) -> bytes:
    """What a file brings."""
    version = parsed(file.version)
    extra = sidecar_of(file)
    return b"\n".join(
        (
            canonical(file.version).encode(),
            orjson.dumps(str(version)),
            b"1" if version.is_prerelease else b"",
            orjson.dumps(yanked(file.state)),
            f"{extra.sha256} {extra.size}".encode() if extra else b"",
            orjson.dumps(_info(file, str(version)))[:-1],
            orjson.dumps(_record(file))[:-1],
            quote(file.path, safe="").encode(),
        )
    )


def _info(file: StoredFile, version: str) -> dict[str, Any]:
    """What the metadata says; absent texts are empty or null as tools know them."""
    told = file.attributes
    return {
        "name": file.package,
        "version": version,
        "summary": file.summary,
        "keywords": ",".join(told.get("keywords") or ()),
        "classifiers": told.get("classifiers") or [],
        "dynamic": told.get("dynamic"),
        **{key: told.get(key) or ("" if key in ("author", "author_email", "maintainer", "maintainer_email") else None) for key in _texts},
        **{key: told.get(key) for key in _told},
    }


def _record(file: StoredFile) -> dict[str, Any]:
    told, at = file.attributes, upload_time(file.uploaded_at)
    reason = yanked(file.state)
    return {
        "comment_text": "",
        "core-metadata": core_metadata(file),
        "digests": {"blake2b_256": file.blake2b, "md5": file.md5, "sha256": file.sha256},
        "downloads": -1,
        "filename": file.path,
        "has_sig": False,
        "md5_digest": file.md5,
        "packagetype": told.get("packagetype", ""),
        "python_version": told.get("python_tag", ""),
        "requires_python": told.get("requires_python"),
        "size": file.size,
        "upload_time": at.partition(".")[0],
        "upload_time_iso_8601": at,
        "yanked": bool(reason),
        "yanked_reason": reason if isinstance(reason, str) else None,
    }


def extras_for(context: RenderContext, entries: Sequence[bytes]) -> Sequence[StoredExtra]:
    """The metadata of the release that the document is about: its README is in there."""
    sidecar = _sidecar(_shown(context, _files(entries)))
    if not sidecar:
        return ()
    sha256, _, size = sidecar.decode().partition(" ")
    return (StoredExtra(sha256=sha256, size=int(size), media_type=""),)


def render(context: RenderContext, entries: Sequence[bytes]) -> bytes:
    """The document of a project, or of the release that the context's view names; nothing if there is no such release."""
    files = _files(entries)
    shown = _shown(context, files)
    if not shown:
        return b""
    base = _base(context)
    members = [
        (b"info", _whole_info(context, shown)),
        (b"last_serial", b"%d" % context.changed_at),
        (b"ownership", orjson.dumps({"organization": None, "roles": [{"role": "Owner", "user": context.namespace}]})),
        *((b"releases", _releases(files, base)) for _ in range(not context.view)),
        (b"urls", _list(shown, base)),
        (b"vulnerabilities", b"[]"),
    ]
    return b"{" + b",".join(b'"%s":%s' % member for member in members) + b"}"


def _files(entries: Sequence[bytes]) -> list[_File]:
    return [_File(*entry.split(b"\n")) for entry in entries]


def _shown(context: RenderContext, files: Sequence[_File]) -> list[_File]:
    """The files of the release that the document is about: the one that was asked for, or the latest."""
    wanted = context.view.encode() or _latest(files)
    return [file for file in files if file.canonical == wanted]


def _latest(files: Sequence[_File]) -> bytes:
    """The highest version that is neither yanked as a whole nor a pre-release; else the highest that is not yanked; else the highest."""
    good = {file.canonical for file in files if file.yanked == b"false"}
    ranked = ((file.canonical in good and not file.prerelease, file.canonical in good, at, file.canonical) for at, file in enumerate(files))
    return max(ranked)[-1]


def _sidecar(shown: Sequence[_File]) -> bytes:
    return next((file.sidecar for file in shown if file.sidecar), b"")


def _whole_info(context: RenderContext, shown: Sequence[_File]) -> bytes:
    """What the first file with metadata says, with its README, and whether the release is yanked: if all its files are."""
    told = next((file for file in shown if file.sidecar), shown[0])
    sha256 = told.sidecar.partition(b" ")[0].decode()
    body = context.extras.get(sha256)
    whole = all(file.yanked != b"false" for file in shown)
    reasons = [file.yanked for file in shown if file.yanked not in (b"true", b"false")] if whole else []
    more: Mapping[str, Any] = {"description": source_of(body) if body else "", "yanked": whole}
    return told.info + b"," + orjson.dumps(more)[1:-1] + b',"yanked_reason":' + (reasons[0] if reasons else b"null") + b"}"


def _releases(files: Sequence[_File], base: bytes) -> bytes:
    """The files by the versions as people read them, the lowest first."""
    releases: dict[bytes, list[_File]] = {}
    for file in files:
        releases.setdefault(file.canonical, []).append(file)
    return b"{" + b",".join(b"%s:%s" % (some[0].version, _list(some, base)) for some in releases.values()) + b"}"


def _list(files: Sequence[_File], base: bytes) -> bytes:
    return b"[" + b",".join(file.at(base) for file in files) + b"]"


def _base(context: RenderContext) -> bytes:
    """What stands before a filename. These tools take a URL as it stands, so it is absolute where the site knows its own, but for who asks with a
    token in the path (`PartRepresentation.absolute`)."""
    if context.public_url:
        return f"{context.public_url}/pypi/{quote(context.namespace)}/files/".encode()
    return b"../../../files/" if context.view else b"../../files/"
