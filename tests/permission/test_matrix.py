"""Everybody × every operation × public and private: each answer is the oracle's.

What operations there are is asked of the route table, the package types and the schema; one that `operations.py` does not know fails a test here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
from cast import ACME, ALICE, BOUND, Cast, Role, Thing, inserted
from conda_builder import build_conda
from entrepot.clock import now
from entrepot.db.models import new_uuid
from entrepot.db.sql import fetch
from entrepot.graphql.schema import build_schema
from entrepot.http.front import Front
from entrepot.registry import Registry
from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema
from oracle import Answer
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route

from . import operations
from .mutations import MUTATIONS, OPEN, Call, Mutation, changed
from .operations import ADDRESSES, NAME, OPEN_ROUTES, UPLOADS
from .queries import NODES, PROFILE, QUERIES, RESTRICTED, asked, gid
from .stocked import shard_of, stocked

VISIBILITIES = pytest.mark.parametrize("private", [False, True], ids=["public", "private"])
SITES = pytest.mark.parametrize("anonymous_read", [True, False], ids=["open", "closed"])
Wrong = list[str]
KEPT = (
    "audit_event",
    "package",
    "release",
    "file",
    "label",
    "file_label",
    "token",
    "member_group",
    "group_member",
    "group_package",
    "collaborator",
    "notice",
)
"""The tables of which no refused change adds or takes a row; each change adds to the first."""


def told(role: Role, what: str, got: str, expected: Answer) -> Iterable[str]:
    """A sentence where an answer is wrong."""
    if got != expected:
        yield f"{role.name}: {what} should be {expected}, and is {got}"


# -- there is no other operation --------------------------------------------------------------------------------------


def flat(routes: Iterable[BaseRoute], prefix: str = "") -> Iterator[str]:
    """The paths of all routes."""
    for route in routes:
        if isinstance(route, Mount):
            yield from flat(route.routes, prefix + route.path)
        else:
            assert isinstance(route, Route), route
            yield prefix + route.path


async def test_every_route_is_known(everybody: Cast) -> None:
    front = everybody.house.app
    assert isinstance(front, Front)
    behind = front._app
    assert isinstance(behind, Starlette)
    assert sorted(flat(behind.routes)) == sorted({*UPLOADS, *OPEN_ROUTES})


async def test_every_way_to_ask_a_package_type_is_known(everybody: Cast) -> None:
    await stocked(everybody, ALICE, private=False)
    with_extras = {row["type"] for row in await fetch("SELECT DISTINCT file.type FROM extra JOIN file ON file.id = extra.file_id")}
    types = everybody.house.site.registry.types
    meant = [operations.meaning(types[address.type], address) for address in ADDRESSES]
    assert set(meant) == operations.every_meaning(everybody.house.site.registry, with_extras)


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(Registry.built_in())._schema


def first_words(names: Iterable[str]) -> set[str]:
    return {name.partition(" ")[0] for name in names}


def test_every_mutation_is_known(schema: GraphQLSchema) -> None:
    assert schema.mutation_type is not None
    assert first_words(MUTATIONS) | set(OPEN) == set(schema.mutation_type.fields)


def test_every_query_is_known(schema: GraphQLSchema) -> None:
    assert schema.query_type is not None
    assert first_words(QUERIES) == set(schema.query_type.fields)


def test_every_kind_of_node_is_known(schema: GraphQLSchema) -> None:
    node = schema.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    kinds = {one.name for one in schema.get_implementations(node).objects}
    assert set(NODES) == kinds - {"PlainFile"}  # files of types that say nothing of their own: as those of the other types


@pytest.mark.parametrize("kind", ["Namespace", "User", "Organization", "Package"])
def test_every_field_is_known(schema: GraphQLSchema, kind: str) -> None:
    found = schema.type_map[kind]
    assert isinstance(found, GraphQLObjectType | GraphQLInterfaceType)
    known = {name.partition(".")[2] for name in RESTRICTED if name.startswith(f"{kind}.")} | set(PROFILE[kind])
    if kind in ("User", "Organization"):
        known |= set(schema.type_map["Namespace"].fields)  # type: ignore[attr-defined]  # an interface
    assert set(found.fields) == known


# -- installers -------------------------------------------------------------------------------------------------------


@SITES
@VISIBILITIES
async def test_installers(everybody: Cast, private: bool) -> None:
    things = [await stocked(everybody, namespace, private=private) for namespace in (ALICE, ACME)]
    shards = {thing.namespace: await shard_of(everybody, thing.namespace) for thing in things}
    wrong: Wrong = []
    for role in everybody.roles.values():
        client = everybody.client(role)
        for address in ADDRESSES:
            path = f"/{address.type}/{role.at}/{address.rest.replace('{shard}', shards[role.at])}"
            response = await client.get(path, headers={"accept": address.accept})
            expected = everybody.world.reads(role.credential, (role.at, NAME), address.type)
            wrong += told(role, f"GET {path}", operations.reading(response, address), expected)
            if response.status_code == 200 and ((private and expected is Answer.SEEN) or not everybody.world.open):
                assert response.headers["cache-control"].startswith("private"), path
                assert "access-control-allow-origin" not in response.headers
    assert not wrong, "\n".join(wrong)


@VISIBILITIES
async def test_a_token_in_the_path_opens_what_it_opens_in_a_header(everybody: Cast, private: bool) -> None:
    await stocked(everybody, ACME, private=private)
    wrong: Wrong = []
    for role in everybody.roles.values():
        if role.at != ACME or not role.secret:
            continue
        for path in (f"/t/{role.secret}/conda/acme/noarch/repodata.json", f"/conda/t/{role.secret}/acme/noarch/repodata.json"):
            got = operations.reading(await everybody.house.anyone.get(path), ADDRESSES[0])
            wrong += told(role, "a token in the path", got, everybody.world.reads(role.credential, (ACME, NAME), "conda"))
        for path in (f"/t/{role.secret}/graphql?query={{viewer{{name}}}}", f"/t/{role.secret}/upload/acme/x", f"/t/{role.secret}/healthz"):
            assert (await everybody.house.anyone.get(path)).status_code == 404
    assert not wrong, "\n".join(wrong)


@SITES
@VISIBILITIES
async def test_uploads(everybody: Cast, private: bool) -> None:
    for namespace in (ALICE, ACME):
        await stocked(everybody, namespace, private=private)
    wrong: Wrong = []
    for role in everybody.roles.values():
        client, place = everybody.client(role), (role.at, NAME)
        for path, send in UPLOADS.items():
            for type in operations.types_by(path):
                got = operations.uploading(await send(client, role.at, type, everybody.number))
                wrong += told(role, f"{path} of {type}", got, everybody.world.uploads(role.credential, place, type))
    assert not wrong, "\n".join(wrong)


async def test_uploads_that_make_a_package(everybody: Cast) -> None:
    wrong: Wrong = []
    for role in everybody.roles.values():
        basename, body = build_conda(name := f"fresh{everybody.number}", "1.0")
        got = operations.uploading(await everybody.client(role).put(f"/upload/{role.at}/{basename}", content=body))
        wrong += told(role, "an upload of a new package", got, everybody.world.uploads(role.credential, (role.at, name), "conda"))
    assert not wrong, "\n".join(wrong)


# -- GraphQL ----------------------------------------------------------------------------------------------------------


@SITES
@VISIBILITIES
async def test_queries(everybody: Cast, private: bool) -> None:
    ids = {namespace: await ids_of(everybody, await stocked(everybody, namespace, private=private)) for namespace in (ALICE, ACME)}
    wrong: Wrong = []
    for role in everybody.roles.values():
        for name, query in [*QUERIES.items(), *NODES.items(), *RESTRICTED.items()]:
            text = query.text.replace("$namespace", role.at).replace("$name", NAME)
            for kind, id in ids[role.at].items():
                text = text.replace(f'${kind}"', f'{id}"')
            response = await everybody.client(role).post("/graphql", json={"query": text})
            wrong += told(role, name, asked(response, query, role.at), query.answers(everybody.world, role))
    assert not wrong, "\n".join(wrong)


async def ids_of(everybody: Cast, thing: Thing) -> dict[str, str]:
    """The ids of everything that there is of a package and its namespace, by kind."""
    names = {"conda": "CondaFile", "pypi": "PypiFile", "notebook": "NotebookFile", "environment": "EnvironmentFile"}
    found = {"Package": thing.uuid, "Release": thing.release, "Label": thing.label}
    for row in await fetch("SELECT type, uuid FROM file WHERE package_id = $1", thing.id):
        found[names[row["type"]]] = row["uuid"]
    for kind, namespace in (("User", ALICE), ("Organization", ACME)):
        [row] = await fetch("SELECT uuid FROM namespace WHERE id = $1", everybody.ids[namespace])
        found[kind] = row["uuid"]
    found["Group"] = (await fetch("SELECT uuid FROM member_group WHERE name = 'owners'"))[0]["uuid"]
    found["AuditEvent"] = (await fetch("SELECT uuid FROM audit_event WHERE namespace_id = $1 ORDER BY id", everybody.ids[thing.namespace]))[0]["uuid"]
    found["Notice"] = new_uuid()
    values = {"level": "info", "message": "Hello.", "created_at": now(), "expires_at": now() + 3_600_000}
    await inserted("notice", uuid=found["Notice"], namespace_id=everybody.ids[thing.namespace], **values)
    found["Token"] = (await fetch("SELECT uuid FROM token WHERE namespace_id = $1 ORDER BY id LIMIT 1", everybody.ids[thing.namespace]))[0]["uuid"]
    return {kind: gid(kind, uuid) for kind, uuid in found.items()}


@SITES
@VISIBILITIES
async def test_mutations(everybody: Cast, schema: GraphQLSchema, private: bool) -> None:
    assert schema.mutation_type is not None
    wrong: Wrong = []
    for name, mutation in MUTATIONS.items():
        text = text_of(schema, name)
        victims = {namespace: await fresh(everybody, namespace, private) for namespace in (ALICE, ACME)}
        for one in BOUND:
            await everybody.bind(one, victims[ACME])
        done: list[str] = []
        for role in list(everybody.roles.values()):
            call = Call(role, victims[ACME if mutation.organization else role.at], everybody.number)
            if mutation.expected(everybody.world, call) is Answer.DONE:
                done.append(role.name)
                continue
            wrong += await called(everybody, call, name, mutation, text, alone=False)
        for by in done:
            thing = await fresh(everybody, ACME if mutation.organization else everybody.roles[by].at, private)
            if by in BOUND:
                await everybody.bind(by, thing)
            wrong += await called(everybody, Call(everybody.roles[by], thing, everybody.number), name, mutation, text, alone=True)
    assert not wrong, "\n".join(wrong)


def text_of(schema: GraphQLSchema, name: str) -> str:
    """A call of a mutation."""
    assert schema.mutation_type is not None
    field = name.partition(" ")[0]
    kind = schema.mutation_type.fields[field].args["input"].type
    return f"mutation ($input: {kind}) {{ found: {field}(input: $input) {{ __typename ... on Error {{ message }} }} }}"


async def called(everybody: Cast, call: Call, name: str, mutation: Mutation, text: str, *, alone: bool) -> list[str]:
    """Call a mutation, and compare what it came to; one that is refused leaves everything as it was."""
    expected = mutation.expected(everybody.world, call)
    given = {**mutation.input(call), **await mutation.before(everybody, call)}
    before = {} if alone else await state(everybody)
    response = await everybody.client(call.role).post("/graphql", json={"query": text, "variables": {"input": given}})
    wrong = list(told(call.role, name, changed(response, mutation.past), expected))
    if not alone and await state(everybody) != before:
        wrong.append(f"{call.role.name}: {name}, refused, has changed something")
    return wrong


async def fresh(everybody: Cast, namespace: str, private: bool) -> Thing:
    """A package for one call, on which everybody has what their role says."""
    thing = await everybody.thing(namespace, f"thing{everybody.number}", private=private, granted=True)
    everybody.knows(thing.place)
    return thing


async def state(everybody: Cast) -> dict[str, int]:
    """What a refused change must leave alone."""
    [row] = await fetch(f"SELECT {', '.join(f'(SELECT count(*) FROM {table}) AS {table}' for table in KEPT)}")
    return dict(row)
