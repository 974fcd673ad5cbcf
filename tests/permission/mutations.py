"""How each mutation is called, and whom it serves. One that is not in the table fails the matrix."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from cast import ACME, PASSWORD, PASSWORD_HASH, Cast, Role, Thing, inserted
from entrepot.clock import now
from entrepot.db.models import new_uuid
from entrepot.db.sql import execute, fetch
from entrepot.services.tokens import create_token, list_tokens
from entrepot.services.users import create_user
from oracle import Answer, Level, World

from .operations import CONDA, refused
from .queries import code_of, gid


@dataclass(frozen=True)
class Call:
    """One call of a mutation."""

    role: Role
    thing: Thing
    """The package that it is about; one that is there for this call alone, if it shall be done."""
    number: int
    """Another one for each call."""
    private: bool = False
    """What the package is."""

    @property
    def target(self) -> str:
        """A namespace that the package may go to: the role's own, or that of somebody else."""
        own = self.role.credential.owner
        return own if own and own != self.thing.namespace else "bob"


Input = Mapping[str, Any]
Expected = Callable[[World, Call], Answer]
Before = Callable[[Cast, Call], Awaitable[Input]]


# -- whom it serves ---------------------------------------------------------------------------------------------------


def on_package(level: Level) -> Expected:
    """Who has the level on the package."""
    return lambda world, call: world.changes(call.role.credential, *call.thing.place, level)


def on_namespace(level: Level) -> Expected:
    """Who has the level on the namespace."""
    return lambda world, call: world.changes(call.role.credential, call.thing.namespace, None, level)


def going(level: Level, there: Level) -> Expected:
    """Who has one level on the package, and another where it goes."""

    def expected(world: World, call: Call) -> Answer:
        found = world.changes(call.role.credential, *call.thing.place, level)
        if found is Answer.DONE and world.given(call.role.credential, call.target) < there:
            return Answer.DENIED
        return found

    return expected


def on_some_package(world: World, call: Call) -> Answer:
    """Who may write to the namespace, or to some package in it."""
    who, namespace = call.role.credential, call.thing.namespace
    found = world.changes(who, namespace, None, Level.WRITE)
    somewhere = any(world.given(who, *place) >= Level.WRITE for place in world.private if place[0] == namespace)
    return Answer.DONE if found is Answer.DENIED and somewhere and world.mutates(who) is Answer.DONE else found


def on_copy(world: World, call: Call) -> Answer:
    """Who may read the package, and may write where it goes."""
    who = call.role.credential
    found = world.mutates(who)
    if found is Answer.DONE and not world.sees(who, call.thing.place, "api:read", "api:write"):
        return Answer.MISSING
    return Answer.DENIED if found is Answer.DONE and world.given(who, call.target) < Level.WRITE else found


def on_group(world: World, call: Call) -> Answer:
    """Who administers the organization; who does not belong to it knows of no group."""
    who = call.role.credential
    found = world.changes(who, ACME, None, Level.ADMIN)
    return Answer.MISSING if found is Answer.DENIED and world.mutates(who) is Answer.DONE and not world.belongs(who, ACME) else found


def on_file(world: World, call: Call) -> Answer:
    """Who administers the namespace; to who may not read the package there is none."""
    found = world.changes(call.role.credential, *call.thing.place, Level.WRITE)
    return world.changes(call.role.credential, call.thing.namespace, None, Level.ADMIN) if found is Answer.DONE else found


def on_token(world: World, call: Call) -> Answer:
    """Who administers the namespace; others know of no token."""
    found = world.changes(call.role.credential, call.thing.namespace, None, Level.ADMIN)
    return Answer.MISSING if found is Answer.DENIED and world.mutates(call.role.credential) is Answer.DONE else found


def on_self(world: World, call: Call) -> Answer:
    """Every user, with a credential that is bound to nothing."""
    who = call.role.credential
    found = world.mutates(who)
    return Answer.DENIED if found is Answer.DONE and (who.owner in world.organizations or who.bound_to) else found


def on_site(world: World, call: Call) -> Answer:
    """Who administers the site."""
    who = call.role.credential
    found = world.mutates(who)
    return Answer.DENIED if found is Answer.DONE and (who.owner not in world.admins or who.bound_to) else found


def bound_token(world: World, call: Call) -> Answer:
    """A user who was given something on the package, and administers themselves but for the package that their own token is bound to."""
    who = call.role.credential
    found = world.changes(who, *call.thing.place, Level.READ)
    return Answer.DENIED if found is Answer.DONE and who.owner in world.organizations else found


