"""npm's package type: what its archives hold, and what its index documents look like."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, BinaryIO, ClassVar
from urllib.parse import quote

import orjson
from entrepot.plugin import (
    DocumentRepresentation,
    DocumentTarget,
    Entry,
    FileTarget,
    Inspection,
    InvalidPackage,
    PackageSummary,
    PackageType,
    PartRepresentation,
    Parts,
    PartTarget,
    RefusalTarget,
    RenderContext,
    Services,
    StoredFile,
    Target,
    ValidationError,
)
from starlette.routing import BaseRoute

from entrepot_npm import archive, names
from entrepot_npm.graphql import NpmFacet, NpmFile, dependencies_of, listed
from entrepot_npm.routes import routes
from entrepot_npm.tags import dist_tags_of

DOCUMENT = "packages"

_installed = (  # what an installer reads of a package.json
    "dependencies",
    "optionalDependencies",
    "peerDependencies",
    "peerDependenciesMeta",
    "bundleDependencies",
    "bundledDependencies",
    "bin",
    "directories",
    "engines",
    "os",
    "cpu",
    "libc",
)
_mappings = ("dependencies", "optionalDependencies", "peerDependencies")


class Npm(PackageType):
    """npm packages. One document, `packages`: each part is a package with all of its versions."""

    name: ClassVar[str] = "npm"
    title: ClassVar[str] = "npm package"
    part_representations: ClassVar[Sequence[PartRepresentation]] = (
        PartRepresentation(name="packument", entries="version", media_type="application/json", compressible=True),
        PartRepresentation(name="summary", entries="version"),
    )
    document_representations: ClassVar[Sequence[DocumentRepresentation]] = (
        DocumentRepresentation(name="all", parts="summary", media_type="application/json", compressible=True),
    )
    graphql_type: ClassVar[type | None] = NpmFile
    facet_type: ClassVar[type | None] = NpmFacet

    def detect(self, file: BinaryIO, basename: str) -> bool:
        """A gzipped tar whose members lie below `package/`."""
        return basename.endswith(".tgz") and archive.looks_like(file)

    def inspect(self, file: BinaryIO, basename: str) -> Inspection:
        """Everything comes from the archive's package.json, which must agree with the basename."""
        manifest = archive.read_manifest(file)
        name, version = _word(manifest, "name"), _word(manifest, "version")
        try:
            self.canonical_name(name)
            self.canonical_version(version)
        except ValidationError as error:
            raise InvalidPackage(f"{archive.MANIFEST}: {error.message}") from error
        if basename != f"{name}-{version}.tgz":
            raise InvalidPackage(f"{basename!r} holds {name} {version}; such a file is named {name}-{version}.tgz.")
        shasum, integrity = archive.digests(file)
        license = manifest.get("license")
        description = manifest.get("description")
        return Inspection(
            name=name,
            version=version,
            summary=description if isinstance(description, str) else "",
            license=license if isinstance(license, str) else "",
            attributes={"manifest": _kept(manifest), "shasum": shasum, "integrity": integrity},
        )

    def canonical_name(self, name: str) -> str:
        """npm's names have one spelling."""
        return names.canonical_name(name)

    def canonical_version(self, version: str) -> str:
        """Without build metadata."""
        return names.canonical_version(version)

    def version_key(self, version: str) -> bytes:
        """As semver orders them."""
        return names.version_key(version)

    def path(self, inspection: Inspection, basename: str) -> str:
        """The archive's URL below the registry. The basename alone would not do: `a-1.0.0-b` 2.0.0 and `a` 1.0.0-b-2.0.0 share one."""
        return f"{inspection.name}/-/{basename}"

    # Entries and what is joined from them. An entry is three lines (JSON has no raw line breaks): the tags that point at the version, as
    # members of an object; the version; its manifest up to the value of `dist.tarball`, which is completed with the URL of the namespace.

    def entries(self, file: StoredFile) -> Sequence[Entry]:
        """One entry, with the dist-tags of this version in it: a tag that moves restates two files."""
        pointing = (tag for tag, version in dist_tags_of(file.package_state).items() if version == file.version)
        members = b",".join(orjson.dumps(tag) + b":" + orjson.dumps(file.version) for tag in pointing)
        manifest = {"name": file.name, "version": file.version, **file.attributes["manifest"]}
        dist = {"shasum": file.attributes["shasum"], "integrity": file.attributes["integrity"], "tarball": f"{file.name}/-/{file.basename}"}
        lines = members, orjson.dumps(file.version), orjson.dumps({**manifest, "dist": dist})
        return [Entry(DOCUMENT, {"version": b"\n".join(lines)}, sort_key=self.version_key(file.version))]

    def render_part(self, representation: str, context: RenderContext, entries: Sequence[bytes]) -> bytes:
        """A package with its versions, or its line in the list of all."""
        rows = [entry.split(b"\n") for entry in entries]
        head = b'{"name":%s,"dist-tags":{%s}' % (orjson.dumps(context.part), _tags(rows))
        if representation == "summary":
            return b'%s:%s,"versions":[%s]}' % (orjson.dumps(context.part), head, b",".join(version for _, version, _ in rows))
        base = f'"tarball":"{context.public_url}/npm/{context.namespace}/'.encode()
        versions = (version + b":" + base.join(manifest.rsplit(b'"tarball":"', 1)) for _, version, manifest in rows)
        return b'%s,"versions":{%s}}' % (head, b",".join(versions))

    def render(self, representation: str, context: RenderContext, parts: Parts) -> Iterable[bytes]:
        """All packages as one object."""
        return chain((b"{",), _separated(parts.bodies()), (b"}",))

    def locate(self, rest: str, accept: str, query: str) -> Target | None:
        """`-/all`, `<package>` and `<package>/-/<archive>`."""
        if rest == "-/all":
            return DocumentTarget(DOCUMENT, "all")
        if rest.startswith("@"):
            return RefusalTarget(404, "There are no npm packages with a scope (@scope/name) here.")
        name, _, archive_name = rest.partition("/-/")
        try:
            names.canonical_name(name)
        except ValidationError:
            return None
        if archive_name and "/" not in archive_name:
            return FileTarget(rest)
        return PartTarget(DOCUMENT, name, "packument") if rest == name else None

    def location(self, file: StoredFile) -> str:
        """The path, percent-encoded."""
        return quote(file.path)

    def routes(self, serve: Services) -> Sequence[BaseRoute]:
        """npm publish and npm dist-tag."""
        return routes(serve)

    def graphql_fields(self, file: StoredFile) -> Mapping[str, Any]:
        """What NpmFile adds to File."""
        return {
            "shasum": file.attributes["shasum"],
            "integrity": file.attributes["integrity"],
            "dist_tags": sorted(tag for tag, version in dist_tags_of(file.package_state).items() if version == file.version),
            "dependencies": dependencies_of(file.attributes["manifest"]),
        }

    def facet(self, package: PackageSummary) -> object:
        """The package's dist-tags."""
        return NpmFacet(type=self.name, dist_tags=listed(package.state))

    def install(self, package: str, channel: str) -> Sequence[str]:
        """With the namespace as the registry."""
        return [f"npm install {package} --registry={channel}/"]


