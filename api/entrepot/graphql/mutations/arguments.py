"""What the mutations' arguments and payloads have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import strawberry

from entrepot.errors import NotFound, ValidationError
from entrepot.graphql.connection import MAX_FIRST
from entrepot.graphql.context import Context, Info
from entrepot.graphql.group import Group
from entrepot.graphql.identity import uuid_of
from entrepot.graphql.interfaces import File
from entrepot.graphql.namespace import Namespace, User, namespace_of
from entrepot.graphql.package import Package
from entrepot.graphql.release import Release
from entrepot.services.catalog import groups
from entrepot.services.catalog.namespaces import namespace_by_uuid, namespace_named
from entrepot.services.catalog.packages import package_by_uuid
from entrepot.services.credentials import confirmed
from entrepot.services.selections import Address, FileSelection

if TYPE_CHECKING:
    from strawberry.types.arguments import StrawberryArgumentAnnotation

INPUT: StrawberryArgumentAnnotation = strawberry.argument(description="What to do.")


@strawberry.input(description="A file by its place.")
class FileAddress:
    """Where a file is."""

    namespace: str = strawberry.field(description="The name of the namespace.")
    type: str = strawberry.field(description="The name of the file's package type.")
    path: str = strawberry.field(description="The file's `path`.")


@strawberry.input(one_of=True, description="Files to change: named one by one, or all of a release or of a package.")
class FilesInput:
    """Exactly one of these."""

    ids: list[strawberry.ID] | None = strawberry.field(default=strawberry.UNSET, description="Files by their ids, up to 1,000.")
    addresses: list[FileAddress] | None = strawberry.field(default=strawberry.UNSET, description="Files by their places, up to 1,000.")
    release_id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="All files of the release of this id.")
    package_id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="All files of the package of this id.")

    def selection(self, info: Info, field: str) -> FileSelection:
        """For the services. Raises ValidationError."""
        if self.ids:
            return FileSelection(ids=[uuid_of(info, id, File, field=field) for id in self.ids])
        if self.addresses:
            addresses = [Address(one.namespace, one.type, one.path) for one in self.addresses]
            if any("\0" in part for one in addresses for part in one):
                raise ValidationError("The address of a file holds no NUL character.", field=field)
            return FileSelection(addresses=addresses)
        if self.release_id:
            return FileSelection(release=uuid_of(info, self.release_id, Release, field=field))
        if self.package_id:
            return FileSelection(package=uuid_of(info, self.package_id, Package, field=field))
        raise ValidationError("Name at least one file.", field=field)


async def first_files(context: Context, uuids: Sequence[str]) -> list[File]:
    """Files that were changed, as they are after it, so many as fit in an answer."""
    return await context.loaders.files_by_uuid(uuids[:MAX_FIRST])


async def package_after(context: Context, uuid: str) -> Package:
    """A package as it is after a change. Raises NotFound where somebody has deleted it in the meantime."""
    row = await package_by_uuid(context.site, context.actor, uuid=uuid)
    if row is None:
        raise NotFound("The change was made; but the package has been deleted since.")
    return Package.of(context, row)


async def viewer_now(context: Context) -> User:
    """The user who asks, or has logged in just now. Raises NotFound where somebody has removed them in the meantime."""
    return await user_now(context, context.actor.name)


async def user_now(context: Context, name: str) -> User:
    """A user as they are after a change. Raises NotFound where somebody has removed them in the meantime."""
    row = await namespace_named(context.site, context.actor, name=name)
    user = None if row is None else namespace_of(context, row)
    if not isinstance(user, User):
        raise NotFound("The change was made; but the user has been removed since.")
    return user


async def renewed(context: Context) -> Context:
    """After a change of who may do what: the viewer as he is now, and nothing that was read before. What follows in the request is his as well."""
    context.actor = await confirmed(context.actor)
    return context.changing()


async def known_package_after(context: Context, uuid: str) -> Package | None:
    """A package as it is after a change, if the viewer may read it still."""
    row = await package_by_uuid(context.site, context.actor, uuid=uuid)
    return None if row is None else Package.of(context, row)


async def namespace_after(context: Context, uuid: str) -> Namespace:
    """A namespace as it is after a change. Raises NotFound where somebody has deleted it in the meantime."""
    row = await namespace_by_uuid(context.site, context.actor, uuid=uuid)
    if row is None:
        raise NotFound("The change was made; but the namespace has been deleted since.")
    return namespace_of(context, row)


async def group_after(uuid: str) -> Group:
    """A group as it is after a change. Raises NotFound where somebody has deleted it in the meantime."""
    row = await groups.group_after(uuid)
    if row is None:
        raise NotFound("The change was made; but the group has been deleted since.")
    return Group.of(row)


async def known_group_after(context: Context, uuid: str) -> Group | None:
    """A group as it is after a change, if the viewer may know of it still."""
    row = await groups.group_by_uuid(context.actor, uuid=uuid)
    return None if row is None else Group.of(row)
