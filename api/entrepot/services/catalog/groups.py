"""Who belongs where, as readers see it: groups and their members and packages, organizations of users, collaborators of packages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from entrepot.db.sql import Row, fetch, fetch_one, marks
from entrepot.services.catalog import namespaces, packages
from entrepot.services.catalog.pages import Condition, Order, Source
from entrepot.services.memberships import NOWHERE, OWNERS, groups_of, known_sql, organizations_known
from entrepot.services.permissions import API_READ, reads_everything

if TYPE_CHECKING:
    from entrepot.services.actors import Actor

COLUMNS = """member_group.id, member_group.uuid, member_group.namespace_id, member_group.name, member_group.name_key, member_group.permission,
    member_group.everything, member_group.created_at"""
GROUPS = Source(table="member_group", parent="namespace_id", columns=COLUMNS)

_PERSON = ", ".join(f"person.{column}" for column in ("name_key", *namespaces.COLUMNS.split(", ")))
_MEMBERS = "group_member JOIN namespace AS person ON person.id = group_member.user_id"
_PEOPLE = ", ".join(f"namespace.{column}" for column in ("name_key", *namespaces.COLUMNS.split(", ")))
MEMBERS_OF_GROUP = Source(
    table="namespace",
    parent="group_id",
    columns=f"{_PEOPLE}, namespace.group_id",
    rows=f"(SELECT {_PERSON}, group_member.group_id FROM {_MEMBERS}) AS namespace",
)
MEMBERS_OF_ORGANIZATION = Source(
    table="namespace",
    parent="organization_id",
    columns=f"{_PEOPLE}, namespace.organization_id",
    rows=f"""(SELECT DISTINCT {_PERSON}, member_group.namespace_id AS organization_id FROM {_MEMBERS}
        JOIN member_group ON member_group.id = group_member.group_id) AS namespace""",
)
ORGANIZATIONS_OF_USER = Source(
    table="namespace",
    parent="user_id",
    columns=f"{_PEOPLE}, namespace.user_id",
    rows=f"""(SELECT DISTINCT {_PERSON}, group_member.user_id FROM group_member JOIN member_group ON member_group.id = group_member.group_id
        JOIN namespace AS person ON person.id = member_group.namespace_id) AS namespace""",
)
COLLABORATORS = Source(
    table="namespace",
    parent="package_id",
    columns=f"{_PEOPLE}, namespace.package_id",
    rows=f"""(SELECT {_PERSON}, collaborator.package_id FROM collaborator JOIN namespace AS person ON person.id = collaborator.user_id)
        AS namespace""",
)
PACKAGES_OF_GROUP = Source(
    table="package",
    parent="group_id",
    columns=f"{packages.COLUMNS}, package.group_id",
    rows="""(SELECT group_package.group_id, package.* FROM group_package JOIN package ON package.id = group_package.package_id) AS package""",
)

BY_NAME = Order("name", ("name_key", "uuid"), (str, str))


@dataclass(frozen=True, slots=True)
class KnownOrganizations:
    """Of a user's organizations those of which the actor may know it."""


def condition_for(actor: Actor) -> Condition:
    """For `ORGANIZATIONS_OF_USER`."""
    condition = Condition()
    condition.add_numbered(known_sql(actor, condition.next, organization="namespace.id", user="namespace.user_id"))
    return condition


async def group_by_uuid(actor: Actor, *, uuid: str) -> Row | None:
    """The group of that id, if the actor may know of it."""
    row = await group_after(uuid)
    return row if row and row["namespace_id"] in await organizations_known(actor, [row["namespace_id"]]) else None


async def group_after(uuid: str) -> Row | None:
    """The group of that id, for who has just changed it."""
    return await fetch_one(f"SELECT {COLUMNS} FROM member_group WHERE uuid = $1", uuid)


async def known_organizations(actor: Actor, organizations: Sequence[int]) -> dict[int, bool]:
    """For each organization whether the actor may know who belongs to it."""
    known = await organizations_known(actor, organizations)
    return {one: one in known for one in organizations}


async def changes_owners(actor: Actor, organizations: Sequence[int]) -> dict[int, bool]:
    """For each organization whether the actor, who administers it, may say who owns it: as one of its owners, or as who administers all of them."""
    if reads_everything(actor, namespace_id=NOWHERE, needs=API_READ):
        return dict.fromkeys(organizations, True)
    mine = await groups_of(actor, organizations)
    rows = await fetch(
        f"SELECT id, namespace_id FROM member_group WHERE name_key = $1 AND namespace_id IN ({marks(organizations, 2)})", OWNERS, *organizations
    )
    return dict.fromkeys(organizations, False) | {row["namespace_id"]: row["id"] in mine[row["namespace_id"]] for row in rows}


async def may_be_left(actor: Actor, groups: Sequence[int]) -> dict[int, bool]:
    """For each group whether the actor is a member and may leave: not as the last owner who is not disabled."""
    rows = await fetch(
        f"""SELECT own.id FROM group_member JOIN member_group AS own ON own.id = group_member.group_id
        WHERE group_member.user_id = $1 AND own.id IN ({marks(groups, 3)}) AND (own.name_key <> $2 OR EXISTS (SELECT 1 FROM group_member AS other
        JOIN "user" ON "user".namespace_id = other.user_id WHERE other.group_id = own.id AND other.user_id <> $1 AND "user".disabled_at IS NULL))""",
        actor.namespace_id,
        OWNERS,
        *groups,
    )
    return dict.fromkeys(groups, False) | {row["id"]: True for row in rows}
