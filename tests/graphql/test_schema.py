"""The schema: in print, described, and whole with whatever plugins add."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import strawberry
from book import BookFile, BookType, Library
from entrepot.errors import PluginError
from entrepot.graphql.schema import build_schema, print_schema
from entrepot.packagetype import PackageType
from entrepot.plugin import File, hookimpl
from entrepot.registry import Registry
from entrepot.site import Site
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema
from stock import Ask, Stock, user

PRINTED = Path(__file__).parents[2] / "schema.graphql"


def test_the_printed_schema_is_true() -> None:
    assert PRINTED.read_text() == print_schema(), "run `just schema`"


def undescribed(schema: GraphQLSchema) -> list[str]:
    """What has no description."""
    found: list[str] = []
    for kind in schema.type_map.values():
        if kind.name.startswith("__"):
            continue
        found += [] if kind.description else [kind.name]
        if isinstance(kind, GraphQLEnumType):
            found += [f"{kind.name}.{name}" for name, value in kind.values.items() if not value.description]
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            for name, field in kind.fields.items():
                found += [] if field.description else [f"{kind.name}.{name}"]
                arguments = getattr(field, "args", {})
                found += [f"{kind.name}.{name}({argument})" for argument, value in arguments.items() if not value.description]
    return found


def test_everything_is_described() -> None:
    schema = build_schema(Registry.built_in())._schema
    assert {"Query", "Package", "CondaFile", "PypiFile"} <= set(schema.type_map)
    assert undescribed(schema) == []


def test_a_type_without_a_description_would_be_found() -> None:
    @strawberry.type
    class Bare:
        field: str

        @strawberry.field
        def other(self, argument: int) -> str:
            return str(argument)

    schema = build_schema(Registry.of({"bare": Adds(types=[Bare])}))._schema
    assert undescribed(schema) == ["Bare", "Bare.field", "Bare.other", "Bare.other(argument)"]


class Adds:
    """A plugin that adds what it is told to."""

    def __init__(
        self,
        *,
        types: Sequence[type] = (),
        queries: Sequence[type] = (),
        mutations: Sequence[type] = (),
        package_types: Sequence[PackageType] = (),
    ) -> None:
        self.types, self.queries, self.mutations, self.given = types, queries, mutations, package_types

    @hookimpl
    def graphql_types(self) -> Sequence[type]:
        return self.types

    @hookimpl
    def graphql_queries(self) -> Sequence[type]:
        return self.queries

    @hookimpl
    def graphql_mutations(self) -> Sequence[type]:
        return self.mutations

    @hookimpl
    def package_types(self) -> Sequence[PackageType]:
        return self.given


def query_with(name: str) -> type:
    """A type with one field for Query or Mutation."""

    def answer() -> str:
        return f"from {name}"

    return strawberry.type(type("Some", (), {name: strawberry.field(resolver=answer, description="An answer.")}))


async def test_plugins_add_queries_and_mutations(site: Site) -> None:
    schema = build_schema(Registry.of({"one": Adds(queries=[query_with("first_answer")]), "two": Adds(mutations=[query_with("act")])}))
    ask = Ask(site, schema)
    assert await ask("{ firstAnswer viewer { name } }") == {"firstAnswer": "from first_answer", "viewer": None}
    alice = user(await Stock(site).namespace("alice"))
    assert await ask.as_(alice)("mutation { act }") == {"act": "from act"}


def test_a_mutation_that_the_core_has_is_refused() -> None:
    with pytest.raises(PluginError, match="The core and the plugin 'greedy' both claim the GraphQL mutation 'createToken'"):
        build_schema(Registry.of({"greedy": Adds(mutations=[query_with("create_token")])}))


def test_a_query_that_the_core_has_is_refused() -> None:
    with pytest.raises(PluginError, match="The core and the plugin 'greedy' both claim the GraphQL query 'packages'"):
        build_schema(Registry.of({"greedy": Adds(queries=[query_with("packages")])}))


def test_a_query_that_two_plugins_have_is_refused() -> None:
    plugins = {"one": Adds(queries=[query_with("answer")]), "two": Adds(queries=[query_with("answer")])}
    with pytest.raises(PluginError, match="'one' and 'two' both claim the GraphQL query 'answer'"):
        build_schema(Registry.of(plugins))


@pytest.mark.parametrize("name", ["Package", "Query", "Node", "PageInfo", "FileConnection", "User", "Label"])
def test_a_type_with_the_name_of_one_of_the_cores_is_refused(name: str) -> None:
    other = strawberry.type(type(name, (), {"__annotations__": {"x": int}}))
    with pytest.raises(PluginError, match=f"plugin 'greedy'.*{name}|{name}.*plugin 'greedy'"):
        build_schema(Registry.of({"greedy": Adds(types=[other])}))


def test_a_type_below_a_plugins_query_that_clashes_is_refused() -> None:
    hidden = strawberry.type(type("Package", (), {"__annotations__": {"x": int}}))

    def answer() -> hidden:  # type: ignore[valid-type]
        raise NotImplementedError

    answer.__annotations__["return"] = hidden
    query = strawberry.type(type("Some", (), {"deep": strawberry.field(resolver=answer)}))
    with pytest.raises(PluginError, match="Package"):
        build_schema(Registry.of({"greedy": Adds(queries=[query])}))


def test_types_of_one_name_in_two_plugins_are_refused() -> None:
    class OtherBook(BookType):
        name = "otherbook"
        graphql_type = strawberry.type(type("BookFile", (File,), {}))
        facet_type = None

    with pytest.raises(PluginError, match="'library' and 'other' both claim the GraphQL type 'BookFile'"):
        build_schema(Registry.of({"library": Library(), "other": Adds(package_types=[OtherBook()])}))


def test_a_plugin_whose_types_cannot_be_built_is_named() -> None:
    broken = strawberry.type(type("Broken", (), {"__annotations__": {"x": "Nowhere"}}))
    with pytest.raises(PluginError, match="The GraphQL types of the plugin 'clumsy' do not fit the schema: "):
        build_schema(Registry.of({"fine": Library(), "clumsy": Adds(types=[broken])}))


def test_the_interface_of_files_lists_what_plugins_may_rely_on() -> None:
    schema = build_schema(Registry.of({"library": Library()}))._schema
    interface = schema.type_map["File"]
    assert isinstance(interface, GraphQLInterfaceType)
    relations = {"labels", "downloads", "uploadedBy", "package", "release", "viewerCanWrite"}
    plain = {"id", "type", "path", "basename", "version", "platform", "size", "sha256", "md5", "uploadedAt", "downloadUrl"}
    assert set(interface.fields) == plain | relations
    assert issubclass(BookFile, File)
