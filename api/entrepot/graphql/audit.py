"""AuditEvent in GraphQL."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Self

import orjson
import strawberry
from strawberry import relay
from strawberry.scalars import JSON

from entrepot.db.sql import Row
from entrepot.graphql.connection import Connection
from entrepot.graphql.context import Info
from entrepot.graphql.identity import uuid_of
from entrepot.graphql.page import ListKey, connection
from entrepot.graphql.scalars import Moment
from entrepot.graphql.token import Token
from entrepot.services.catalog.audit import AUDIT_LOG, NEWEST_FIRST, AuditFilter, event_by_uuid, may_read_log

if TYPE_CHECKING:
    from entrepot.graphql.namespace import Namespace

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@strawberry.type(description="Something that was done: by whom, to what, when, from where, with which token. Nobody can change it afterwards.")
class AuditEvent(relay.Node):
    """An event."""

    id: relay.NodeID[str]
    at: Moment = strawberry.field(description="When it was done.")
    actor: str = strawberry.field(description="Who did it, by the name of that time; `command line` is whoever works on the server's own machine.")
    action: str = strawberry.field(description="What was done: a word and a verb, such as `token.create`.")
    subject: str = strawberry.field(description="What it was done to, by the name of that time.")
    address: str = strawberry.field(description="The network address that the request came from; empty for the command line.")
    token_name: str | None = strawberry.field(description="What the token is called that was used; null: none was.")
    token_id: strawberry.ID | None = strawberry.field(description="The id of that token; null also where it has gone.")
    namespace_id: strawberry.Private[int | None]
    raw: strawberry.Private[str]

    @strawberry.field(description="What there is to say besides: an object. What stands in it depends on the action, and is never a secret.")
    def details(self) -> JSON:
        """Parsed where it is asked for."""
        return JSON(orjson.loads(self.raw))

    @strawberry.field(description="The namespace in whose log it stands; null where that has gone.")
    async def namespace(self, info: Info) -> Annotated[Namespace, strawberry.lazy("entrepot.graphql.namespace")] | None:
        """One query for all the events of an answer."""
        return None if self.namespace_id is None else await info.context.loaders.namespace.load(self.namespace_id)

    @classmethod
    async def resolve_nodes(  # type: ignore[override]  # Strawberry awaits it too, and types it as a plain function
        cls, *, info: Info, node_ids: Iterable[str], required: bool = False
    ) -> list[Self | None]:
        """The events of these ids that the actor may see."""
        context = info.context
        rows = [await event_by_uuid(context.site, context.actor, uuid=uuid) for uuid in node_ids]
        return [cls.of(row) if row else None for row in rows]

    @classmethod
    def of(cls, row: Row) -> Self:
        """From a row of the catalog."""
        values = {name: row[name] for name in ("at", "actor", "action", "subject", "address", "token_name", "namespace_id")}
        token = None if row["token_uuid"] is None else strawberry.ID(str(relay.GlobalID("Token", row["token_uuid"])))
        return cls(id=row["uuid"], token_id=token, raw=row["details"], **values)


@strawberry.type(description="A page of events.")
class AuditEventConnection(Connection[AuditEvent]):
    """Events, newest first."""


@strawberry.input(description="Which events are wanted. What is left out does not matter; texts are compared in whatever case.")
class AuditLogFilter:
    """What `auditLog` takes."""

    action: str | None = strawberry.field(default=None, description="What the action begins with: `token`, or `token.create`.")
    actor: str | None = strawberry.field(default=None, description="The name of who did it.")
    subject: str | None = strawberry.field(default=None, description="What the subject begins with, such as `alice/numpy`.")
    since: datetime | None = strawberry.field(default=None, description="Only what was done then or later.")
    until: datetime | None = strawberry.field(default=None, description="Only what was done before.")
    token_id: strawberry.ID | None = strawberry.field(default=None, description="Only what was done with the token of this id.")

    def for_catalog(self, info: Info) -> AuditFilter:
        """As the catalog takes it. Raises ValidationError for what is no token's id."""
        token = None if self.token_id is None else uuid_of(info, self.token_id, Token, field="token_id")
        return AuditFilter(
            action=self.action, actor=self.actor, subject=self.subject, since=_milliseconds(self.since), until=_milliseconds(self.until), token=token
        )


Filter = Annotated[AuditLogFilter | None, strawberry.argument(description="Which events; left out: all of them.")]


async def audit_log(
    info: Info, *, namespace_id: int | None, parent: str, filter: AuditLogFilter | None, first: int | None, after: str | None
) -> AuditEventConnection | None:
    """A page of the log of a namespace, or of the whole site; None for who may not read it."""
    context = info.context
    if not may_read_log(context.site, context.actor, namespace_id=namespace_id):
        return None
    events = ListKey(AUDIT_LOG, namespace_id, (filter or AuditLogFilter()).for_catalog(info))
    return await connection(AuditEventConnection, context, list=events, parent=parent, order=NEWEST_FIRST, first=first, after=after)


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - EPOCH) // timedelta(milliseconds=1)
