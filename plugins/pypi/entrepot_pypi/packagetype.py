"""The package type: wheels and sdists, simple indexes, twine's uploads."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar
from urllib.parse import quote

from entrepot.plugin import (
    DocumentRepresentation,
    DocumentTarget,
    Entry,
    Extra,
    FileTarget,
    Inspection,
    InvalidPackage,
    Listed,
    PackageSummary,
    PackageType,
    PartRepresentation,
    Parts,
    PartTarget,
    RedirectTarget,
    RefusalTarget,
    RenderContext,
    StoredFile,
    Target,
)

from entrepot_pypi import detection, folder, legacy, name, page, version
from entrepot_pypi.graphql import PypiFacet, PypiFile
from entrepot_pypi.negotiation import media_types, negotiate, refusal
from entrepot_pypi.sdist import inspect_sdist
from entrepot_pypi.wheel import inspect_wheel

if TYPE_CHECKING:
    from entrepot.plugin import Services
    from starlette.routing import BaseRoute

_document = "simple"
_names = "name"
_longest_platform = 64
_sidecar = ".metadata"


class PypiType(PackageType):
    """PyPI: the simple repository API."""

    name: ClassVar[str] = "pypi"
    title: ClassVar[str] = "Python package"
    standing_documents: ClassVar[Sequence[str]] = (_document,)
    part_representations: ClassVar[Sequence[PartRepresentation]] = (
        *(
            PartRepresentation(name=key, entries="json" if key == "json" else "html", media_type=media_type, vary="Accept", compressible=True)
            for key, media_type in media_types.items()
        ),
        PartRepresentation(name=_names, entries=None),
    )
    document_representations: ClassVar[Sequence[DocumentRepresentation]] = tuple(
        DocumentRepresentation(name=key, parts=_names, media_type=media_type, vary="Accept", compressible=True)
        for key, media_type in media_types.items()
    )
    filename_endings: ClassVar[Sequence[str]] = folder.endings
    graphql_type: ClassVar[type | None] = PypiFile
    facet_type: ClassVar[type | None] = PypiFacet

    # -- taking a file in ---------------------------------------------------------------------------------------------

    def detect(self, file: BinaryIO, basename: str) -> bool:
        """A wheel by its .dist-info, an sdist by its PKG-INFO, or a zip or gzip file that is named as one."""
        return detection.is_package(file, basename)

    def inspect(self, file: BinaryIO, basename: str) -> Inspection:
        """Validate a wheel or an sdist."""
        if not basename.endswith((".whl", ".tar.gz", ".zip")):
            raise InvalidPackage(f"{basename[:200]!r} is not the filename of a Python package: wheels end in .whl, sdists in .tar.gz.")
        is_wheel = basename.endswith(".whl")
        body, description, attributes = (inspect_wheel if is_wheel else inspect_sdist)(file, basename)
        has_sidecar = is_wheel or description.is_static
        return Inspection(
            name=description.name,
            version=description.version,
            summary=description.summary,
            description=description.description,
            license=description.license,
            platform=_platform(attributes.get("platform_tag", "any")),
            attributes={**description.attributes, **attributes, "core_metadata": has_sidecar},
            extras=(Extra(name=page.metadata_extra, body=body),) if has_sidecar else (),
        )

    def canonical_name(self, name_: str) -> str:
        """PEP 503."""
        return name.canonical(name_)

    def canonical_version(self, version_: str) -> str:
        """PEP 440, without trailing zeros."""
        return version.canonical(version_)

    def version_key(self, version_: str) -> bytes:
        """PEP 440's order."""
        return version.key(version_)

    def path(self, inspection: Inspection, basename: str) -> str:
        """The filename: PyPI has no folders."""
        return basename

    # -- importing a folder -------------------------------------------------------------------------------------------

    def is_companion(self, basename: str) -> bool:
        """Pages, sidecars, signatures."""
        return folder.is_companion(basename)

    def read_companion(self, file: BinaryIO, basename: str) -> Mapping[str, Listed]:
        """What pages and sidecars say of files."""
        return folder.read_companion(file, basename)

    def check_place(self, inspection: Inspection, folders: Sequence[str], listed: Listed | None) -> Sequence[str]:
        """Anywhere; the metadata must be the one that was promised."""
        return folder.check_place(inspection, listed)

    # -- index documents ----------------------------------------------------------------------------------------------

    def entries(self, file: StoredFile) -> Sequence[Entry]:
        """The file on its project's page. A project in quarantine offers no files, and is not listed (PEP 792)."""
        if page.project_status(file.package_state)[0] == "quarantined":
            return ()
        sort_key = version.key(file.version) + file.path.encode()
        return (Entry(_document, {"json": page.json_entry(file), "html": page.html_entry(file)}, sort_key),)

    def render_part(self, representation: str, context: RenderContext, entries: Sequence[bytes]) -> bytes:
        """A project's page."""
        project = context.part or ""
        if representation == _names:
            return project.encode()
        return page.json_page(project, entries) if representation == "json" else page.html_page(project, entries)

    def render(self, representation: str, context: RenderContext, parts: Parts) -> Iterable[bytes]:
        """The list of projects."""
        return page.json_root(parts.names()) if representation == "json" else page.html_root(parts.names())

    # -- URLs ---------------------------------------------------------------------------------------------------------

    def locate(self, rest: str, accept: str, query: str) -> Target | None:
        """`simple/`, `simple/<project>/`, `files/<filename>` and `files/<filename>.metadata`."""
        if not rest:
            return RedirectTarget("simple/")
        folder, slash, inner = rest.partition("/")
        if folder == "files":
            return _locate_file(inner)
        if folder != _document:
            return None
        if not slash:
            return RedirectTarget("simple/")
        if not inner:
            return _negotiated(accept, query, None)
        return _locate_project(inner, accept, query)

    def location(self, file: StoredFile) -> str:
        """Where project pages point."""
        return f"files/{quote(file.path, safe='')}"

    def routes(self, serve: Services) -> Sequence[BaseRoute]:
        """Where twine uploads to."""
        return legacy.routes(serve)

    # -- people and GraphQL -------------------------------------------------------------------------------------------

    def graphql_fields(self, file: StoredFile) -> Mapping[str, Any]:
        """The values of `PypiFile`'s own fields."""
        sidecar = file.extras.get(page.metadata_extra)
        reason = page.yanked(file.state)
        return {
            "packagetype": file.attributes.get("packagetype", ""),
            "python_tag": file.attributes.get("python_tag", ""),
            "requires_python": file.attributes.get("requires_python"),
            "requires_dist": list(file.attributes.get("requires_dist", ())),
            "yanked": bool(reason),
            "yanked_reason": reason if isinstance(reason, str) else None,
            "core_metadata_sha256": sidecar.sha256 if sidecar else None,
        }

    def facet(self, package: PackageSummary) -> PypiFacet:
        """The project."""
        return PypiFacet(type="pypi", name=package.name, project_status=page.project_status(package.state)[0])

    def install(self, package: str, channel: str) -> Sequence[str]:
        """`--index-url`, not `--extra-index-url`: with several indexes pip takes the highest version from any, whoever put it there."""
        index, project = shlex.quote(f"{channel}/simple/"), shlex.quote(package)
        return (f"pip install --index-url {index} {project}", f"uv pip install --index-url {index} {project}")


def _locate_file(inner: str) -> Target | None:
    if not inner or "/" in inner:
        return None
    if inner.endswith(_sidecar):
        return FileTarget(inner.removesuffix(_sidecar), page.metadata_extra)
    return FileTarget(inner)


def _locate_project(inner: str, accept: str, query: str) -> Target | None:
    project, slash, behind = inner.partition("/")
    if behind or not name.is_name(project):
        return None
    normalized = name.normalized(project)
    if not slash:
        return RedirectTarget(f"{normalized}/")
    if normalized != project:
        return RedirectTarget(f"../{normalized}/")
    return _negotiated(accept, query, project)


def _negotiated(accept: str, query: str, project: str | None) -> Target:
    representation = negotiate(accept, query)
    if representation is None:
        return RefusalTarget(406, refusal)
    return DocumentTarget(_document, representation) if project is None else PartTarget(_document, project, representation)


def _platform(tag: str) -> str:
    """The platform tag, empty for `any`; of one that names very many platforms, as many as there is room for."""
    if tag == "any":
        return ""
    while len(tag) > _longest_platform and "." in tag:
        tag = tag.rpartition(".")[0]
    return tag[:_longest_platform]
