"""The package type: wheels and sdists, simple indexes, twine's uploads."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar
from urllib.parse import quote

from entrepot.plugin import (
    DocumentRepresentation,
    EntrepotError,
    Entry,
    Extra,
    Inspection,
    InvalidPackage,
    Listed,
    Objection,
    PackageSummary,
    PackageType,
    PartRepresentation,
    Parts,
    RenderContext,
    StoredExtra,
    StoredFile,
    Target,
)

from entrepot_pypi import address, detection, folder, legacy, name, page, projectjson, sdist, status, version, wheel
from entrepot_pypi.graphql import PypiFacet, PypiFile, file_fields
from entrepot_pypi.negotiation import media_types
from entrepot_pypi.readme import pkg_info_extra

if TYPE_CHECKING:
    from entrepot.plugin import Services
    from starlette.routing import BaseRoute

_document = address.document
_names = "name"
_longest_platform = 64
_serial = "X-PyPI-Last-Serial"


class PypiType(PackageType):
    """PyPI: the simple repository API."""

    name: ClassVar[str] = "pypi"
    title: ClassVar[str] = "Python package"
    entry_version: ClassVar[int] = 3
    standing_documents: ClassVar[Sequence[str]] = (_document,)
    part_representations: ClassVar[Sequence[PartRepresentation]] = (
        *(
            PartRepresentation(
                name=key,
                entries="json" if key == "json" else "html",
                media_type=media_type,
                vary="Accept",
                compressible=True,
                changed_header=_serial,
            )
            for key, media_type in media_types.items()
        ),
        PartRepresentation(
            name=address.project_json,
            entries=address.project_json,
            media_type="application/json",
            compressible=True,
            changed_header=_serial,
            reads_extras=True,
            absolute=True,
        ),
        PartRepresentation(name=_names, entries=address.project_json, only_names=True),
    )
    document_representations: ClassVar[Sequence[DocumentRepresentation]] = tuple(
        DocumentRepresentation(name=key, parts=_names, media_type=media_type, vary="Accept", compressible=True, changed_header=_serial)
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
        try:
            body, description, attributes = (wheel.inspect_wheel if is_wheel else sdist.inspect_sdist)(file, basename)
        except (EntrepotError, OSError, MemoryError):  # what the file is told, and what is no fault of the file
            raise
        except Exception as error:  # whatever hostile bytes provoke in the libraries that read them
            raise InvalidPackage(f"{basename[:200]!r} cannot be read ({str(error)[:200]}). Build it again.") from error
        has_sidecar = is_wheel or description.is_static
        return Inspection(
            name=description.name,
            version=description.version,
            summary=description.summary,
            description=description.description,
            license=description.license,
            platform=_platform(attributes.get("platform_tag", "any")),
            attributes={**description.attributes, **attributes, "license_files": list(description.license_files), "core_metadata": has_sidecar},
            extras=(Extra(name=page.metadata_extra if has_sidecar else pkg_info_extra, body=body),),
            objections=description.objections,
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
        """The file on its project's page, and in the older documents, which decide whether the project is listed.

        A project in quarantine offers no files and is not listed (PEP 792), and yet it has its page: were it missing, clients that know several
        indexes would go on to the next one, and take there what somebody else has put under the name.
        """
        bodies = {"json": page.json_entry(file), "html": page.html_entry(file)}
        if page.offers_files(file.package_state):
            bodies[address.project_json] = projectjson.entry(file)
        wheels_first = b"\0" if file.path.endswith(".whl") else b"\1"
        return (Entry(_document, bodies, version.key(file.version) + wheels_first),)

    def admit(self, file: StoredFile, siblings: Sequence[str]) -> Sequence[Objection]:
        """No new file in a project that is archived or in quarantine (PEP 792), no second sdist in a release, and no wheel twice."""
        status.check_open(file)
        return (*sdist.sibling_objections(file, siblings), *wheel.sibling_objections(file, siblings))

    def render_part(self, representation: str, context: RenderContext, entries: Sequence[bytes]) -> bytes:
        """A project's page."""
        project = context.part or ""
        if representation == _names:
            return project.encode()
        if representation == address.project_json:
            return projectjson.render(context, entries)
        return page.json_page(project, entries) if representation == "json" else page.html_page(project, entries)

    def extras_for(self, representation: str, context: RenderContext, entries: Sequence[bytes]) -> Sequence[StoredExtra]:
        """The metadata with the README of the release."""
        return projectjson.extras_for(context, entries)

    def render(self, representation: str, context: RenderContext, parts: Parts) -> Iterable[bytes]:
        """The list of projects."""
        return page.json_root(parts.names()) if representation == "json" else page.html_root(parts.names())

    # -- URLs ---------------------------------------------------------------------------------------------------------

    def locate(self, rest: str, accept: str, query: str) -> Target | None:
        """Simple pages, files and their sidecars, and the older JSON documents."""
        return address.locate(rest, accept, query)

    def location(self, file: StoredFile) -> str:
        """Where project pages point."""
        return f"files/{quote(file.path, safe='')}"

    def routes(self, serve: Services) -> Sequence[BaseRoute]:
        """Where twine uploads to."""
        return legacy.routes(serve)

    # -- people and GraphQL -------------------------------------------------------------------------------------------

    def graphql_fields(self, file: StoredFile) -> Mapping[str, Any]:
        """The values of `PypiFile`'s own fields."""
        return file_fields(file)

    def facet(self, package: PackageSummary) -> PypiFacet:
        """The project."""
        at, reason = status.status_of(package.state)
        return PypiFacet(type="pypi", name=package.name, project_status=at, project_status_reason=reason or None, namespace=package.namespace)

    def install(self, package: str, channel: str) -> Sequence[str]:
        """`--index-url`, not `--extra-index-url`: with several indexes pip takes the highest version from any, whoever put it there."""
        index, project = shlex.quote(f"{channel}/simple/"), shlex.quote(package)
        return (f"pip install --index-url {index} {project}", f"uv pip install --index-url {index} {project}")


def _platform(tag: str) -> str:
    """The platform tag, empty for `any`; of one that names very many platforms, as many as there is room for."""
    if tag == "any":
        return ""
    while len(tag) > _longest_platform and "." in tag:
        tag = tag.rpartition(".")[0]
    return tag[:_longest_platform]
