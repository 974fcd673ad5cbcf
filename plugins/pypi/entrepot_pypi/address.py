"""What URLs below `/pypi/<namespace>/` mean."""

from __future__ import annotations

from urllib.parse import quote

from entrepot.plugin import DocumentTarget, FileTarget, PartTarget, RedirectTarget, RefusalTarget, Target, ValidationError

from entrepot_pypi import name, version
from entrepot_pypi.negotiation import negotiate, refusal
from entrepot_pypi.page import metadata_extra

document = "simple"
project_json = "project.json"
"""The representation of the older JSON documents."""

_json = "json"
_older = "pypi"
_sidecar = ".metadata"
_beside_uploads = ["legacy", "+simple"]


def locate(rest: str, accept: str, query: str) -> Target | None:
    """See PackageType.locate."""
    folder, _, inner = rest.partition("/")
    if rest in ("", document):
        return RedirectTarget(f"{document}/")
    if folder == "files":
        return _file(inner)
    if folder == document:
        return _simple(inner, accept, query)
    segments = rest.split("/")
    if folder == "label" and len(segments) == 2:
        return RedirectTarget(f"{quote(inner, safe='')}/{document}/")
    if segments[-1] == _json:
        return _project_json(segments[1:-1]) if folder == _older else _project_json_elsewhere(segments[:-1])
    if segments[:2] == _beside_uploads and len(segments) in (3, 4):
        return _page_from_afar(segments[2], len(segments) - 1)
    return None


def _file(inner: str) -> Target | None:
    if not inner or "/" in inner:
        return None
    if inner.endswith(_sidecar):
        return FileTarget(inner.removesuffix(_sidecar), metadata_extra)
    return FileTarget(inner)


def _simple(inner: str, accept: str, query: str) -> Target | None:
    project, slash, behind = inner.partition("/")
    if inner and (behind or not name.is_name(project)):
        return None
    normalized = name.normalized(project)
    if inner and not slash:
        return RedirectTarget(f"{normalized}/")
    if normalized != project:
        return RedirectTarget(f"../{normalized}/")
    representation = negotiate(accept, query)
    if representation is None:
        return RefusalTarget(406, refusal)
    return PartTarget(document, project, representation) if inner else DocumentTarget(document, representation)


def _project_json(segments: list[str]) -> Target | None:
    """`pypi/<project>/json` and `pypi/<project>/<version>/json`."""
    if len(segments) not in (1, 2) or not name.is_name(segments[0]):
        return None
    project, *wanted = segments
    normalized = name.normalized(project)
    if normalized != project:
        behind = "".join(f"{quote(one, safe='')}/" for one in wanted)
        return RedirectTarget("../" * len(segments) + f"{normalized}/{behind}{_json}")
    try:
        view = version.canonical(wanted[0]) if wanted else ""
    except ValidationError:
        return RefusalTarget(404, "There is no such version.")
    return PartTarget(document, project, project_json, view)


def _project_json_elsewhere(segments: list[str]) -> Target | None:
    """`<project>/json`: where pip-compile takes digests from, which looks beside `simple/`."""
    if len(segments) != 1 or not name.is_name(segments[0]):
        return None
    return RedirectTarget(f"../{_older}/{name.normalized(segments[0])}/{_json}")


def _page_from_afar(project: str, depth: int) -> Target | None:
    """`legacy/+simple/<project>/`: where hatch, which takes an index for devpi's, looks for files that are published already. The namespace is
    `depth` folders up: one fewer without the slash."""
    return RedirectTarget(f"{'../' * depth}{document}/{name.normalized(project)}/") if name.is_name(project) else None