def _word(manifest: Mapping[str, Any], key: str) -> str:
    value = manifest.get(key)
    if not isinstance(value, str):
        raise InvalidPackage(f"{archive.MANIFEST} must have a {key}, as a string.")
    return value


def _kept(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What is remembered of a package.json."""
    for key in _mappings:
        given = manifest.get(key, {})
        if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
            raise InvalidPackage(f"{archive.MANIFEST}: {key!r} must map names to version ranges.")
    scripts = manifest.get("scripts")
    runs = isinstance(scripts, dict) and any(step in scripts for step in ("preinstall", "install", "postinstall"))
    return {key: manifest[key] for key in _installed if key in manifest} | ({"hasInstallScript": True} if runs else {})


def _tags(rows: Sequence[Sequence[bytes]]) -> bytes:
    """The members of `dist-tags`. What nobody tagged `latest` gets it for its highest version, or `npm install` would find nothing."""
    members = [tags for tags, _, _ in rows if tags]
    if rows and not any(b'"latest":' in some for some in members):
        versions = [version for _, version, _ in rows]
        members.append(b'"latest":' + next((version for version in reversed(versions) if b"-" not in version), versions[-1]))
    return b",".join(members)


def _separated(bodies: Iterator[bytes]) -> Iterator[bytes]:
    for number, body in enumerate(bodies):
        yield b"," + body if number else body
