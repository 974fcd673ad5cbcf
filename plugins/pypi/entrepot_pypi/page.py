"""Simple pages in HTML and JSON: PEP 503, 592, 629, 691, 700, 714, 792.

An entry is what one file puts on its project's page: four lines of bytes,

    the canonical version, the version for people, the project's status, the record

as HTML or as JSON. A page joins records; the other three say what the page itself must tell. In quarantine (PEP 792) there is no record, and the page
tells of the status and of nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any
from urllib.parse import quote

import orjson
from entrepot.plugin import StoredFile

from entrepot_pypi.version import canonical, parsed

api_version = "1.4"
metadata_extra = "metadata"
statuses = ("active", "archived", "quarantined", "deprecated")

_controls = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_epoch = datetime(1970, 1, 1, tzinfo=UTC)
_head = f'<!DOCTYPE html>\n<html>\n<head>\n<meta charset="utf-8">\n<meta name="pypi:repository-version" content="{api_version}">\n'.encode()
_meta = b'{"meta":{"api-version":"%s"},' % api_version.encode()


def yanked(state: Mapping[str, Any]) -> str | bool:
    """The reason for which a file was yanked, True for none given, False for a file that is not."""
    value = state.get("yanked", False)
    return (shown_text(value) or True) if isinstance(value, str) else bool(value)


def project_status(state: Mapping[str, Any]) -> tuple[str, str]:
    """The status and reason that were set on a project: a status by itself, or `{"status": …, "reason": …}`."""
    value = state.get("project-status")
    if isinstance(value, str):
        value = {"status": value}
    if not isinstance(value, Mapping) or value.get("status") not in statuses:
        return "active", ""
    return value["status"], shown_text(str(value.get("reason") or ""))


def offers_files(state: Mapping[str, Any]) -> bool:
    """Whether the project's status lets its files be offered."""
    return project_status(state)[0] != "quarantined"


def upload_time(milliseconds: int) -> str:
    """A time as PEP 700 wants it, with the six digits that every Python's `fromisoformat` reads."""
    return (_epoch + timedelta(milliseconds=milliseconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def file_url(filename: str) -> str:
    """Where a file is, from a project page. Relative, so that whatever stands in front of the index (a token, a label) stays."""
    return f"../../files/{quote(filename, safe='')}"


def core_metadata(file: StoredFile) -> dict[str, str] | bool:
    """The digest of the file's sidecar (PEP 714); False: it has none."""
    sidecar = file.extras.get(metadata_extra)
    return {"sha256": sidecar.sha256} if sidecar else False


def json_entry(file: StoredFile) -> bytes:
    """What a file puts on its project's JSON page."""
    record: dict[str, Any] = {
        "filename": file.path,
        "url": file_url(file.path),
        "hashes": {"sha256": file.sha256},
        "size": file.size,
        "upload-time": upload_time(file.uploaded_at),
        "yanked": yanked(file.state),
    }
    requires_python = file.attributes.get("requires_python")
    if requires_python:
        record["requires-python"] = requires_python
    record["core-metadata"] = record["dist-info-metadata"] = core_metadata(file)
    status, reason = project_status(file.package_state)
    told = {"status": status} | ({"reason": reason} if reason else {})
    return _entry(file, orjson.dumps(told) if status != "active" else b"", orjson.dumps(record))


def html_entry(file: StoredFile) -> bytes:
    """What a file puts on its project's HTML page."""
    attributes = {"href": f"{file_url(file.path)}#sha256={file.sha256}"}
    requires_python = file.attributes.get("requires_python")
    if requires_python:
        attributes["data-requires-python"] = requires_python
    sidecar = file.extras.get(metadata_extra)
    if sidecar:
        attributes["data-core-metadata"] = attributes["data-dist-info-metadata"] = f"sha256={sidecar.sha256}"
    reason = yanked(file.state)
    if reason:
        attributes["data-yanked"] = "" if reason is True else reason
    tag = "".join(f' {name}="{_quoted(value)}"' for name, value in attributes.items())
    return _entry(file, _status_tags(*project_status(file.package_state)), f"<a{tag}>{escape(file.path)}</a><br>".encode())


def json_page(project: str, entries: Sequence[bytes]) -> bytes:
    """A project's page, from the entries of its files."""
    lines, status = _lines(entries)
    versions = {canonical_version: shown for canonical_version, shown, _, _ in lines}
    return b"".join(
        (
            _meta,
            b'"name":',
            orjson.dumps(project),
            *((b',"project-status":', status) if status else ()),
            b',"versions":[',
            b",".join(versions.values()),
            b'],"files":[',
            b",".join([line[3] for line in lines]),
            b"]}",
        )
    )


def html_page(project: str, entries: Sequence[bytes]) -> bytes:
    """A project's page, from the entries of its files."""
    lines, status = _lines(entries)
    title = b"Links for %s" % escape(project).encode()
    top = (_head, status, b"<title>", title, b"</title>\n</head>\n<body>\n<h1>", title, b"</h1>\n")
    return b"".join((*top, b"\n".join([line[3] for line in lines]), b"\n</body>\n</html>\n"))


def json_root(names: Iterable[str]) -> Iterable[bytes]:
    """The list of projects, in pieces."""
    yield _meta + b'"projects":['
    separator = b""
    for name in names:
        yield separator + b'{"name":%s}' % orjson.dumps(name)
        separator = b","
    yield b"]}"


def html_root(names: Iterable[str]) -> Iterable[bytes]:
    """The list of projects, in pieces."""
    yield _head + b"<title>Simple index</title>\n</head>\n<body>\n"
    for name in names:
        yield f'<a href="{quote(name, safe="")}/">{escape(name)}</a><br>\n'.encode()
    yield b"</body>\n</html>\n"


def _lines(entries: Sequence[bytes]) -> tuple[list[list[bytes]], bytes]:
    """Of the entries with a record their four lines, and the project's status."""
    lines = [entry.split(b"\n", 3) for entry in entries]
    return [line for line in lines if line[3]], lines[0][2] if lines else b""


def _entry(file: StoredFile, status: bytes, record: bytes) -> bytes:
    if not offers_files(file.package_state):
        return b"\n\n%s\n" % status
    return b"\n".join((canonical(file.version).encode(), orjson.dumps(str(parsed(file.version))), status, record))


def _status_tags(status: str, reason: str) -> bytes:
    """No line may end within: entries are lines."""
    if status == "active":
        return b""
    tags = f'<meta name="pypi:project-status" content="{_quoted(status)}">'
    if reason:
        tags += f'<meta name="pypi:project-status-reason" content="{_quoted(reason)}">'
    return tags.encode()


def _quoted(value: str) -> str:
    """A value between double quotes in HTML, on one line."""
    return escape(value).replace("\n", "&#10;")


def shown_text(value: str) -> str:
    """What people wrote, without the control characters that HTML cannot say."""
    return _controls.sub(" ", value).strip()
