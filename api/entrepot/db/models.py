"""The tables. Used for writing and as the source of migrations; hot paths and GraphQL read by SQL.

Every time is an integer: milliseconds since 1970 in UTC. Every id that is shown outside is a random UUID in `uuid`; the integer ids stay inside
and are never used twice (AUTOINCREMENT, bigserial). JSON columns are text, written by orjson: nothing filters on them.
"""

from __future__ import annotations

from uuid import uuid4

from tortoise import fields
from tortoise.indexes import Index
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


class Namespace(Named):
    """Where packages live: a user's or an organization's."""

    name = fields.CharField(max_length=64)
    name_key = fields.CharField(max_length=64, unique=True)  # lower-cased
    kind = fields.CharField(max_length=16)  # user | organization
    display_name = fields.CharField(max_length=128, default="")
    description = fields.TextField(default="")
    replace = fields.CharField(max_length=16, default="after-removal")  # after-removal | never
    default_visibility = fields.CharField(max_length=8, null=True)  # public | private, of packages that are new; null: public
    created_at = fields.BigIntField()

    class Meta:
        table = "namespace"


class User(Table):
    """What a namespace of kind user has besides."""

    namespace: fields.OneToOneRelation[Namespace] = fields.OneToOneField("models.Namespace", related_name="user")
    password_hash = fields.CharField(max_length=255, null=True)
    is_admin = fields.BooleanField(default=False)
    disabled_at = fields.BigIntField(null=True)
    organizations = fields.IntField(null=True)  # how many it has ever created: their names are never given again

    class Meta:
        table = "user"


class Session(Named):
    """A user who has logged in with a password. Only the sha256 of the cookie's secret is stored."""

    user: fields.ForeignKeyRelation[Namespace] = fields.ForeignKeyField("models.Namespace", related_name="sessions")
    digest = fields.CharField(max_length=64, unique=True)
    given_at = fields.BigIntField()  # when the present secret was handed out
    previous_digest = fields.CharField(max_length=64, unique=True, null=True)  # of the secret before it
    rotated_at = fields.BigIntField(null=True)  # when the present secret was first used; the one before counts a minute more
    created_at = fields.BigIntField()
    used_at = fields.BigIntField()  # at most hourly
    expires_at = fields.BigIntField()
    address = fields.CharField(max_length=64, default="")
    agent = fields.CharField(max_length=255, default="")

    class Meta:
        table = "session"
        indexes = (Index(fields=("user_id",)), Index(fields=("expires_at",)))


class LoginFailure(Model):
    """How often logging in to an account, or from an address, has failed since the last success or pause."""

    key = fields.CharField(max_length=64, primary_key=True)  # sha256 of what is counted: a name that nobody has is counted too
    failures = fields.IntField()
    last_at = fields.BigIntField()

    class Meta:
        table = "login_failure"
        indexes = (Index(fields=("last_at",)),)


class Group(Named):
    """Inside an organization: members × packages × one permission. `owners` is the one that cannot go."""

    namespace: fields.ForeignKeyRelation[Namespace] = fields.ForeignKeyField("models.Namespace", related_name="groups")
    name = fields.CharField(max_length=64)
    name_key = fields.CharField(max_length=64)  # lower-cased
    permission = fields.CharField(max_length=8)  # read | write | admin
    everything = fields.BooleanField()  # every package of the organization, and the namespace itself; else those named
    created_at = fields.BigIntField()

    class Meta:
        table = "member_group"  # `group` is a word of SQL
        unique_together = (("namespace", "name_key"),)


class GroupMember(Table):
    """A user in a group."""

    group: fields.ForeignKeyRelation[Group] = fields.ForeignKeyField("models.Group", related_name="members")
    user: fields.ForeignKeyRelation[Namespace] = fields.ForeignKeyField("models.Namespace", related_name="memberships")
    added_at = fields.BigIntField()

    class Meta:
        table = "group_member"
        unique_together = (("group", "user"),)
        indexes = (Index(fields=("user_id",)),)


class GroupPackage(Table):
    """A package that a group is about."""

    group: fields.ForeignKeyRelation[Group] = fields.ForeignKeyField("models.Group", related_name="packages")
    package: fields.ForeignKeyRelation[Package] = fields.ForeignKeyField("models.Package", related_name="groups")

    class Meta:
        table = "group_package"
        unique_together = (("group", "package"),)
        indexes = (Index(fields=("package_id",)),)


class Collaborator(Table):
    """A user who may write to one package."""

    package: fields.ForeignKeyRelation[Package] = fields.ForeignKeyField("models.Package", related_name="collaborators")
    user: fields.ForeignKeyRelation[Namespace] = fields.ForeignKeyField("models.Namespace", related_name="collaborations")
    added_at = fields.BigIntField()

    class Meta:
        table = "collaborator"
        unique_together = (("package", "user"),)
        indexes = (Index(fields=("user_id",)),)


class FreedNamespace(Table):
    """The name of a user or an organization that is no more: nobody gets it again."""

    name_key = fields.CharField(max_length=64, unique=True)
    freed_at = fields.BigIntField()

    class Meta:
        table = "freed_namespace"


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


class Notice(Named):
    """What the administrators of a namespace want to tell those who install from it."""

    namespace: fields.ForeignKeyRelation[Namespace] = fields.ForeignKeyField("models.Namespace", related_name="notices")
    level = fields.CharField(max_length=8)  # info | warning | critical
    message = fields.TextField()
    created_at = fields.BigIntField()
    expires_at = fields.BigIntField()

    class Meta:
        table = "notice"
        indexes = (Index(fields=("namespace_id", "expires_at")),)


class Token(Named):
    """A credential of a user or an organization. Only the sha256 of the secret is stored: the secret has 238 bits of entropy."""

    namespace: fields.ForeignKeyRelation[Namespace] = fields.ForeignKeyField("models.Namespace", related_name="tokens")
    name = fields.CharField(max_length=128)
    digest = fields.CharField(max_length=64, unique=True)
    scopes = fields.TextField()  # space-separated
    package: fields.ForeignKeyNullableRelation[Package] = fields.ForeignKeyField("models.Package", related_name="tokens", null=True)
    # the one package that the token is bound to; it goes with it
    made_with: fields.ForeignKeyNullableRelation[Token] = fields.ForeignKeyField(
        "models.Token", related_name="made", null=True, on_delete=fields.SET_NULL
    )
    # the token that made it: it is revoked with it
    created_at = fields.BigIntField()
    expires_at = fields.BigIntField(null=True)
    last_used_at = fields.BigIntField(null=True)
    revoked_at = fields.BigIntField(null=True)

    class Meta:
        table = "token"
        indexes = (Index(fields=("namespace_id",)), Index(fields=("package_id",)), Index(fields=("made_with_id",)))


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
