"""What one request may ask for: so much text, so deep, so many aliases, so many fields in the answer.

Strawberry's limiters for depth and aliases walk a fragment once for each of its uses, which fragments that use one another multiply; here each is
weighed once. All three come from one walk, after validation and before anything is read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types import ExecutionContext

from entrepot.errors import BadRequest, EntrepotError
from entrepot.graphql.connection import MAX_FIRST
from entrepot.graphql.errors import TOO_DEEP, code_of
from entrepot.services.permissions import require_scope

MAX_LENGTH = 50_000
"""Characters: parsed documents are kept, and would otherwise be kept with megabytes of comments."""
MAX_TOKENS = 2_000
MAX_DEPTH = 15
MAX_ALIASES = 100
MAX_REPEATS = 20
MAX_NESTING = 100
"""Levels of braces and of fragments within fragments, which add no depth to the answer but to the walk."""
LIST_SIZE = 10
"""What a list without `first` counts as."""
MUTATION_COST = 200
"""A transaction, and what other writers wait for it."""
INTROSPECTION_COST = 5_000
"""A field that answers with the schema; graphql-core limits how deep it may go."""


class Weight(NamedTuple):
    """What a part of a query weighs."""

    cost: int = 0
    depth: int = 0
    aliases: int = 0


@dataclass(slots=True)
class Scale:
    """Weighs the parts of one document. Generous: what `@skip` leaves out counts, and what is asked for twice counts twice."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    value_of: Callable[[str], Any]
    known: dict[tuple[str, int], Weight] = field(default_factory=dict)

    def weigh(self, selections: SelectionSetNode, parent: GraphQLNamedType | None, size: int, nesting: int) -> Weight:
        """A selection set on a type; lists directly below have `size` items. Raises BadRequest for what is nested beyond sense."""
        if nesting > MAX_NESTING:
            raise BadRequest(TOO_DEEP)
        cost = depth = aliases = 0
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                weight = self._field(selection, parent, size, nesting)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                kind = self.schema.get_type(condition.name.value) if condition else parent
                weight = self.weigh(selection.selection_set, kind, size, nesting + 1)
            else:
                assert isinstance(selection, FragmentSpreadNode)
                weight = self._fragment(selection.name.value, size, nesting)
            cost, depth, aliases = cost + weight.cost, max(depth, weight.depth), aliases + weight.aliases
        return Weight(cost, depth, aliases)

    def _fragment(self, name: str, size: int, nesting: int) -> Weight:
        weight = self.known.get((name, size))
        if weight is None:
            fragment = self.fragments[name]
            kind = self.schema.get_type(fragment.type_condition.name.value)
            weight = self.known[name, size] = self.weigh(fragment.selection_set, kind, size, nesting + 1)
        return weight

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None, size: int, nesting: int) -> Weight:
        aliases = 1 if node.alias else 0
        name = node.name.value
        if name in ("__schema", "__type"):
            return Weight(INTROSPECTION_COST, 1, aliases)
        definition = parent.fields.get(name) if isinstance(parent, (GraphQLObjectType, GraphQLInterfaceType)) else None
        if node.selection_set is None or definition is None:
            return Weight(_own_cost(definition), 1, aliases)
        first = self._first(node, definition)
        below = self.weigh(node.selection_set, get_named_type(definition.type), first or LIST_SIZE, nesting + 1)
        times = _told(definition, "items", size) if is_list_type(get_nullable_type(definition.type)) else 1
        own = MUTATION_COST if parent is self.schema.mutation_type else _own_cost(definition)
        return Weight(own + times * below.cost, 1 + below.depth, aliases + below.aliases)

    def _first(self, node: FieldNode, definition: GraphQLField) -> int | None:
        """How many items a connection answers with; None for what is none. Execution refuses sizes that are out of bounds."""
        argument = definition.args.get("first")
        if argument is None:
            return None
        given = next((one.value for one in node.arguments or () if one.name.value == "first"), None)
        size: Any = argument.default_value
        if isinstance(given, IntValueNode):
            size = int(given.value)
        elif isinstance(given, VariableNode):
            size = self.value_of(given.name.value)
        return min(max(size, 1), MAX_FIRST) if isinstance(size, int) else MAX_FIRST


def _own_cost(definition: GraphQLField | None) -> int:
    """What a field says of itself (`strawberry.field(metadata={"cost": 500})`), for one that takes work that others do not."""
    return _told(definition, "cost", 1)


def _told(definition: GraphQLField | None, what: str, otherwise: int) -> int:
    """A number in a field's metadata: `cost`, or `items`, for a list that has few of them by nature."""
    made_of = definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF) if definition is not None else None
    return int(made_of.metadata.get(what, otherwise)) if made_of is not None else otherwise


