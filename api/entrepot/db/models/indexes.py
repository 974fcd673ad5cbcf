"""What index documents are rendered from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tortoise import fields
from tortoise.indexes import Index

from entrepot.db.models.table import Table

if TYPE_CHECKING:
    from entrepot.db.models.packages import File
    from entrepot.db.models.people import Namespace


class Entry(Table):
    """The stored record of one file in one index document, in one representation."""

    file: fields.ForeignKeyRelation[File] = fields.ForeignKeyField("models.File", related_name="entries")
    namespace_id = fields.BigIntField()  # with type, part and package: the file's own, repeated for the scan that renders a document
    package_id = fields.BigIntField()
    type = fields.CharField(max_length=32)
    document = fields.CharField(max_length=128)
    part = fields.CharField(max_length=255)
    representation = fields.CharField(max_length=32)
    sort_key = fields.BinaryField()
    body = fields.BinaryField()

    class Meta:
        table = "entry"
        unique_together = (("file", "document", "representation"),)
        indexes = (Index(fields=("namespace_id", "type", "document", "representation", "part")),)


class Head(Table):
    """Counts the generations of one (namespace, type, label, document). Caches key on its id, which is never used again."""

    namespace: fields.ForeignKeyRelation[Namespace] = fields.ForeignKeyField("models.Namespace", related_name="heads")
    type = fields.CharField(max_length=32)
    label = fields.CharField(max_length=128)
    document = fields.CharField(max_length=128)
    generation = fields.BigIntField(default=0)
    pruned = fields.BigIntField(default=0)  # the change log lacks generations up to this one
    hidden_at = fields.BigIntField(null=True)  # when a public package last left it: made private, deleted, or moved

    class Meta:
        table = "head"
        unique_together = (("namespace", "type", "label", "document"),)


class Change(Table):
    """The change log: which part changed in which generation of a head."""

    head: fields.ForeignKeyRelation[Head] = fields.ForeignKeyField("models.Head", related_name="changes")
    generation = fields.BigIntField()
    part = fields.CharField(max_length=255)
    changed_at = fields.BigIntField()

    class Meta:
        table = "change"
        unique_together = (("head", "generation", "part"),)
        indexes = (Index(fields=("head_id", "part", "generation")),)


class PastChange(Table):
    """When a part last changed, of what the change log has lost to pruning."""

    head: fields.ForeignKeyRelation[Head] = fields.ForeignKeyField("models.Head", related_name="past_changes")
    part = fields.CharField(max_length=255)
    changed_at = fields.BigIntField()

    class Meta:
        table = "past_change"
        unique_together = (("head", "part"),)


class Shard(Table):
    """An addressed part representation as some generation of its document named it. Any host serves it; gc removes it a week after a newer one."""

    head: fields.ForeignKeyRelation[Head] = fields.ForeignKeyField("models.Head", related_name="shards")
    representation = fields.CharField(max_length=32)
    part = fields.CharField(max_length=255)
    package_id = fields.BigIntField()  # decides who may read it, today
    sha256 = fields.CharField(max_length=64)
    generation = fields.BigIntField()
    stored_at = fields.BigIntField()
    body = fields.BinaryField()

    class Meta:
        table = "shard"
        unique_together = (("head", "sha256", "representation"),)
        indexes = (Index(fields=("head_id", "representation", "part", "generation", "sha256")),)  # what was last stored for a part


class SavedStore(Table):
    """Which shards a document named in some generation: a worker that starts goes on from there. Derived, and written anew now and then."""

    head: fields.ForeignKeyRelation[Head] = fields.ForeignKeyField("models.Head", related_name="saved_stores")
    representation = fields.CharField(max_length=32)
    rendering = fields.CharField(max_length=64)  # of what code and for what place: another's digests are of other shards
    generation = fields.BigIntField()
    body = fields.BinaryField()

    class Meta:
        table = "saved_store"
        unique_together = (("head", "representation"),)