# -- what must be there first -----------------------------------------------------------------------------------------


async def nothing(cast: Cast, call: Call) -> Input:
    """Nothing more than the package."""
    return {}


async def token(cast: Cast, call: Call) -> Input:
    """Another token of the namespace's."""
    await create_token(cast.house.site.registry, owner=call.thing.namespace, name="to revoke")
    return {"tokenId": gid("Token", (await list_tokens(owner=call.thing.namespace))[0].id)}


async def password(cast: Cast, call: Call) -> Input:
    """The password of everybody as it was at first."""
    await execute('UPDATE "user" SET password_hash = $1', PASSWORD_HASH)
    return {}


async def session(cast: Cast, call: Call) -> Input:
    """A session of who asks; of alice where nobody does."""
    owner, uuid = cast.ids[call.role.credential.owner or "alice"], new_uuid()
    times = {"given_at": now(), "rotated_at": now(), "created_at": now(), "used_at": now(), "expires_at": now() + 60_000}
    await inserted("session", uuid=uuid, user_id=owner, digest=uuid, **times, address="", agent="")
    return {"sessionId": uuid}


async def user(cast: Cast, call: Call) -> Input:
    """Another user."""
    await create_user(cast.house.site.registry, name=f"user{call.number}", password=None, admin=False)
    return {"name": f"user{call.number}"}


async def disabled_user(cast: Cast, call: Call) -> Input:
    """Another user, who is disabled."""
    given = await user(cast, call)
    await execute('UPDATE "user" SET disabled_at = $1 WHERE namespace_id = (SELECT id FROM namespace WHERE name = $2)', now(), f"user{call.number}")
    return given


async def label(cast: Cast, call: Call) -> Input:
    """A label of the namespace that no file has."""
    await _label(cast, call, locked=False)
    return {}


async def hotfixed(cast: Cast, call: Call) -> Input:
    """A hotfix of the file: without one there is nothing to remove."""
    await execute("UPDATE file SET state = $1 WHERE uuid = $2", '{"hotfix": {"license": "MIT"}}', call.thing.file)
    return {}


async def project(cast: Cast, call: Call) -> Input:
    """The package is a PyPI project too."""
    await execute(
        """INSERT INTO binding (namespace_id, package_id, type, name, state) VALUES ($1, $2, 'pypi', $3, '{}')
        ON CONFLICT (namespace_id, type, name) DO NOTHING""",
        cast.ids[call.thing.namespace],
        call.thing.id,
        call.thing.name,
    )
    return {}


async def wheel(cast: Cast, call: Call, state: str = "{}") -> Input:
    """A wheel in the package."""
    await project(cast, call)
    [row] = await fetch(
        """SELECT binding.id AS binding, release.id AS release, file.sha256 FROM file JOIN release ON release.id = file.release_id
        JOIN binding ON binding.package_id = file.package_id AND binding.type = 'pypi' WHERE file.uuid = $1""",
        call.thing.file,
    )
    path, place = f"{call.thing.name}-{call.number}-py3-none-any.whl", {"namespace_id": cast.ids[call.thing.namespace], "package_id": call.thing.id}
    identity = {
        "release_id": row["release"],
        "binding_id": row["binding"],
        "type": "pypi",
        "version": f"{call.number}",
        "path": path,
        "basename": path,
    }
    said = {"platform": "", "summary": "", "license": "", "attributes": "{}", "state": state, "entry_version": 1, "uploaded_at": now()}
    digests = {"size": 1, "sha256": row["sha256"], "md5": "0" * 32, "blake2b": "0" * 64}
    await inserted("file", uuid=(uuid := new_uuid()), **place, **identity, **said, **digests)
    return {"files": {"ids": [gid("PypiFile", uuid)]}}


async def yanked_wheel(cast: Cast, call: Call) -> Input:
    """The same, yanked: else there is nothing to undo."""
    return await wheel(cast, call, '{"yanked": true}')


async def notice(cast: Cast, call: Call) -> Input:
    """A notice of the namespace."""
    values = {"level": "info", "message": "Hello.", "created_at": now(), "expires_at": now() + 3_600_000}
    await inserted("notice", uuid=(uuid := new_uuid()), namespace_id=cast.ids[call.thing.namespace], **values)
    return {"noticeId": gid("Notice", uuid)}


