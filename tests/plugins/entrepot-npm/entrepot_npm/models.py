"""The plugin's own table."""

from __future__ import annotations

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class NpmTagMove(Model):
    """A dist-tag was set, moved or removed. Only ever added to."""

    id = fields.BigIntField(primary_key=True)
    namespace = fields.CharField(max_length=64)  # lower-cased
    package = fields.CharField(max_length=255)
    tag = fields.CharField(max_length=128)
    version = fields.CharField(max_length=255, null=True)  # null: the tag was removed
    at = fields.BigIntField()  # milliseconds since 1970, UTC
    actor = fields.CharField(max_length=64)

    class Meta:
        table = "npm_tag_move"
        indexes = (Index(fields=("namespace", "package", "id")),)
