"""The whole schema: the core's types and the plugins'.

`python -m entrepot.graphql.schema` prints it with the built-in plugins, as `schema.graphql` has it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import strawberry
from graphql import GraphQLError
from strawberry.exceptions import DuplicatedTypeName
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext, ExecutionResult

from entrepot.errors import EntrepotError, PluginError
from entrepot.graphql.context import Context
from entrepot.graphql.errors import report, shown, takes_password, unrepeated
from entrepot.graphql.files import PlainFile
from entrepot.graphql.limits import MAX_LENGTH, AnswerLimits, TextLimits, WriteLimits
from entrepot.graphql.mutations import CORE_MUTATIONS
from entrepot.graphql.names import Names
from entrepot.graphql.namespace import Organization, User
from entrepot.graphql.problems import HANDLERS
from entrepot.graphql.query import Query
from entrepot.graphql.scalars import SCALARS

if TYPE_CHECKING:
    from entrepot.registry import Registry

DONE = "What can be done, one after the other. Takes a session, or a token with the scope `api:write`; `login`, `logout` and `register` take none."
CORE_TYPES: tuple[type, ...] = (User, Organization, PlainFile)
"""What no field names: implementations of interfaces."""


class Schema(strawberry.Schema):
    """Strawberry's, with our errors."""

    async def execute(self, query: str | None, *args: Any, **kwargs: Any) -> ExecutionResult:
        """Execute, and say of errors what the client may know: here, because no extension sees those of a document that is not parsed."""
        if query is not None and len(query) > MAX_LENGTH:
            message = f"The query has {len(query):,} characters; {MAX_LENGTH:,} are allowed. Hand values over as variables."
            return ExecutionResult(data=None, errors=[GraphQLError(message, extensions={"code": "BAD_REQUEST"})])
        try:
            result = await super().execute(query, *args, **kwargs)
        finally:
            context = kwargs.get("context_value")
            if isinstance(context, Context):
                context.loaders.forget()
        if result.errors:
            secretive = takes_password(query)
            result.errors = [shown(unrepeated(error) if secretive else error) for error in result.errors]
        return result

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Log those that are ours."""
        for error in errors:
            report(error)


def build_schema(registry: Registry) -> Schema:
    """The schema with what the registry's plugins add. Raises PluginError that names who does not fit."""
    registry.check_graphql(core_types=_core_types(), core_queries=[Query], core_mutations=CORE_MUTATIONS)
    types, queries, mutations = registry.graphql_types(), registry.graphql_queries(), registry.graphql_mutations()
    try:
        return _schema(_classes(types), _classes(queries), _classes(mutations))
    except DuplicatedTypeName as error:
        raise PluginError(_clash(error, [*types, *queries, *mutations])) from error
    except EntrepotError:
        raise
    except Exception as error:  # Strawberry raises dozens of kinds, TypeError among them
        culprit = next((plugin for plugin in registry.plugins if not _fits(plugin, types, queries, mutations)), "?")
        raise PluginError(f"The GraphQL types of the plugin {culprit!r} do not fit the schema: {error}") from error


@lru_cache(maxsize=4)
def _schema(types: tuple[type, ...], queries: tuple[type, ...], mutations: tuple[type, ...]) -> Schema:
    """Remembered: to build one takes a quarter of a second, and one process may open many sites with the same plugins."""
    return Schema(
        query=_root("Query", (*queries, Query), "What can be asked."),
        mutation=_root("Mutation", (*mutations, *CORE_MUTATIONS), DONE),
        types=dict.fromkeys((*CORE_TYPES, *types)),
        extensions=[TextLimits, ParserCache, ValidationCache, AnswerLimits, WriteLimits],
        exception_handlers=HANDLERS,
        config=StrawberryConfig(scalar_map=SCALARS, name_converter=Names()),
    )


def _root(name: str, parts: tuple[type, ...], description: str) -> type:
    """One type with the fields of all; `check_graphql` has made sure that no two have one name."""
    return strawberry.type(type(name, parts, {}), description=description)


@cache
def _core_types() -> list[type]:
    """Every class of the core's own schema, so that a plugin's type of the same name is refused by name."""
    from strawberry.types.base import StrawberryObjectDefinition

    converter = _schema((), (), ()).schema_converter
    definitions = (concrete.definition for concrete in converter.type_map.values())
    return [one.origin for one in definitions if isinstance(one, StrawberryObjectDefinition) and one.concrete_of is None]


def _classes(given: Iterable[tuple[str, type]]) -> tuple[type, ...]:
    return tuple(one for _, one in given)


def _fits(plugin: str, *given: list[tuple[str, type]]) -> bool:
    """Whether the core and this plugin alone make a schema."""
    try:
        _schema(*(_classes(pair for pair in pairs if pair[0] == plugin) for pairs in given))
    except Exception:  # as in build_schema
        return False
    return True


def _clash(error: DuplicatedTypeName, given: Iterable[tuple[str, type]]) -> str:
    """Types below those that a plugin names belong to the plugin from whose package they are imported."""
    packages = {one.__module__.partition(".")[0]: f"the plugin {plugin!r}" for plugin, one in given} | {"entrepot": "the core"}
    classes = [one for one in (error.first_cls, error.second_cls) if one is not None]
    owners = [packages.get(one.__module__.partition(".")[0], one.__module__) for one in classes]
    return f"{error.message}: by {' and '.join(owners) or 'two plugins'}. Rename one of the types."


def print_schema() -> str:
    """The schema of the core and the built-in plugins, as `schema.graphql` has it."""
    from entrepot.registry import Registry

    return build_schema(Registry.built_in()).as_str() + "\n"


if __name__ == "__main__":
    print(print_schema(), end="")