def weigh(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> Weight:
    """What an operation of a valid document weighs with these variables."""
    defaults = {one.variable.name.value: one.default_value for one in operation.variable_definitions or ()}

    def value_of(name: str) -> Any:
        default = defaults.get(name)
        return variables.get(name, int(default.value) if isinstance(default, IntValueNode) else None)

    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    root = schema.get_root_type(operation.operation)
    return Scale(schema, fragments, value_of).weigh(operation.selection_set, root, LIST_SIZE, 0)


def check_repeats(document: DocumentNode) -> None:
    """Raises BadRequest for a document that asks for the same in the same place too often: validation compares each with each."""
    waiting = [one.selection_set for one in document.definitions if isinstance(one, OperationDefinitionNode | FragmentDefinitionNode)]
    repeats: Counter[str] = Counter()
    while waiting:
        fields = [one for one in waiting.pop().selections if isinstance(one, FieldNode | InlineFragmentNode)]
        names = Counter((one.alias or one.name).value for one in fields if isinstance(one, FieldNode))
        repeats.update({name: times - 1 for name, times in names.items() if times > 1})
        waiting += [one.selection_set for one in fields if one.selection_set is not None]
    if repeats.total() > MAX_REPEATS:
        name = repeats.most_common(1)[0][0]
        raise BadRequest(f"The query repeats {repeats.total()} of its fields in the same place, such as `{name}`; {MAX_REPEATS} repeats are allowed.")


class TextLimits(SchemaExtension):
    """What is bounded before validation. Stands ahead of ValidationCache in the list of extensions."""

    def on_operation(self) -> Iterator[None]:
        """Bound the text before it is parsed."""
        self.execution_context.parse_options["max_tokens"] = MAX_TOKENS
        yield

    def on_validate(self) -> Iterator[None]:
        """Bound what makes validation itself long."""
        assert self.execution_context.graphql_document is not None
        check_repeats(self.execution_context.graphql_document)
        yield


def _operations(context: ExecutionContext) -> list[OperationDefinitionNode]:
    assert context.graphql_document is not None
    return [one for one in context.graphql_document.definitions if isinstance(one, OperationDefinitionNode)]


def _operation(context: ExecutionContext) -> OperationDefinitionNode:
    """The one that will run."""
    return next(one for one in _operations(context) if context.operation_name in (None, one.name and one.name.value))


class AnswerLimits(SchemaExtension):
    """What is bounded after validation. Stands behind ValidationCache in the list of extensions: what it weighs is valid."""

    def on_validate(self) -> Iterator[None]:
        """Weigh what has passed validation."""
        if not self.execution_context.pre_execution_errors:
            excess = self._excess()
            if excess is not None:
                self.execution_context.pre_execution_errors = [GraphQLError(excess, extensions={"code": "BAD_REQUEST"})]
        yield

    def _excess(self) -> str | None:
        context = self.execution_context
        assert context.graphql_document is not None
        if len(_operations(context)) > 1 and context._provided_operation_name is None:  # Strawberry would take the first
            return "The document has several operations: say which one to run with `operationName`."
        operation = _operation(context)
        try:
            weight = weigh(context.schema._schema, context.graphql_document, operation, context.variables or {})
        except BadRequest as error:
            return error.message
        limit = context.context.site.settings.graphql_max_cost
        if weight.depth > MAX_DEPTH:
            return f"The query is {weight.depth} levels deep; {MAX_DEPTH} are allowed."
        if weight.aliases > MAX_ALIASES:
            return f"The query has {weight.aliases} aliases; {MAX_ALIASES} are allowed."
        if weight.cost > limit:
            return f"The answer could have {weight.cost:,} fields; {limit:,} are allowed. Ask for fewer items (`first`) or for fewer fields of each."
        return None


OPEN = frozenset({"login", "logout", "register"})
"""The mutations that are for those who have no credential."""
GUESSES = frozenset({"login", "register", "changePassword"})
"""The mutations that look at a password, or cost as much: one of them in an operation, so that no document multiplies guesses."""


class WriteLimits(SchemaExtension):
    """Who may change anything through the API at all: asked once for an operation, whoever brings its mutations. What it is about is judged there."""

    def on_validate(self) -> Iterator[None]:
        """Refuse a mutation before anything runs."""
        context = self.execution_context
        if not context.pre_execution_errors and _operation(context).operation is OperationType.MUTATION:
            try:
                self._check(root_fields(context.graphql_document, _operation(context)))
            except EntrepotError as error:
                context.pre_execution_errors = [GraphQLError(error.message, extensions={"code": code_of(type(error))})]
        yield

    def _check(self, names: Counter[str]) -> None:
        if sum(names[name] for name in GUESSES) > 1:
            raise BadRequest("An operation may log in, register or change a password once, and no more.")
        if not names.keys() <= OPEN:
            require_scope(self.execution_context.context.actor, "api:write")


def root_fields(document: DocumentNode | None, operation: OperationDefinitionNode) -> Counter[str]:
    """How often an operation that is not too heavy names each field of its root, through fragments too; what `@skip` leaves out counts."""
    assert document is not None
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    names: Counter[str] = Counter()
    waiting = [operation.selection_set]
    while waiting:
        for selection in waiting.pop().selections:
            if isinstance(selection, FieldNode):
                names[selection.name.value] += 1
            elif isinstance(selection, FragmentSpreadNode):
                waiting.append(fragments[selection.name.value].selection_set)
            else:
                assert isinstance(selection, InlineFragmentNode)
                waiting.append(selection.selection_set)
    return names
