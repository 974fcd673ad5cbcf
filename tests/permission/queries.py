"""How each root field of Query is asked, each kind of node, and each field that not everybody gets. What is in no table fails the matrix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from cast import ACME, Role
from oracle import Answer, Credential, Level, World
from strawberry.relay.utils import to_base64

from .operations import NAME, refused

Expected = Callable[[World, Role], Answer]


def gid(kind: str, uuid: str) -> str:
    """A global id."""
    return to_base64(kind, uuid)


# -- whom it answers --------------------------------------------------------------------------------------------------


def readers(world: World, role: Role) -> Answer:
    """Who may read the package."""
    return world.asks(role.credential, (role.at, NAME))


def everybody(world: World, role: Role) -> Answer:
    """Who may read anything."""
    return world.asks(role.credential, None)


def anybody(world: World, role: Role) -> Answer:
    """Also who may read nothing."""
    found = world.asks(role.credential, None)
    return Answer.SEEN if found is Answer.MISSING else found


def users(world: World, role: Role) -> Answer:
    """Who is a person."""
    return only(world, role, lambda who: bool(who.owner) and who.owner not in world.organizations)


def administrators(world: World, role: Role) -> Answer:
    """Who administers the namespace."""
    return only(world, role, lambda who: world.given(who, role.at) >= Level.ADMIN)


def writers(world: World, role: Role) -> Answer:
    """Who may write to the namespace, with a credential that does."""
    return only(world, role, lambda who: world.given(who, role.at) >= Level.WRITE and who.allows("api:write"))


def package_writers(world: World, role: Role) -> Answer:
    """Who may write to the package."""
    found = readers(world, role)
    return Answer.MISSING if found is Answer.SEEN and world.given(role.credential, role.at, NAME) < Level.WRITE else found


def insiders(world: World, role: Role) -> Answer:
    """Who belongs to the organization."""
    return only(world, role, lambda who: role.at in world.organizations and world.belongs(who, role.at))


def insiders_of_acme(world: World, role: Role) -> Answer:
    """Who belongs to the one organization, wherever else the role is about."""
    return only(world, role, lambda who: world.belongs(who, ACME))


def site_administrators(world: World, role: Role) -> Answer:
    """Who administers the site."""
    return only(world, role, lambda who: who.owner in world.admins and who.bound_to is None)


def himself(world: World, role: Role) -> Answer:
    """The user alone."""
    return only(world, role, lambda who: who.owner == role.at and who.bound_to is None and who.owner not in world.organizations)


def only(world: World, role: Role, seen: Callable[[Credential], bool]) -> Answer:
    """Those of everybody with a credential that works for whom it holds."""
    found = anybody(world, role)
    return (Answer.SEEN if seen(role.credential) else Answer.MISSING) if found is Answer.SEEN else found


# -- what is asked ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Query:
    """A query, and whom it answers. `$namespace`, `$name`, and `$Package` for an id of that kind, stand for what is asked about."""

    text: str
    answers: Expected = readers
    found: Callable[[Any, str], bool] = lambda found, namespace: bool(found)
    """Whether the answer shows it, by the namespace that was asked about."""


def listed(page: Any, namespace: str) -> bool:
    """Whether the package is on a page of packages."""
    return {"name": NAME, "namespace": {"name": namespace}} in page["nodes"]


def node(kind: str, answers: Expected = readers) -> Query:
    """Anything by its id."""
    return Query(f'{{ found: node(id: "${kind}") {{ id }} }}', answers)


QUERIES: Mapping[str, Query] = {
    "viewer": Query("{ found: viewer { name } }", users),
    "namespace": Query('{ found: namespace(name: "$namespace") { name } }', everybody),
    "package": Query('{ found: package(namespace: "$namespace", name: "$name") { name } }'),
    "packages": Query('{ found: packages(namespace: "$namespace", first: 100) { totalCount nodes { name namespace { name } } } }', found=listed),
    "packages search": Query('{ found: packages(search: "$name") { totalCount nodes { name namespace { name } } } }', found=listed),
    "packageTypes": Query("{ found: packageTypes { name } }", anybody),
    "auditLog": Query("{ found: auditLog { totalCount } }", site_administrators),
    "node": node("Package"),
}
"""By the field and, behind a space, what is special about the call."""
NODES: Mapping[str, Query] = {
    **{kind: node(kind) for kind in ("Package", "Release", "CondaFile", "PypiFile", "NotebookFile", "EnvironmentFile", "Label")},
    **{kind: node(kind, everybody) for kind in ("User", "Organization", "Notice")},
    **{kind: node(kind, administrators) for kind in ("Token", "AuditEvent")},
    "Group": node("Group", insiders_of_acme),
    "Label main": Query('{ found: node(id: "$Main") { id } }', everybody),
}
"""By the type. The label is one that nothing but this package has."""


def of_namespace(field: str) -> str:
    """A field of the namespace, in a query that finds nothing where it is null."""
    return f'{{ found: namespace(name: "$namespace") {{ ... on User {{ {field} }} ... on Organization {{ {field} }} }} }}'


def filled(found: Any, namespace: str) -> bool:
    """Whether the one field is not null."""
    return next(iter(found.values()), None) is not None


RESTRICTED: Mapping[str, Query] = {
    "Namespace.tokens": Query(of_namespace("tokens { totalCount }"), administrators, filled),
    "Namespace.auditLog": Query(of_namespace("auditLog { totalCount }"), administrators, filled),
    "Namespace.defaultVisibility": Query(of_namespace("defaultVisibility"), writers, filled),
    "Namespace.strictness": Query(of_namespace("strictness"), writers, filled),
    "User.sessions": Query('{ found: namespace(name: "$namespace") { ... on User { sessions { id } } } }', himself, filled),
    "Organization.groups": Query('{ found: namespace(name: "$namespace") { ... on Organization { groups { totalCount } } } }', insiders, filled),
    "Organization.members": Query('{ found: namespace(name: "$namespace") { ... on Organization { members { totalCount } } } }', insiders, filled),
    "Package.collaborators": Query(
        '{ found: package(namespace: "$namespace", name: "$name") { collaborators { totalCount } } }', package_writers, filled
    ),
}
"""Fields that are null for some of those who see what they are fields of."""
_file = frozenset(
    {"id", "type", "path", "basename", "version", "platform", "size", "sha256", "md5", "uploadedAt", "uploadedBy", "downloadUrl", "downloads"}
    | {"labels", "package", "release", "viewerCanWrite"}
)
PROFILE: Mapping[str, frozenset[str]] = {
    "Namespace": frozenset(
        {"id", "name", "displayName", "description", "createdAt", "packages", "labels", "notices"}
        | {"viewerPermission", "viewerCanCreatePackages", "viewerCanAdminister"}
    ),
    "User": frozenset({"organizations"}),
    "Organization": frozenset(),
    "Package": frozenset(
        {"id", "name", "summary", "description", "visibility", "createdAt", "updatedAt", "namespace", "types", "latestRelease", "releases", "files"}
        | {"facets", "labels", "downloads", "installCommands", "viewerPermission", "viewerCanWrite", "viewerCanAdminister"}
    ),
    "Release": frozenset({"id", "version", "createdAt", "package", "files", "viewerCanWrite"}),
    "Label": frozenset({"id", "name", "locked", "lockedAt", "createdAt", "namespace", "viewerCanAdminister", "viewerCanDelete", "viewerCanUse"}),
    "File": _file,
    "PlainFile": _file,
    "CondaFile": _file
    | {"subdir", "build", "buildNumber", "depends", "constrains", "license", "licenseFamily", "timestamp", "noarch"}
    | {"runExports", "links", "hotfix"},
    "CondaRunExports": frozenset({"weak", "strong", "weakConstrains", "strongConstrains", "noarch"}),
    "CondaLinks": frozenset({"home", "devUrl", "docUrl", "sourceUrl", "licenseUrl"}),
    "PypiFile": _file
    | {"packagetype", "pythonTag", "abiTag", "platformTag", "buildTag", "tags", "requiresPython", "requiresDist", "providesExtra", "metadataVersion"}
    | {"license", "licenseExpression", "licenseFiles", "classifiers", "keywords", "author", "authorEmail", "maintainer", "maintainerEmail"}
    | {"projectUrls", "dynamic", "yanked", "yankedReason", "coreMetadata", "coreMetadataSha256", "blake2b256", "readme"},
    "PypiLink": frozenset({"label", "url"}),
    "PypiReadme": frozenset({"source", "cut", "contentType", "html"}),
    "NotebookFile": _file
    | {"authors", "cellCount", "codeCellCount", "executed", "hasErrors", "hasWidgets", "kernel", "kernelDisplayName", "language", "languageVersion"}
    | {"markdownCellCount", "nbformat", "outputTypes", "thumbnail", "title"},
    "EnvironmentFile": _file | {"channels", "dependencies", "environmentName", "pipDependencies", "platforms", "variables"},
    "Token": frozenset({"id", "name", "scopes", "bound", "createdAt", "expiresAt", "lastUsedAt", "revokedAt", "owner", "package", "viewerCanRevoke"}),
    "Session": frozenset({"id", "address", "agent", "createdAt", "current", "expiresAt", "usedAt"}),
    "Group": frozenset(
        {"id", "name", "permission", "everything", "createdAt", "organization", "members", "packages", "viewerCanAdminister", "viewerCanLeave"}
    ),
    "Notice": frozenset({"id", "level", "message", "createdAt", "expiresAt", "namespace"}),
    "AuditEvent": frozenset({"id", "at", "actor", "action", "address", "details", "namespace", "subject", "tokenId", "tokenName"}),
    "PackageFacet": frozenset({"type"}),
    "CondaFacet": frozenset({"type", "platforms"}),
    "PypiFacet": frozenset({"type", "name", "projectStatus", "projectStatusReason", "readme"}),
    "Node": frozenset({"id"}),
}
"""Fields that everybody gets who sees what they are fields of; lists among them hold what the reader may see."""
NO_OBJECTS = frozenset({"PackageType", "InstallCommands", "PageInfo", "UploadHeader", "RefusedFile", "RemovedFile"})
"""Types that show nothing of anybody's, or what the answer of a change says of it."""


# -- what it came to --------------------------------------------------------------------------------------------------


def asked(response: httpx.Response, query: Query, namespace: str) -> str:
    """What a query came to."""
    if response.status_code != 200:
        return refused(response)
    answer = response.json()
    if answer.get("errors"):
        return code_of(answer)
    found = answer["data"]["found"]
    return Answer.SEEN if found is not None and query.found(found, namespace) else Answer.MISSING


def code_of(answer: Mapping[str, Any]) -> str:
    """What an error of the request says."""
    known = {"UNAUTHENTICATED": Answer.UNKNOWN, "PERMISSION_DENIED": Answer.DENIED, "NOT_FOUND": Answer.MISSING}
    return known.get(answer["errors"][0]["extensions"]["code"]) or f"{answer['errors']}"
