"""What is too much is refused before anything is read, with a sentence."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from graphql import get_introspection_query
from stock import Ask, Stock
from strawberry import relay

TANGLED = "The query has too many mistakes, or its fragments too many uses, to be checked to the end."


async def test_a_bomb_of_connections_costs_too_much(ask: Ask, statements: Callable[[], AbstractContextManager[Counter[str]]]) -> None:
    with statements() as seen:
        (error,) = await ask.errors("{ packages(first: 100) { nodes { files(first: 100) { nodes { path size sha256 } } } } }")
    assert error["message"] == "The answer could have 30,202 fields; 20,000 are allowed. Ask for fewer items (`first`) or for fewer fields of each."
    assert error["extensions"] == {"code": "BAD_REQUEST"}
    assert seen.total() == 0


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("query($n: Int) { packages(first: $n) { nodes { files(first: $n) { nodes { path size sha256 } } } } }", {"n": 100}),
        ("query($n: Int = 100) { packages(first: $n) { nodes { files(first: $n) { nodes { path size sha256 } } } } }", {}),
        ("{ packages(first: 100) { edges { node { files(first: 100) { edges { node { path size } } } } } } }", {}),
        (
            "{ packages(first: 100) { ...P } } fragment P on PackageConnection { nodes { ...F } } "
            "fragment F on Package { files(first: 100) { nodes { id path size } } }",
            {},
        ),
        ("{ packages(first: 100) { nodes { ... on Package { files(first: 100) { nodes { ... on BookFile { id author pages } } } } } } }", {}),
        ('{ node(id: "x") { ... on User { packages(first: 100) { nodes { files(first: 100) { nodes { id path size } } } } } } }', {}),
        ("{ packages { nodes { releases { nodes { files { nodes { labels { name id } } } } } } } }", {}),
    ],
)
async def test_a_bomb_is_found_in_whatever_it_is_wrapped(ask: Ask, query: str, variables: dict[str, int]) -> None:
    assert "fields; 20,000 are allowed" in await ask.error(query, **variables)


async def test_the_limit_is_a_setting(ask: Ask) -> None:
    query = "{ packages(first: 3) { nodes { name } } }"
    assert await ask.on(graphql_max_cost=5)(query) == {"packages": {"nodes": []}}
    assert "could have 5 fields; 4 are allowed" in await ask.on(graphql_max_cost=4).error(query)


async def test_a_list_that_is_short_by_nature_counts_as_it_says(ask: Ask) -> None:
    query = '{ package(namespace: "ann", name: "atlas") { facets { type } } }'
    assert "could have 6 fields; 5 are allowed" in await ask.on(graphql_max_cost=5).error(query)
    assert "errors" not in await ask.on(graphql_max_cost=6)(query)


async def test_a_page_of_50_packages_with_10_files_each_is_fine(ask: Ask) -> None:
    found = await ask("{ packages(first: 50) { totalCount nodes { name files(first: 10) { nodes { path size sha256 version } } } } }")
    assert found["packages"]["totalCount"] == 0


async def test_a_variable_of_the_wrong_kind_is_its_own_error(ask: Ask) -> None:
    message = await ask.error("query($n: Int) { packages(first: $n) { nodes { name } } }", n="many")
    assert message.startswith("Variable '$n' has invalid value: Int cannot represent non-integer value: 'many'")


async def test_10_000_aliases_are_refused(ask: Ask) -> None:
    query = "{" + " ".join(f"a{number}: viewer {{ name }}" for number in range(10_000)) + "}"
    assert await ask.error(query) == f"The query has {len(query):,} characters; 50,000 are allowed. Hand values over as variables."
    short = "{" + " ".join(f"a{number}:viewer{{id}}" for number in range(2_900)) + "}"
    assert len(short) < 50_000
    assert await ask.error(short) == "Syntax Error: Document contains more than 2000 tokens. Parsing aborted."


async def test_101_aliases_are_refused_and_100_are_not(ask: Ask) -> None:
    aliases = [f"a{number}: viewer {{ name }}" for number in range(101)]
    assert len(await ask("{" + " ".join(aliases[1:]) + "}")) == 100
    assert await ask.error("{" + " ".join(aliases) + "}") == "The query has 101 aliases; 100 are allowed."


async def test_aliases_in_fragments_count_each_time_they_are_spread(ask: Ask) -> None:
    spreads = " ".join(f"a{number}: viewer {{ ...F }}" for number in range(20))
    fields = " ".join(f"b{number}: name" for number in range(10))
    assert await ask.error(f"{{ {spreads} }} fragment F on User {{ {fields} }}") == "The query has 220 aliases; 100 are allowed."


async def test_what_is_asked_for_again_and_again_is_refused_before_validation_compares_each_with_each(ask: Ask) -> None:
    (error,) = await ask.errors("{ " + "viewer { id } " * 22 + "}")
    assert error["message"] == "The query repeats 21 of its fields in the same place, such as `viewer`; 20 repeats are allowed."
    assert error["extensions"] == {"code": "BAD_REQUEST"}
    below = "labels { name } " * 11
    assert "repeats 21 of its fields" in await ask.error(
        f"{{ viewer {{ ... on User {{ {below} }} }} ...F viewer {{ id }} }} fragment F on Query {{ viewer {{ {below} }} }}"
    )
    assert await ask("{ " + "viewer { id } " * 21 + "}") == {"viewer": None}


def nested(levels: int) -> str:
    """A valid query of so many levels."""
    pairs = (levels - 2) // 2
    inside = "label: labels { namespace { " * pairs + "name" + " } }" * pairs
    return f"{{ viewer {{ {inside} }} }}".replace("label: ", "")


async def test_a_query_of_depth_60_is_refused_and_one_of_depth_15_is_not(ask: Ask) -> None:
    generous = ask.on(graphql_max_cost=10**30)
    assert await generous.error(nested(60)) == "The query is 60 levels deep; 15 are allowed."
    assert await generous.error(nested(16)) == "The query is 16 levels deep; 15 are allowed."
    assert await generous(nested(14)) == {"viewer": None}


@pytest.mark.parametrize(
    "query",
    [
        "{ a " * 900 + "}" * 900,
        "{ viewer(a: " + "[" * 1500 + "]" * 400 + ") }",
        "query($a: " + "[" * 990 + "Int" + "]" * 990 + ") { viewer { name } }",
        "{ viewer { " + "... { " * 450 + "name" + " }" * 450 + " } }",
    ],
)
async def test_what_is_nested_beyond_sense_is_refused(ask: Ask, query: str) -> None:
    message = await ask.error(query)
    assert message == "The query is nested too deeply." or message.startswith("Syntax Error")


async def test_a_long_chain_of_fragments_is_refused(ask: Ask) -> None:
    chain = " ".join(f"fragment F{number} on User {{ ...F{number + 1} }}" for number in range(200))
    assert await ask.error(f"{{ viewer {{ ...F0 }} }} {chain} fragment F200 on User {{ name }}") == TANGLED


async def test_fragments_that_double_each_other_are_weighed_at_once(ask: Ask) -> None:
    doubling = " ".join(f"fragment F{number} on User {{ ...F{number + 1} ...F{number + 1} }}" for number in range(60))
    began = time.process_time()
    message = await ask.error(f"{{ viewer {{ ...F0 }} }} {doubling} fragment F60 on User {{ a: name }}")
    assert message.startswith("The query has 1152921504606846976 aliases")
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("query", "part"),
    [
        ("{ viewer { ...F } } fragment F on User { ...F }", "Cannot spread fragment 'F' within itself"),
        ("{ viewer { ...Nowhere } }", "Unknown fragment 'Nowhere'"),
        ("{ viewer { nonsense } }", "Cannot query field 'nonsense' on type 'User'"),
        ("{ viewer { name { deeper } } }", "must not have a selection"),
        ("{ viewer }", "must have a selection of subfields"),
        ("{ packages(last: 3) { totalCount } }", "Unknown argument 'last'"),
        ("{ ... on Nothing { x } }", "Unknown type 'Nothing'"),
        ("{ viewer { ... on Package { name } } }", "can never be of type 'Package'"),
        ("{ viewer {", "Syntax Error"),
        ("nonsense", "Syntax Error"),
        ("{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }", "Maximum introspection depth"),
    ],
)
async def test_a_query_that_is_wrong_is_told_what_is(ask: Ask, query: str, part: str) -> None:
    errors = await ask.errors(query)
    assert part in errors[0]["message"]


async def test_introspection_is_within_the_limits(ask: Ask) -> None:
    query = get_introspection_query(specified_by_url=True, directive_is_repeatable=True, schema_description=True, input_value_deprecation=True)
    found = await ask(query)
    assert {"Package", "BookFile"} <= {kind["name"] for kind in found["__schema"]["types"]}


async def test_introspection_five_times_over_is_not(ask: Ask) -> None:
    query = "{" + " ".join(f"a{number}: __schema {{ types {{ name }} }}" for number in range(5)) + "}"
    assert "could have 25,000 fields" in await ask.error(query)


@pytest.mark.parametrize(
    "identity",
    [
        "",
        "x",
        "é",
        "moby",
        "VXNlcg==",
        "VXNlcjo=",
        "Tm90aGluZzox",
        "UXVlcnk6MQ==",
        "UGFja2FnZUNvbm5lY3Rpb246MQ==",
        "RmlsZTox",
        "QmlnSW50OjE=",
        "A" * 4000,
    ],
)
async def test_what_is_no_id_is_null_or_an_error_that_says_so(ask: Ask, stock: Stock, identity: str) -> None:
    await stock.namespace("alice")
    data, errors = await ask.both("query($id: ID!) { node(id: $id) { id } }", id=identity)
    assert data == {"node": None}
    assert errors in ([], ["`id` is no id of this server. Take it from the `id` of something that it answered."])


async def test_an_id_of_nothing_is_null(ask: Ask) -> None:
    found = await ask('{ node(id: "UGFja2FnZTo0YzRlNGYxMi0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwMDA=") { id } }')
    assert found == {"node": None}


async def test_the_id_of_one_type_is_no_id_of_another(ask: Ask, stock: Stock) -> None:
    package = await stock.package(await stock.namespace("alice"), "moby")
    file = await stock.file(package)
    for kind, uuid in (("MapFile", file.uuid), ("Package", file.uuid), ("Organization", (await package.namespace).uuid)):
        assert await ask("query($id: ID!) { node(id: $id) { id } }", id=str(relay.GlobalID(kind, uuid))) == {"node": None}
