"""Who there is, and what they were given: namespaces, users, groups, collaborators, tokens and sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from entrepot.db.models.table import Named, Table

if TYPE_CHECKING:
    from entrepot.db.models.packages import Package


class Namespace(Named):
    """Where packages live: a user's or an organization's."""

    name = fields.CharField(max_length=64)
    name_key = fields.CharField(max_length=64, unique=True)  # lower-cased
    kind = fields.CharField(max_length=16)  # user | organization
    display_name = fields.CharField(max_length=128, default="")
    description = fields.TextField(default="")
    replace = fields.CharField(max_length=16, default="after-removal")  # after-removal | never
    default_visibility = fields.CharField(max_length=8, null=True)  # public | private, of packages that are new; null: public
    strictness = fields.CharField(max_length=8, null=True)  # import | private | public, what is asked of files; null: private
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

    key = fields.CharField(max_length=64, primary_key=True)  # what is counted, by digests: a name that nobody has is counted too
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
