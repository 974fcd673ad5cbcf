"""Who belongs to an organization, and who may know it: its members, its own tokens, the user himself, and the administrators of the site."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from entrepot.db.sql import Row, fetch, fetch_one, marks
from entrepot.errors import Conflict, NotFound, ValidationError
from entrepot.services.namespaces import GRAMMAR, name_key
from entrepot.services.permissions import API_READ, API_WRITE, reads_everything

if TYPE_CHECKING:
    from entrepot.services.actors import Actor

OWNERS = "owners"
"""The group that an organization begins with and never loses."""
NOWHERE = 0
"""The inner id of no namespace: who reads even this one reads all."""


async def groups_of(actor: Actor, organizations: Sequence[int]) -> dict[int, set[int]]:
    """The ids of the groups that the actor is a member of, by the id of the organization."""
    rows = await fetch(
        f"""SELECT member_group.namespace_id, member_group.id FROM group_member JOIN member_group ON member_group.id = group_member.group_id
        WHERE group_member.user_id = $1 AND member_group.namespace_id IN ({marks(organizations, 2)})""",
        actor.namespace_id,
        *organizations,
    )
    found: dict[int, set[int]] = defaultdict(set)
    for row in rows:
        found[row["namespace_id"]].add(row["id"])
    return {one: found[one] for one in organizations}


async def organizations_known(actor: Actor, organizations: Sequence[int], *, needs: Sequence[str] = API_READ) -> set[int]:
    """Those organizations of which the actor may know who belongs to them, with a credential that covers one of the needs."""
    if not _may_be_member(actor, needs):
        return {one for one in organizations if reads_everything(actor, namespace_id=one, needs=needs)}
    mine = await groups_of(actor, organizations)
    return {one for one in organizations if mine[one] or reads_everything(actor, namespace_id=one, needs=needs)}


def known_sql(actor: Actor, start: int, *, organization: str, user: str) -> tuple[str, list[Any]]:
    """An SQL condition that holds where the actor may know that a user (a column) belongs to an organization, with `$n` from `start`.

    Answers its values too.
    """
    if reads_everything(actor, namespace_id=NOWHERE, needs=API_READ):
        return "1 = 1", []
    if not _may_be_member(actor, API_READ):
        return "1 = 0", []
    viewer = f"${start}"
    return (
        f"""{user} = {viewer} OR {organization} = {viewer} OR {organization} IN (SELECT own.namespace_id FROM member_group AS own
        JOIN group_member AS membership ON membership.group_id = own.id WHERE membership.user_id = {viewer})""",
        [actor.namespace_id],
    )


def _may_be_member(actor: Actor, needs: Sequence[str]) -> bool:
    """Whether memberships count for the actor: not for a token that is bound to a package, which is about nothing else."""
    return actor.namespace_id is not None and actor.package_id is None and actor.allows(*needs)


async def knows(actor: Actor, organization: int) -> bool:
    """Whether the actor may know who belongs to an organization, to look or to change something."""
    return organization in await organizations_known(actor, [organization], needs=(*API_READ, *API_WRITE))


PERSON = """SELECT namespace.id, namespace.name, namespace.kind, "user".disabled_at FROM namespace
    LEFT JOIN "user" ON "user".namespace_id = namespace.id WHERE namespace.name_key = $1"""


async def person_named(name: str) -> Row:
    """The user of that name, in whatever case, disabled or not, as (id, name, disabled_at). Raises NotFound, ValidationError for an organization."""
    row = await fetch_one(PERSON, name_key(name)) if GRAMMAR.fullmatch(name) else None
    if row is None:
        raise NotFound(f"There is no user {name[:64]!r}. Check the spelling: it is the name at the beginning of the user's own pages.")
    if row["kind"] != "user":
        raise ValidationError(f"{row['name']} is an organization. Name a user: only people are given access by others.", field="user")
    return row


async def active_person_named(name: str) -> Row:
    """The same, for who is to be given something. Raises Conflict for a disabled user besides."""
    row = await person_named(name)
    if row["disabled_at"] is not None:
        raise Conflict(f"The user {row['name']} is disabled and can be given nothing. An administrator of this site may enable {row['name']} again.")
    return row
