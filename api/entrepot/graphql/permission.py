"""Permission and visibility in GraphQL."""

from __future__ import annotations

from enum import Enum

import strawberry

from entrepot.services.actors import Actor
from entrepot.services.grants import Level


@strawberry.enum(description="What the viewer may do; each level includes those before it.")
class Permission(Enum):
    """The levels of the permission module."""

    NONE = strawberry.enum_value("NONE", description="Nothing.")
    READ = strawberry.enum_value("READ", description="See, list and download.")
    WRITE = strawberry.enum_value("WRITE", description="Also upload, remove, label and edit.")
    ADMIN = strawberry.enum_value("ADMIN", description="Also decide visibility and who else may do what.")


@strawberry.enum(description="Who may read a package.")
class Visibility(Enum):
    """Public or private."""

    PUBLIC = strawberry.enum_value("PUBLIC", description="Everybody who may read this site.")
    PRIVATE = strawberry.enum_value("PRIVATE", description="Its owners, and those who were given access: groups, collaborators, tokens.")


_permissions = {Level[permission.name]: permission for permission in Permission}


def can(permission: Permission, level: Level) -> bool:
    """Whether what the viewer may do with something is enough for what takes this level: the one place behind every `viewerCan…`."""
    return Level[permission.name] >= level


def visibility_of(text: str | None) -> Visibility:
    """As `namespace.default_visibility` has it; nothing said: public."""
    return Visibility.PRIVATE if text == "private" else Visibility.PUBLIC


def permission_of(actor: Actor, level: Level) -> Permission:
    """What the actor may do with this credential: one that covers only reading through the API reads."""
    return _permissions[level if level <= Level.READ or actor.allows("api:write") else Level.READ]