async def locked_label(cast: Cast, call: Call) -> Input:
    """The same, locked."""
    await _label(cast, call, locked=True)
    return {}


async def _label(cast: Cast, call: Call, *, locked: bool) -> None:
    namespace, at = cast.ids[call.thing.namespace], now()
    await inserted("label", uuid=new_uuid(), namespace_id=namespace, name=f"old{call.number}", locked_at=at if locked else None, created_at=at)


async def collaborator(cast: Cast, call: Call) -> Input:
    """Dora, who has the package's trust already."""
    await execute("DELETE FROM collaborator WHERE package_id = $1 AND user_id = $2", call.thing.id, cast.ids["dora"])
    await inserted("collaborator", package_id=call.thing.id, user_id=cast.ids["dora"], added_at=now())
    return {}


async def group_with_it(cast: Cast, call: Call) -> Input:
    """A group of the organization that is about the package too."""
    given = await group(cast, call)
    [row] = await fetch("SELECT id FROM member_group WHERE namespace_id = $1 AND name = $2", cast.ids[ACME], f"group{call.number}")
    await inserted("group_package", group_id=row["id"], package_id=call.thing.id)
    return given


async def group(cast: Cast, call: Call) -> Input:
    """A group of the organization, about another package, in which dora is."""
    uuid, name = new_uuid(), f"group{call.number}"
    values = {"name": name, "name_key": name, "permission": "read", "everything": False, "created_at": now()}
    made = await inserted("member_group", uuid=uuid, namespace_id=cast.ids[ACME], **values)
    await inserted("group_package", group_id=made, package_id=cast.other)
    await inserted("group_member", group_id=made, user_id=cast.ids["dora"], added_at=now())
    return {"groupId": gid("Group", uuid)}


async def namespace(cast: Cast, call: Call) -> Input:
    """The id of the namespace."""
    [row] = await fetch("SELECT uuid, kind FROM namespace WHERE id = $1", cast.ids[call.thing.namespace])
    return {"namespaceId": gid("User" if row["kind"] == "user" else "Organization", row["uuid"])}


async def organization(cast: Cast, call: Call) -> Input:
    """The id of the organization."""
    [row] = await fetch("SELECT uuid FROM namespace WHERE id = $1", cast.ids[ACME])
    return {"organizationId": gid("Organization", row["uuid"])}


# -- the table --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mutation:
    """A mutation: whom it serves, and what it is called with."""

    expected: Expected
    input: Callable[[Call], Input] = lambda call: {}
    before: Before = nothing
    """What must be there first; answers what joins the input."""
    organization: bool = False
    """Whether it is about the organization, whoever asks."""
    past: str = ""
    """The typed error that whoever is let pass gets: for what can be done but once on a site."""


def package(call: Call, **more: Any) -> Input:
    """The package's id."""
    return {"packageId": gid("Package", call.thing.uuid), **more}


def files(call: Call, **more: Any) -> Input:
    """The package's only file, named in one way or another."""
    ways: list[Input] = [
        {"ids": [gid("CondaFile", call.thing.file)]},
        {"addresses": [{"namespace": call.thing.namespace, "type": "conda", "path": f"noarch/{call.thing.name}-1.0-0.conda"}]},
    ]
    return {"files": ways[call.number % len(ways)], **more}


def here(call: Call, **more: Any) -> Input:
    """The namespace's name."""
    return {"namespace": call.thing.namespace, **more}


def tomorrow() -> str:
    """A time that is to come."""
    return (datetime.now(UTC) + timedelta(days=1)).isoformat()


