"""The peer of GraphQL: the same query on objects that are there already, by the same library under the same server.

`python -m bench.objects PORT FOLDER` serves the packages of `packages.json`. The types have the shape of ours as far as the query goes: connections,
arguments, a File that is an interface. Documents are parsed and validated once and answers encoded by orjson, as ours are; there is no database, no
permission, no limit and no loader.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import orjson
import strawberry
from graphql import GraphQLAbstractType, GraphQLResolveInfo
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig

from bench.peer import serve

BigInt = strawberry.scalar(name="BigInt", serialize=int, parse_value=int)


class Size(int):
    """A size in bytes."""


@strawberry.interface
class File:
    """What every file has."""

    basename: str
    version: str
    size: Size
    sha256: str

    @classmethod
    def resolve_type(cls, value: Any, info: GraphQLResolveInfo[Any], abstract: GraphQLAbstractType) -> str:
        """The quickest way from an object to its GraphQL type."""
        return type(value).__strawberry_definition__.name  # type: ignore[no-any-return]


@strawberry.type
class CondaFile(File):
    """The kind of file that the query meets."""

    subdir: str = "noarch"


@strawberry.type
class FileConnection:
    """A page of files."""

    nodes: list[File]


@strawberry.type
class Package:
    """A package with its files."""

    name: str
    held: strawberry.Private[list[File]]

    @strawberry.field
    def files(self, first: int = 20) -> FileConnection:
        """The first so many."""
        return FileConnection(nodes=self.held[:first])


@strawberry.type
class PackageConnection:
    """A page of packages."""

    nodes: list[Package]


class Endpoint(GraphQL[None, None]):
    """Strawberry's own, with the quicker encoder."""

    def encode_json(self, data: object) -> bytes:
        """As ours."""
        return orjson.dumps(data)


def application(packages: list[Package]) -> Starlette:
    """`/graphql` on these packages."""

    @strawberry.type
    class Query:
        @strawberry.field
        def packages(self, first: int = 20) -> PackageConnection:
            """The first so many."""
            return PackageConnection(nodes=packages[:first])

    config = StrawberryConfig(scalar_map={Size: BigInt})
    schema = strawberry.Schema(query=Query, types=[CondaFile], extensions=[ParserCache, ValidationCache], config=config)
    return Starlette(routes=[Route("/graphql", Endpoint(schema, subscription_protocols=()))])


def packages_of(folder: Path) -> list[Package]:
    """The objects of `packages.json`."""
    found = json.loads((folder / "packages.json").read_text())
    return [Package(name=one["name"], held=[CondaFile(**file) for file in one["files"]["nodes"]]) for one in found]


if __name__ == "__main__":
    serve(application(packages_of(Path(sys.argv[2]))), int(sys.argv[1]))
