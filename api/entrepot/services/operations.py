"""What each operation takes, in one table: the manual's page `docs/permissions.md` is printed from it.

It decides nothing: each service asks `permissions.require` for the level that stands here. `tests/permission` tries every operation as everybody, and
fails where this table and what the server does are not the same, or where an operation has no line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from entrepot.services.grants import Level


class On(Enum):
    """What somebody needs a level on."""

    PACKAGE = "package"
    NAMESPACE = "namespace"
    ORGANIZATION = "organization"
    SITE = "site"
    ACCOUNT = "account"
    """One's own: any user, with a credential that is bound to no package."""


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that can be done, and the level that it takes."""

    name: str
    """A mutation, or a request."""
    on: On
    level: Level
    what: str = ""
    """Which part of it, where parts take different levels."""
    note: str = ""
    """What it takes besides, or who may do it too."""


REQUESTS: Sequence[Operation] = (
    Operation("an index document, page, shard", On.PACKAGE, Level.READ, note="shows what the reader may read, and nothing else"),
    Operation("a file, by its URL", On.PACKAGE, Level.READ),
    Operation("a query", On.PACKAGE, Level.READ, note="lists, counts and searches hold what the reader may read"),
    Operation(
        "an upload",
        On.PACKAGE,
        Level.WRITE,
        note="one that makes a package takes write on the namespace; a freed name takes admin there, and one that has moved `createPackage`; "
        "one that replaces, as `removeFiles`",
    ),
    Operation("a one-time upload URL", On.PACKAGE, Level.WRITE, note="no credential; who made it must have the level when the bytes come"),
)
"""What is no mutation."""

MUTATIONS: Sequence[Operation] = (
    Operation("createPackage", On.NAMESPACE, Level.WRITE, note="a freed name takes admin"),
    Operation("createUpload", On.NAMESPACE, Level.WRITE, note="or write on some package of it"),
    Operation("updatePackage", On.PACKAGE, Level.WRITE, "summary, description"),
    Operation("updatePackage", On.PACKAGE, Level.ADMIN, "visibility"),
    Operation("removeFiles", On.PACKAGE, Level.WRITE, note="admin on the namespace for files with a locked label"),
    Operation("removeRelease", On.PACKAGE, Level.WRITE, note="as `removeFiles`"),
    Operation("addLabel", On.PACKAGE, Level.WRITE, note="admin on the namespace for a locked label"),
    Operation("removeLabel", On.PACKAGE, Level.WRITE, note="as `addLabel`"),
    Operation("copyFiles", On.PACKAGE, Level.READ, "to another namespace", note="and write there; more than 5,000 files take write here too"),
    Operation("copyFiles", On.PACKAGE, Level.WRITE, "to other labels"),
    Operation("moveFiles", On.PACKAGE, Level.WRITE, note="and write where they go"),
    Operation("addCollaborator", On.PACKAGE, Level.ADMIN),
    Operation("removeCollaborator", On.PACKAGE, Level.ADMIN, note="collaborators may leave by themselves"),
    Operation("transferPackage", On.PACKAGE, Level.ADMIN, note="and admin on the namespace that it goes to; as `removeFiles`"),
    Operation("deletePackage", On.PACKAGE, Level.ADMIN, note="as `removeFiles`"),
    Operation("createLabel", On.NAMESPACE, Level.ADMIN),
    Operation("copyLabel", On.NAMESPACE, Level.ADMIN),
    Operation("moveLabel", On.NAMESPACE, Level.ADMIN),
    Operation("deleteLabel", On.NAMESPACE, Level.ADMIN),
    Operation("lockLabel", On.NAMESPACE, Level.ADMIN),
    Operation("unlockLabel", On.NAMESPACE, Level.ADMIN),
    Operation("setHotfix", On.NAMESPACE, Level.ADMIN, note="of packages that one may read"),
    Operation("removeHotfix", On.NAMESPACE, Level.ADMIN, note="as `setHotfix`"),
    Operation("yankFiles", On.PACKAGE, Level.WRITE),
    Operation("unyankFiles", On.PACKAGE, Level.WRITE),
    Operation("setProjectStatus", On.PACKAGE, Level.ADMIN),
    Operation("createNotice", On.NAMESPACE, Level.ADMIN),
    Operation("deleteNotice", On.NAMESPACE, Level.ADMIN),
    Operation("updateNamespace", On.NAMESPACE, Level.ADMIN),
    Operation("revokeToken", On.NAMESPACE, Level.ADMIN, note="a token's existence is known to nobody else"),
    Operation("createToken", On.ORGANIZATION, Level.ADMIN, "of an organization"),
    Operation("createGroup", On.ORGANIZATION, Level.ADMIN),
    Operation("updateGroup", On.ORGANIZATION, Level.ADMIN, note="groups are known to those who belong to the organization"),
    Operation("deleteGroup", On.ORGANIZATION, Level.ADMIN),
    Operation("addGroupMember", On.ORGANIZATION, Level.ADMIN, note="`owners`: an owner, or who administers the site"),
    Operation("removeGroupMember", On.ORGANIZATION, Level.ADMIN, note="as `addGroupMember`; members may leave by themselves, but for the last owner"),
    Operation("addGroupPackage", On.ORGANIZATION, Level.ADMIN),
    Operation("removeGroupPackage", On.ORGANIZATION, Level.ADMIN),
    Operation("deleteOrganization", On.ORGANIZATION, Level.ADMIN),
    Operation("createOrganization", On.ACCOUNT, Level.ADMIN),
    Operation("createToken", On.ACCOUNT, Level.ADMIN, "of one's own"),
    Operation("createToken", On.PACKAGE, Level.READ, "that is bound to a package", note="a level that was given, not only what everybody reads"),
    Operation("changePassword", On.ACCOUNT, Level.ADMIN, note="and the old password"),
    Operation("endSession", On.ACCOUNT, Level.ADMIN),
    Operation("createUser", On.SITE, Level.ADMIN, note="a site administrator: with a credential that covers `all`"),
    Operation("disableUser", On.SITE, Level.ADMIN),
    Operation("enableUser", On.SITE, Level.ADMIN),
    Operation("login", On.SITE, Level.NONE, note="a name and its password"),
    Operation("logout", On.SITE, Level.NONE, note="ends the session that comes along; `everywhere` is for a credential of the account as a whole"),
    Operation("register", On.SITE, Level.NONE, note="where the setting `registration` is on"),
)
"""Every mutation of the core and of the plugins that come with it."""
