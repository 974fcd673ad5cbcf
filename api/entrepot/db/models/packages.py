"""What there is: packages and what they are of, their labels, and what they leave behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tortoise import fields
from tortoise.indexes import Index

from entrepot.db.models.table import Named, Table

if TYPE_CHECKING:
    from entrepot.db.models.people import Namespace, Session, Token


class Package(Named):
    """A named thing in a namespace, of one or more package types."""

    namespace: fields.ForeignKeyRelation[Namespace] = fields.ForeignKeyField("models.Namespace", related_name="packages")
    name = fields.CharField(max_length=255)
    name_key = fields.CharField(max_length=255)
    private = fields.BooleanField(default=False)
    summary = fields.TextField(default="")
    description = fields.TextField(default="")
    created_at = fields.BigIntField()
    updated_at = fields.BigIntField()

    class Meta:
        table = "package"
        unique_together = (("namespace", "name_key"),)
        indexes = (Index(fields=("name_key",)),)


class FreedPackage(Table):
    """The name of a package that was deleted or has moved: only who administers the namespace may take it again."""

    namespace: fields.ForeignKeyRelation[Namespace] = fields.ForeignKeyField("models.Namespace", related_name="freed_packages")
    name_key = fields.CharField(max_length=255)
    freed_at = fields.BigIntField()
    private = fields.BooleanField()  # whether the package was: what takes the name without saying is so too
    moved_to: fields.ForeignKeyNullableRelation[Package] = fields.ForeignKeyField(
        "models.Package", related_name="former_names", null=True, on_delete=fields.SET_NULL
    )

    class Meta:
        table = "freed_package"
        unique_together = (("namespace", "name_key"),)
        indexes = (Index(fields=("moved_to_id",)),)


class Binding(Table):
    """A type's canonical name in a namespace, bound to one package."""

    namespace: fields.ForeignKeyRelation[Namespace] = fields.ForeignKeyField("models.Namespace", related_name="bindings")
    package: fields.ForeignKeyRelation[Package] = fields.ForeignKeyField("models.Package", related_name="bindings")
    type = fields.CharField(max_length=32)
    name = fields.CharField(max_length=255)
    state = fields.TextField(default="{}")  # JSON

    class Meta:
        table = "binding"
        unique_together = (("namespace", "type", "name"),)
        indexes = (Index(fields=("package_id",)),)


class Release(Named):
    """One version of a package."""

    package: fields.ForeignKeyRelation[Package] = fields.ForeignKeyField("models.Package", related_name="releases")
    version = fields.CharField(max_length=255)
    canonical_version = fields.CharField(max_length=255)
    version_key = fields.BinaryField()
    created_at = fields.BigIntField()

    class Meta:
        table = "release"
        unique_together = (("package", "canonical_version"),)


class File(Named):
    """One uploaded artifact of a release."""

    namespace: fields.ForeignKeyRelation[Namespace] = fields.ForeignKeyField("models.Namespace", related_name="files")
    package: fields.ForeignKeyRelation[Package] = fields.ForeignKeyField("models.Package", related_name="files")
    release: fields.ForeignKeyRelation[Release] = fields.ForeignKeyField("models.Release", related_name="files")
    binding: fields.ForeignKeyRelation[Binding] = fields.ForeignKeyField("models.Binding", related_name="files")
    type = fields.CharField(max_length=32)
    version = fields.CharField(max_length=255)
    path = fields.CharField(max_length=512)
    basename = fields.CharField(max_length=255)
    platform = fields.CharField(max_length=64, default="")
    summary = fields.TextField(default="")
    license = fields.TextField(default="")
    size = fields.BigIntField()
    sha256 = fields.CharField(max_length=64, db_index=True)
    md5 = fields.CharField(max_length=32)
    blake2b = fields.CharField(max_length=64)
    attributes = fields.TextField(default="{}")  # JSON
    state = fields.TextField(default="{}")  # JSON
    entry_version = fields.IntField()
    uploaded_by: fields.ForeignKeyNullableRelation[Namespace] = fields.ForeignKeyField(
        "models.Namespace", related_name="uploads", null=True, on_delete=fields.SET_NULL
    )
    uploaded_at = fields.BigIntField()

    class Meta:
        table = "file"
        unique_together = (("namespace", "type", "path"),)
        indexes = (Index(fields=("package_id",)), Index(fields=("release_id",)), Index(fields=("binding_id",)), Index(fields=("uploaded_by_id",)))