READ, WRITE, ADMIN = Level.READ, Level.WRITE, Level.ADMIN
PACKAGES: Mapping[str, Mutation] = {
    "createPackage": Mutation(on_namespace(WRITE), lambda call: here(call, name=f"new-{call.number}")),
    "createPackage that is private": Mutation(on_namespace(WRITE), lambda call: here(call, name=f"new-{call.number}", visibility="PRIVATE")),
    "createUpload": Mutation(on_some_package, lambda call: here(call, basename=CONDA[0], package=f"new-{call.number}")),
    "createUpload that says all": Mutation(
        on_some_package,
        lambda call: here(
            call, basename=CONDA[0], package="thing", version="1", type="conda", labels=["main"], visibility="PUBLIC", size=1, sha256="0" * 64
        ),
    ),
    "updatePackage": Mutation(on_package(WRITE), lambda call: package(call, summary=f"{call.number}")),
    "updatePackage visibility": Mutation(on_package(ADMIN), lambda call: package(call, visibility="PUBLIC" if call.private else "PRIVATE")),
    "deletePackage": Mutation(on_package(ADMIN), lambda call: package(call, confirmation="/".join(call.thing.place))),
    "transferPackage": Mutation(going(ADMIN, ADMIN), lambda call: package(call, namespace=call.target)),
    "addCollaborator": Mutation(on_package(ADMIN), lambda call: package(call, user="dora")),
    "removeCollaborator": Mutation(on_package(ADMIN), lambda call: package(call, user="dora"), collaborator),
    "removeRelease": Mutation(on_package(WRITE), lambda call: {"releaseId": gid("Release", call.thing.release)}),
    "removeFiles": Mutation(on_package(WRITE), files),
    "removeFiles of a package": Mutation(on_package(WRITE), lambda call: {"files": package(call)}),
    "removeFiles of a release": Mutation(on_package(WRITE), lambda call: {"files": {"releaseId": gid("Release", call.thing.release)}}),
    "copyFiles": Mutation(on_copy, lambda call: files(call, namespace=call.target)),
    "copyFiles over": Mutation(on_copy, lambda call: files(call, namespace=call.target, mode="REPLACE")),
    "copyFiles within": Mutation(on_package(WRITE), lambda call: files(call, labels=[f"l{call.number}"])),
    "moveFiles": Mutation(going(WRITE, WRITE), lambda call: files(call, namespace=call.target)),
    "moveFiles within": Mutation(on_package(WRITE), lambda call: files(call, labels=[f"l{call.number}"], fromLabel="main")),
    "addLabel": Mutation(on_package(WRITE), lambda call: files(call, label=f"l{call.number}")),
    "removeLabel": Mutation(on_package(WRITE), lambda call: files(call, label="main")),
}
LABELS: Mapping[str, Mutation] = {
    "createLabel": Mutation(on_namespace(ADMIN), lambda call: here(call, label=f"l{call.number}")),
    "copyLabel": Mutation(on_namespace(ADMIN), lambda call: here(call, **{"from": "main", "to": f"l{call.number}"})),
    "moveLabel": Mutation(on_namespace(ADMIN), lambda call: here(call, **{"from": f"old{call.number}", "to": f"l{call.number}"}), label),
    "deleteLabel": Mutation(on_namespace(ADMIN), lambda call: here(call, label=f"old{call.number}"), label),
    "lockLabel": Mutation(on_namespace(ADMIN), lambda call: here(call, label=f"old{call.number}"), label),
    "unlockLabel": Mutation(on_namespace(ADMIN), lambda call: here(call, label=f"old{call.number}"), locked_label),
}
TOLD: Mapping[str, Mutation] = {
    "setHotfix": Mutation(on_file, lambda call: files(call, hotfix={"depends": [f"other >={call.number}"]})),
    "removeHotfix": Mutation(on_file, files, hotfixed),
    "yankFiles": Mutation(on_package(WRITE), lambda call: {"reason": f"{call.number}"}, wheel),
    "unyankFiles": Mutation(on_package(WRITE), before=yanked_wheel),
    "setProjectStatus": Mutation(
        on_package(ADMIN), lambda call: here(call, project=call.thing.name, status="ARCHIVED", reason=f"{call.number}"), project
    ),
    "createNotice": Mutation(on_namespace(ADMIN), lambda call: here(call, message="Hello.", level="WARNING", expiresAt=tomorrow())),
    "deleteNotice": Mutation(on_namespace(ADMIN), before=notice),
}
NAMESPACES: Mapping[str, Mutation] = {
    "updateNamespace": Mutation(on_namespace(ADMIN), lambda call: {"description": f"{call.number}"}, namespace),
    "updateNamespace defaultVisibility": Mutation(
        on_namespace(ADMIN), lambda call: {"defaultVisibility": "PRIVATE", "displayName": f"{call.number}"}, namespace
    ),
    "updateNamespace strictness": Mutation(on_namespace(ADMIN), lambda call: {"strictness": "PUBLIC", "displayName": f"{call.number}"}, namespace),
    "deleteOrganization": Mutation(
        on_namespace(ADMIN), lambda call: {"confirmation": "another"}, organization, organization=True, past="ValidationError"
    ),
    "createOrganization": Mutation(on_self, lambda call: {"name": f"organization{call.number}"}),
    "createGroup": Mutation(
        on_namespace(ADMIN), lambda call: {"organization": ACME, "name": f"g{call.number}", "permission": "READ"}, organization=True
    ),
    "updateGroup": Mutation(on_group, lambda call: {"permission": "WRITE"}, group, organization=True),
    "updateGroup to everything": Mutation(
        on_group, lambda call: {"everything": True, "name": f"g{call.number}", "permission": "ADMIN"}, group, organization=True
    ),
    "createGroup on everything": Mutation(
        on_namespace(ADMIN),
        lambda call: {"organization": ACME, "name": f"g{call.number}", "permission": "ADMIN", "everything": True},
        organization=True,
    ),
    "deleteGroup": Mutation(on_group, before=group, organization=True),
    "addGroupMember": Mutation(on_group, lambda call: {"user": "bruno"}, group, organization=True),
    "removeGroupMember": Mutation(on_group, lambda call: {"user": "dora"}, group, organization=True),
    "addGroupPackage": Mutation(on_group, package, group, organization=True),
    "removeGroupPackage": Mutation(on_group, package, group_with_it, organization=True),
}
ACCOUNTS: Mapping[str, Mutation] = {
    "createToken": Mutation(on_self, lambda call: {"name": f"made {call.number}", "scopes": ["api:read"]}),
    "createToken of the organization": Mutation(
        on_namespace(ADMIN), lambda call: {"name": f"made {call.number}", "scopes": ["api:read"], "owner": ACME}, organization=True
    ),
    "createToken that is bound": Mutation(bound_token, lambda call: package(call, name=f"made {call.number}", scopes=["api:read"])),
    "revokeToken": Mutation(on_token, before=token),
    "changePassword": Mutation(on_self, lambda call: {"oldPassword": PASSWORD, "newPassword": "another correct horse"}, password),
    "endSession": Mutation(on_self, before=session),
    "createUser": Mutation(on_site, lambda call: {"name": f"made{call.number}"}),
    "createUser who administers": Mutation(on_site, lambda call: {"name": f"made{call.number}", "admin": True}),
    "disableUser": Mutation(on_site, before=user),
    "enableUser": Mutation(on_site, before=disabled_user),
}
MUTATIONS: Mapping[str, Mutation] = {**PACKAGES, **LABELS, **TOLD, **NAMESPACES, **ACCOUNTS}
"""By the name of the field and, behind a space, what is special about the call."""
BRINGS: Mapping[Before, frozenset[str]] = {
    token: frozenset({"tokenId"}),
    session: frozenset({"sessionId"}),
    wheel: frozenset({"files"}),
    yanked_wheel: frozenset({"files"}),
    notice: frozenset({"noticeId"}),
    **{one: frozenset({"name"}) for one in (user, disabled_user)},
    **{one: frozenset({"groupId"}) for one in (group, group_with_it)},
    namespace: frozenset({"namespaceId"}),
    organization: frozenset({"organizationId"}),
}
"""The arguments that come from what must be there first."""
UNTRIED: Mapping[str, frozenset[str]] = {
    "createPackage": frozenset({"summary", "description"}),
    "updatePackage": frozenset({"description"}),
    "createOrganization": frozenset({"displayName", "description"}),
    "createToken": frozenset({"expiresIn"}),
    "createUser": frozenset({"password"}),
    "removeFiles": frozenset({"allOrNothing"}),
    "copyFiles": frozenset({"fromLabel"}),
    "moveFiles": frozenset({"mode"}),
}
"""Arguments that no call gives, since nobody needs more or less for them."""
OPEN = {
    "login": "takes a password: tests/accounts",
    "register": "has a setting of its own: tests/accounts",
    "logout": "takes a session: tests/accounts",
}
"""Mutations that are for who has no credential."""


def changed(response: httpx.Response, past: str = "") -> str:
    """What a mutation came to."""
    if response.status_code != 200:
        return refused(response)
    answer = response.json()
    if answer.get("errors"):
        return code_of(answer)
    made = answer["data"]["found"]
    kinds = {"NotFoundError": Answer.MISSING, "PermissionDeniedError": Answer.DENIED}
    if made["__typename"].endswith("Payload") or made["__typename"] == past:
        return Answer.DONE
    return kinds.get(made["__typename"]) or f"{made['__typename']}: {made.get('message')}"
