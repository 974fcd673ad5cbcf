"""What tables have in common."""

from __future__ import annotations

from uuid import uuid4

from tortoise import fields
from tortoise.models import Model


def new_uuid() -> str:
    """A random id to show outside."""
    return str(uuid4())


class Table(Model):
    """What most tables have."""

    id = fields.BigIntField(primary_key=True)

    class Meta:
        abstract = True


class Named(Table):
    """A thing that is shown outside under a random id."""

    uuid = fields.CharField(max_length=36, unique=True, default=new_uuid)

    class Meta:
        abstract = True
