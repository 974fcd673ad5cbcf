"""The audit log: who did what to what. Append-only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from entrepot.clock import now
from entrepot.db.models import new_uuid
from entrepot.db.sql import execute
from entrepot.services.actors import Actor

OPERATOR = Actor(name="command line", is_admin=True, scopes=frozenset({"all"}))
"""Whoever may run commands on the server's own machine. No namespace can have this name, for it holds a space."""


async def record(*, actor: Actor, action: str, subject: str, namespace_id: int | None, details: Mapping[str, Any] | None = None) -> None:
    """Append one event, in the running transaction, so that it stands or falls with what it tells of.

    `action` is a word and a verb (`token.create`), `subject` what it was done to (`alice/numpy`); `details` are JSON values and never a secret.
    Call it before what it tells of is deleted: the name of the token that was used is taken from its row, which may go with it.
    """
    await execute(
        """INSERT INTO audit_event (uuid, at, actor, token_id, token_name, namespace_id, action, subject, details, address)
        VALUES ($1, $2, $3, (SELECT id FROM token WHERE id = $4), (SELECT name FROM token WHERE id = $4), $5, $6, $7, $8, $9)""",
        new_uuid(),
        now(),
        actor.name[:64],
        actor.token_id,
        namespace_id,
        action,
        subject[:1024],
        orjson.dumps(dict(details or {})).decode(),
        actor.address[:64],
    )