class Extra(Table):
    """A small blob that belongs to a file."""

    file: fields.ForeignKeyRelation[File] = fields.ForeignKeyField("models.File", related_name="extras")
    name = fields.CharField(max_length=64)
    sha256 = fields.CharField(max_length=64, db_index=True)
    size = fields.BigIntField()
    media_type = fields.CharField(max_length=128)

    class Meta:
        table = "extra"
        unique_together = (("file", "name"),)


class Download(Table):
    """How often a file was downloaded on a day."""

    file: fields.ForeignKeyRelation[File] = fields.ForeignKeyField("models.File", related_name="downloads")
    day = fields.IntField()  # since 1970, in UTC
    count = fields.BigIntField()

    class Meta:
        table = "download"
        unique_together = (("file", "day"),)


class StagedUpload(Named):
    """An upload that was announced: whoever holds its URL may send the bytes, once, for as long as it and the token that made it are valid."""

    digest = fields.CharField(max_length=64, unique=True)  # sha256 of the secret in the URL
    namespace: fields.ForeignKeyRelation[Namespace] = fields.ForeignKeyField("models.Namespace", related_name="staged_uploads")
    creator: fields.ForeignKeyRelation[Namespace] = fields.ForeignKeyField("models.Namespace", related_name="created_uploads")
    token: fields.ForeignKeyNullableRelation[Token] = fields.ForeignKeyField("models.Token", related_name="staged_uploads", null=True)
    session: fields.ForeignKeyNullableRelation[Session] = fields.ForeignKeyField("models.Session", related_name="staged_uploads", null=True)
    basename = fields.CharField(max_length=255)
    parameters = fields.TextField()  # JSON: type, package, version, labels, private, digests
    sha256 = fields.CharField(max_length=64, null=True)  # of the bytes, once they have arrived
    size = fields.BigIntField(null=True)
    created_at = fields.BigIntField()
    expires_at = fields.BigIntField()
    finished_at = fields.BigIntField(null=True)

    class Meta:
        table = "staged_upload"
        indexes = (
            Index(fields=("namespace_id",)),
            Index(fields=("creator_id",)),
            Index(fields=("token_id",)),
            Index(fields=("session_id",)),
            Index(fields=("expires_at",)),
        )


class Tombstone(Table):
    """What stays of a removed file."""

    namespace: fields.ForeignKeyRelation[Namespace] = fields.ForeignKeyField("models.Namespace", related_name="tombstones")
    type = fields.CharField(max_length=32)
    path = fields.CharField(max_length=512)
    sha256 = fields.CharField(max_length=64)
    removed_at = fields.BigIntField()
    removed_by = fields.CharField(max_length=64)
    moved_to: fields.ForeignKeyNullableRelation[File] = fields.ForeignKeyField(
        "models.File", related_name="former_paths", null=True, on_delete=fields.SET_NULL
    )
    # where a file went that has moved to another namespace

    class Meta:
        table = "tombstone"
        indexes = (Index(fields=("namespace_id", "type", "path")), Index(fields=("moved_to_id",)))


class Label(Named):
    """A tag on files in a namespace that selects what a channel shows."""

    namespace: fields.ForeignKeyRelation[Namespace] = fields.ForeignKeyField("models.Namespace", related_name="labels")
    name = fields.CharField(max_length=128)
    locked_at = fields.BigIntField(null=True)
    created_at = fields.BigIntField()

    class Meta:
        table = "label"
        unique_together = (("namespace", "name"),)


class FileLabel(Table):
    """A label on a file."""

    file: fields.ForeignKeyRelation[File] = fields.ForeignKeyField("models.File", related_name="file_labels")
    label: fields.ForeignKeyRelation[Label] = fields.ForeignKeyField("models.Label", related_name="file_labels")

    class Meta:
        table = "file_label"
        unique_together = (("file", "label"),)
        indexes = (Index(fields=("label_id", "file_id")),)
