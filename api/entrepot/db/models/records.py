"""What is known of bytes, and of what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from entrepot.db.models.table import Named

if TYPE_CHECKING:
    from entrepot.db.models.people import Namespace, Token


class Blob(Model):
    """Bytes in storage. `claimed`: an upload is about to put them; `stored`: they are durable; `deleting`: gc is about to unlink them."""

    sha256 = fields.CharField(max_length=64, primary_key=True)
    size = fields.BigIntField()
    state = fields.CharField(max_length=16)
    touched_at = fields.BigIntField()
    incarnation = fields.BigIntField(null=True)  # random, from the row's making to its end: bytes that were unlinked since have another one

    class Meta:
        table = "blob"


class AuditEvent(Named):
    """Who did what to what, when, from where, with which token. Append-only."""

    # triggers refuse to change or delete an event; a key alone becomes null, when the row that it points to goes

    at = fields.BigIntField()
    actor = fields.CharField(max_length=64)
    token: fields.ForeignKeyNullableRelation[Token] = fields.ForeignKeyField(
        "models.Token", related_name="events", null=True, on_delete=fields.SET_NULL
    )
    token_name = fields.CharField(max_length=128, null=True)  # it stays when the token goes
    namespace: fields.ForeignKeyNullableRelation[Namespace] = fields.ForeignKeyField(
        "models.Namespace", related_name="events", null=True, on_delete=fields.SET_NULL
    )
    action = fields.CharField(max_length=64)
    subject = fields.CharField(max_length=1024)
    details = fields.TextField(default="{}")  # JSON
    address = fields.CharField(max_length=64, default="")

    class Meta:
        table = "audit_event"
        indexes = (Index(fields=("token_id",)), Index(fields=("namespace_id", "at", "uuid")), Index(fields=("at", "uuid")))
