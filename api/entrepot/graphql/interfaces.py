"""The interfaces that plugins implement. Nothing here imports the rest of the schema."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Self

import strawberry
from graphql import GraphQLAbstractType, GraphQLResolveInfo
from strawberry import relay

from entrepot.graphql.scalars import BigInt, Moment

if TYPE_CHECKING:
    from entrepot.graphql.label import Label
    from entrepot.graphql.namespace import Namespace
    from entrepot.graphql.package import Package
    from entrepot.graphql.release import Release

    LabelType = Label
    NamespaceType = Namespace
    PackageType = Package
    ReleaseType = Release
else:
    LabelType = Annotated["Label", strawberry.lazy("entrepot.graphql.label")]
    NamespaceType = Annotated["Namespace", strawberry.lazy("entrepot.graphql.namespace")]
    PackageType = Annotated["Package", strawberry.lazy("entrepot.graphql.package")]
    ReleaseType = Annotated["Release", strawberry.lazy("entrepot.graphql.release")]


@strawberry.interface(description="One uploaded artifact of a release. Each package type has its own implementation.")
class File(relay.Node):
    """The core fills the fields below; those that an implementation adds come from `PackageType.graphql_fields`, once one of them is asked for."""

    id: relay.NodeID[str]
    type: str = strawberry.field(description="The name of the file's package type.")
    path: str = strawberry.field(description="The file's address within its namespace and type.")
    basename: str = strawberry.field(description="The name under which the file is downloaded.")
    version: str = strawberry.field(description="The version as the file spells it.")
    platform: str = strawberry.field(description="What the file runs on, in its type's own words. Empty: anything.")
    size: BigInt = strawberry.field(description="The size in bytes.")
    sha256: str = strawberry.field(description="The SHA-256 digest, in lower-case hex.")
    md5: str = strawberry.field(description="The MD5 digest, in lower-case hex.")
    uploaded_at: Moment = strawberry.field(description="When the file was uploaded.")
    download_url: str = strawberry.field(description="Where to download the file.")

    @strawberry.field(description="The labels on the file, by name.")
    async def labels(self, info: strawberry.Info[Any, Any]) -> list[LabelType]:
        """One query for all the files of an answer."""
        return await info.context.loaders.labels_of_file.load(self.__dict__["_row"]["id"])  # type: ignore[no-any-return]  # this module may not know the context

    @strawberry.field(description="How often the file was downloaded, give or take the last few seconds.")
    async def downloads(self, info: strawberry.Info[Any, Any]) -> BigInt:
        """One query for all the files of an answer."""
        return BigInt(await info.context.loaders.downloads_of_file.load(self.__dict__["_row"]["id"]))

    @strawberry.field(description="Who uploaded the file; null where that namespace is gone.")
    async def uploaded_by(self, info: strawberry.Info[Any, Any]) -> NamespaceType | None:
        """One query for all the files of an answer."""
        uploader = self.__dict__["_row"]["uploaded_by_id"]
        return None if uploader is None else await info.context.loaders.namespace.load(uploader)

    @strawberry.field(description="The package that the file belongs to.")
    async def package(self, info: strawberry.Info[Any, Any]) -> PackageType:
        """One query for all the files of an answer."""
        return await info.context.loaders.package.load(self.__dict__["_row"]["package_id"])  # type: ignore[no-any-return]  # this module may not know the context

    @strawberry.field(description="The release that the file belongs to.")
    async def release(self, info: strawberry.Info[Any, Any]) -> ReleaseType:
        """One query for all the files of an answer."""
        return await info.context.loaders.release.load(self.__dict__["_row"]["release_id"])  # type: ignore[no-any-return]  # this module may not know the context

    @strawberry.field(description="Whether the viewer may label, move and remove it, where none of its labels is locked: as on its package.")
    async def viewer_can_write(self, info: strawberry.Info[Any, Any]) -> bool:
        """One query for all the files of an answer."""
        package = await info.context.loaders.package.load(self.__dict__["_row"]["package_id"])
        return package.viewer_can_write()  # type: ignore[no-any-return]  # this module may not know the context

    @classmethod
    def resolve_type(cls, value: Any, info: GraphQLResolveInfo[Any], abstract: GraphQLAbstractType) -> str:
        """The quickest way from an object to its GraphQL type."""
        return type(value).__strawberry_definition__.name  # type: ignore[no-any-return]  # Strawberry's mark

    @classmethod
    async def resolve_nodes(  # type: ignore[override]  # Strawberry awaits it too, and types it as a plain function
        cls, *, info: strawberry.Info[Any, Any], node_ids: Iterable[str], required: bool = False
    ) -> list[Self | None]:
        """The files of these ids, where they are of this type and readable."""
        found = [await info.context.loaders.file_by_uuid(uuid) for uuid in node_ids]
        return [file if isinstance(file, cls) else None for file in found]

    if not TYPE_CHECKING:  # a type checker would take any name for a field of every file

        def __getattr__(self, name: str) -> Any:
            """What was left for later: the fields of the type, and the download URL."""
            if name.startswith("__"):  # graphql-core asks each value for its __await__: no sentence is made of that
                raise AttributeError(name)
            if "_fill" not in self.__dict__:
                raise AttributeError(f"{type(self).__name__} has no {name}. Does its package type's graphql_fields give it?")
            self.__dict__ = {**self.__dict__.pop("_fill")(), **self.__dict__}
            return getattr(self, name)


@strawberry.interface(description="What a package type says of a package.")
class PackageFacet:
    """A package has one facet for each of its types that offers one."""

    type: str = strawberry.field(description="The name of the package type.")

    @classmethod
    def resolve_type(cls, value: Any, info: GraphQLResolveInfo[Any], abstract: GraphQLAbstractType) -> str:
        """The quickest way from an object to its GraphQL type."""
        return type(value).__strawberry_definition__.name  # type: ignore[no-any-return]  # Strawberry's mark
