"""Everybody × every operation × public and private: each answer is the oracle's.

What operations there are is asked of the route table, the package types and the schema; one that `operations.py` does not know fails a test here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import product

import pytest
from cast import ACME, ALICE, BOUND, Cast, Role, Thing, inserted
from conda_builder import build_conda
from entrepot.clock import now
from entrepot.db.models import new_uuid
from entrepot.db.sql import fetch
from entrepot.graphql.schema import build_schema
from entrepot.http.front import Front
from entrepot.registry import Registry
from graphql import GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema, get_named_type
from oracle import Answer, Credential, Level
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route

from . import operations
from .mutations import BRINGS, MUTATIONS, OPEN, UNTRIED, Call, Mutation, changed
from .operations import ADDRESSES, NAME, OPEN_ROUTES, TOLD, UPLOADS
from .queries import NO_OBJECTS, NODES, PROFILE, QUERIES, RESTRICTED, asked, gid
from .stocked import shard_of, stocked

VISIBILITIES = pytest.mark.parametrize("private", [False, True], ids=["public", "private"])
SITES = pytest.mark.parametrize("anonymous_read", [True, False], ids=["open", "closed"])
Wrong = list[str]
KEPT = (
    *("audit_event", "package", "release", "file", "label", "file_label", "token", "member_group", "group_member", "group_package", "collaborator"),
    *("namespace", '"user"', "session", "freed_package", "freed_namespace", "tombstone", "binding", "head", "staged_upload", "notice"),
)
"""The tables of which no refused change adds, takes or changes a row."""
BESIDE = {"last_used_at", "used_at"}
"""Columns that say when a credential was used, be it for a request that is refused."""


def told(role: Role, what: str, got: str, expected: Answer) -> Iterable[str]:
    """A sentence where an answer is wrong."""
    if got != expected:
        yield f"{role.name}: {what} should be {expected}, and is {got}"


# -- there is no other operation --------------------------------------------------------------------------------------


def flat(routes: Iterable[BaseRoute], prefix: str = "") -> Iterator[tuple[str, str]]:
    """The methods and paths of all routes; no method: any."""
    for route in routes:
        if isinstance(route, Mount):
            yield from flat(route.routes, prefix + route.path)
        else:
            assert isinstance(route, Route), route
            for method in set(route.methods or {""}) - {"HEAD"}:  # which is as GET, without a body
                yield method, prefix + route.path


async def test_every_route_is_known(everybody: Cast) -> None:
    front = everybody.house.app
    assert isinstance(front, Front)
    behind = front._app
    assert isinstance(behind, Starlette)
    assert sorted(flat(behind.routes)) == sorted({*UPLOADS, *OPEN_ROUTES})


async def test_every_way_to_ask_a_package_type_is_known(everybody: Cast) -> None:
    await stocked(everybody, ALICE, private=False)
    made = await fetch("SELECT DISTINCT type, document, representation FROM entry")
    entries = {(row["type"], row["document"], row["representation"]) for row in made}
    extras = {(row["type"], row["name"]) for row in await fetch("SELECT DISTINCT file.type, extra.name FROM extra JOIN file ON file.id = file_id")}
    types = everybody.house.site.registry.types
    meant = [operations.meaning(types[address.type], address) for address in (*ADDRESSES, *TOLD)]
    assert set(meant) == operations.every_meaning(everybody.house.site.registry, entries, extras)
    assert [rest for type in types.values() for rest in operations.unsaid(type)] == []


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
    assert first_words(NODES) == kinds - {"PlainFile"}  # files of types that say nothing of their own: as those of the other types


def test_every_field_is_known(schema: GraphQLSchema) -> None:
    """Of every type that shows something of somebody's: who gets the field is in one of the tables."""
    ends = ("Payload", "Connection", "Edge", "Error")
    kinds = {kind for name, kind in schema.type_map.items() if not name.startswith("__") and not name.endswith(ends) and name not in NO_OBJECTS}
    found = {kind.name: kind for kind in kinds if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)}
    assert set(found) - {"Query", "Mutation"} == set(PROFILE)
    of_namespaces = set(found["Namespace"].fields)
    for name, fields in PROFILE.items():
        known = {one.partition(".")[2] for one in RESTRICTED if one.startswith(f"{name}.")} | fields
        assert set(found[name].fields) == known | (of_namespaces if name in ("User", "Organization") else set()), name


def test_every_argument_of_a_mutation_is_known(schema: GraphQLSchema) -> None:
    """Each is in a call, but for those that are listed: one that takes another level is tried as everybody."""
    assert schema.mutation_type is not None
    thing, role = Thing(ALICE, NAME, 0, "", "", "", ""), Role("somebody", ALICE, Credential(owner="somebody"))
    given: dict[str, set[str]] = {}
    for name, mutation in MUTATIONS.items():
        arguments = given.setdefault(name.partition(" ")[0], set())
        arguments |= set(mutation.input(Call(role, thing, 1))) | BRINGS.get(mutation.before, frozenset())
    for field, arguments in given.items():
        kind = get_named_type(schema.mutation_type.fields[field].args["input"].type)
        assert isinstance(kind, GraphQLInputObjectType)
        assert set(schema.mutation_type.fields[field].args) == {"input"}
        assert arguments.isdisjoint(UNTRIED.get(field, ()))
        assert set(kind.fields) == arguments | UNTRIED.get(field, frozenset()), field


# -- installers -------------------------------------------------------------------------------------------------------


@SITES
@VISIBILITIES
async def test_what_everybody_is_shown_and_may_upload(everybody: Cast, private: bool) -> None:
    """One site for all the questions: to open one takes longer than to ask."""
    things = [await stocked(everybody, namespace, private=private) for namespace in (ALICE, ACME)]
    wrong = await installers(everybody, private)
    wrong += await notices(everybody)
    wrong += await queries(everybody, things)
    wrong += await viewers(everybody, things)
    wrong += await uploads(everybody)
    assert not wrong, "\n".join(wrong)


async def installers(everybody: Cast, private: bool) -> Wrong:
    """Every address as everybody, in the channel of `main` or, in turn, of a label that only this package has; some by HEAD too."""
    channels = ("", "/label/rare")
    shards = {(at, channel): await shard_of(everybody, at, channel) for at in (ALICE, ACME) for channel in channels}
    wrong: Wrong = []
    for (turn, role), (number, address) in product(enumerate(everybody.roles.values()), enumerate(ADDRESSES)):
        client, channel = everybody.client(role), channels[(turn + number) % 2]
        path = f"/{address.type}/{role.at}{channel}/{address.rest.replace('{shard}', shards[role.at, channel])}"
        response = await client.get(path, headers={"accept": address.accept})
        expected = everybody.world.reads(role.credential, (role.at, NAME), address.type)
        wrong += told(role, f"GET {path}", operations.reading(response, address), expected)
        if response.status_code == 200 and ((private and expected is Answer.SEEN) or not everybody.world.open):
            assert response.headers["cache-control"].startswith("private"), path
            assert "access-control-allow-origin" not in response.headers
        if (turn + number) % 3 == 0:
            head = await client.head(path, headers={"accept": address.accept})
            if (head.status_code, head.headers.get("etag"), head.content) != (response.status_code, response.headers.get("etag"), b""):
                wrong.append(f"{role.name}: HEAD {path} is not as GET")
    return wrong


async def notices(everybody: Cast) -> Wrong:
    """What is said to everybody, as everybody, by the channel of `main` and by one of a label that nothing has."""
    at = now()
    for namespace in (ALICE, ACME):
        said = {"level": "info", "message": "Down on Sunday.", "created_at": at, "expires_at": at + 3_600_000}
        await inserted("notice", uuid=new_uuid(), namespace_id=everybody.ids[namespace], **said)
    wrong: Wrong = []
    for role, address, channel in product(everybody.roles.values(), TOLD, ("", "/label/none")):
        path = f"/{address.type}/{role.at}{channel}/{address.rest}"
        response = await everybody.client(role).get(path)
        wrong += told(role, f"GET {path}", operations.reading(response, address), everybody.world.told(role.credential, address.type))
        if response.status_code == 200 and not everybody.world.open:
            assert response.headers["cache-control"].startswith("private"), path
    return wrong


async def uploads(everybody: Cast) -> Wrong:
    """Every way to upload into the package, as everybody."""
    wrong: Wrong = []
    for role in everybody.roles.values():
        client, place = everybody.client(role), (role.at, NAME)
        for (_, path), send in UPLOADS.items():
            for type in operations.types_by(path):
                got = operations.uploading(await send(client, role.at, type, everybody.number))
                wrong += told(role, f"{path} of {type}", got, everybody.world.uploads(role.credential, place, type))
    return wrong


@VISIBILITIES
async def test_a_token_in_the_path_opens_what_it_opens_in_a_header(everybody: Cast, private: bool) -> None:
    await stocked(everybody, ACME, private=private)
    wrong: Wrong = []
    for role in everybody.roles.values():
        if role.at != ACME or not role.secret or role.credential.session:
            continue
        for path in (f"/t/{role.secret}/conda/acme/noarch/repodata.json", f"/conda/t/{role.secret}/acme/noarch/repodata.json"):
            got = operations.reading(await everybody.house.anyone.get(path), ADDRESSES[0])
            wrong += told(role, "a token in the path", got, everybody.world.reads(role.credential, (ACME, NAME), "conda"))
        for path in (f"/t/{role.secret}/graphql?query={{viewer{{name}}}}", f"/t/{role.secret}/upload/acme/x", f"/t/{role.secret}/healthz"):
            assert (await everybody.house.anyone.get(path)).status_code == 404
    assert not wrong, "\n".join(wrong)


async def test_uploads_that_make_a_package(everybody: Cast) -> None:
    wrong: Wrong = []
    for role in everybody.roles.values():
        basename, body = build_conda(name := f"fresh{everybody.number}", "1.0")
        got = operations.uploading(await everybody.client(role).put(f"/upload/{role.at}/{basename}", content=body))
        wrong += told(role, "an upload of a new package", got, everybody.world.uploads(role.credential, (role.at, name), "conda"))
    assert not wrong, "\n".join(wrong)


# -- GraphQL ----------------------------------------------------------------------------------------------------------


async def queries(everybody: Cast, things: Iterable[Thing]) -> Wrong:
    """Every query, node and restricted field, as everybody."""
    ids = {thing.namespace: await ids_of(everybody, thing) for thing in things}
    wrong: Wrong = []
    for role in everybody.roles.values():
        for name, query in [*QUERIES.items(), *NODES.items(), *RESTRICTED.items()]:
            text = query.text.replace("$namespace", role.at).replace("$name", NAME)
            for kind, id in ids[role.at].items():
                text = text.replace(f'${kind}"', f'{id}"')
            response = await everybody.client(role).post("/graphql", json={"query": text})
            wrong += told(role, name, asked(response, query, role.at), query.answers(everybody.world, role))
    return wrong


VIEWER = """{
    namespace(name: "%s") { viewerCanCreatePackages viewerCanAdminister labels { name viewerCanAdminister viewerCanDelete viewerCanUse }
        tokens(first: 100) { nodes { viewerCanRevoke revokedAt } } }
    package(namespace: "%s", name: "thing") {
        viewerCanWrite viewerCanAdminister releases { nodes { viewerCanWrite } } files { nodes { viewerCanWrite } } }
}"""


async def viewers(everybody: Cast, things: Iterable[Thing]) -> Wrong:
    """What is said of what the viewer can do, against what works for each role."""
    wrong: Wrong = []
    for role in everybody.roles.values():
        if everybody.world.asks(role.credential, None) is not Answer.SEEN:
            continue
        found = (await everybody.client(role).post("/graphql", json={"query": VIEWER % (role.at, role.at)})).json()["data"]
        namespace, package = found["namespace"], found["package"]

        def works(name: str | None, level: Level, role: Role = role) -> bool:
            return everybody.world.changes(role.credential, role.at, name, level) is Answer.DONE

        said = [(namespace["viewerCanCreatePackages"], works(None, Level.WRITE)), (namespace["viewerCanAdminister"], works(None, Level.ADMIN))]
        for one in namespace["labels"]:
            said += [(one["viewerCanAdminister"], works(None, Level.ADMIN))]
            said += [(one["viewerCanDelete"], works(None, Level.ADMIN) and one["name"] != "main")]
        for token in (namespace["tokens"] or {"nodes": []})["nodes"]:
            said += [(token["viewerCanRevoke"], works(None, Level.ADMIN) and token["revokedAt"] is None)]
        if package is not None:
            said += [(package["viewerCanAdminister"], works(NAME, Level.ADMIN))]
            parts = [package, *package["releases"]["nodes"], *package["files"]["nodes"]]
            assert len(parts) > 2
            said += [(one["viewerCanWrite"], works(NAME, Level.WRITE)) for one in parts]
        wrong += [f"{role.name}: what the viewer can do is told as {said}" for shown, right in said if shown is not right][:1]
    return wrong


async def ids_of(everybody: Cast, thing: Thing) -> dict[str, str]:
    """The ids of everything that there is of a package and its namespace, by kind."""
    names = {"conda": "CondaFile", "pypi": "PypiFile", "notebook": "NotebookFile", "environment": "EnvironmentFile"}
    found = {"Package": thing.uuid, "Release": thing.release, "Label": thing.label}
    [main] = await fetch("SELECT uuid FROM label WHERE namespace_id = $1 AND name = 'main'", everybody.ids[thing.namespace])
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
    return {kind: gid(kind, uuid) for kind, uuid in found.items()} | {"Main": gid("Label", main["uuid"])}


CLOSED = ("anonymous", "stranger", "stranger to a user", "collaborator", "bound to other", "organization owner", "only api:write")
"""Who is asked again on a site that is not for everybody: there nothing is different but for those to whom nothing was given."""


@SITES
async def test_mutations(everybody: Cast, schema: GraphQLSchema) -> None:
    """As who may not, on a public and a private package; as who may, on the one or the other, in turn."""
    wrong: Wrong = []
    roles = [role for name, role in everybody.roles.items() if everybody.world.open or name in CLOSED]
    for (number, (name, mutation)), private in product(enumerate(MUTATIONS.items()), (False, True)):
        text = text_of(schema, name)
        victims = {namespace: await fresh(everybody, namespace, private) for namespace in (ALICE, ACME)}
        for one in BOUND:
            await everybody.bind(one, victims[ACME])
        calls = [Call(everybody.roles[role.name], victims[ACME if mutation.organization else role.at], everybody.number, private) for role in roles]
        done = [call.role.name for call in calls if mutation.expected(everybody.world, call) is Answer.DONE]
        wrong += await refusals(everybody, [call for call in calls if call.role.name not in done], name, mutation, text)
        for by in [by for turn, by in enumerate(done) if (turn + number) % 2 == private]:
            thing = await fresh(everybody, ACME if mutation.organization else everybody.roles[by].at, private)
            if by in BOUND:
                await everybody.bind(by, thing)
            wrong += await change(everybody, Call(everybody.roles[by], thing, everybody.number, private), name, mutation, text)
    assert not wrong, "\n".join(wrong)


def text_of(schema: GraphQLSchema, name: str) -> str:
    """A call of a mutation."""
    assert schema.mutation_type is not None
    field = name.partition(" ")[0]
    kind = schema.mutation_type.fields[field].args["input"].type
    return f"mutation ($input: {kind}) {{ found: {field}(input: $input) {{ __typename ... on Error {{ message }} }} }}"


async def refusals(everybody: Cast, calls: Iterable[Call], name: str, mutation: Mutation, text: str) -> Wrong:
    """Call a mutation as those who may not, and compare what it came to: all of it leaves everything as it was."""
    given = [(call, {**mutation.input(call), **await mutation.before(everybody, call)}) for call in calls]
    before = await state()
    wrong: Wrong = []
    for call, input in given:
        response = await everybody.client(call.role).post("/graphql", json={"query": text, "variables": {"input": input}})
        wrong += told(call.role, name, changed(response, mutation.past), mutation.expected(everybody.world, call))
    after = await state()
    return wrong + [f"{name}, refused, has changed {table}" for table in before if after[table] != before[table]]


async def change(everybody: Cast, call: Call, name: str, mutation: Mutation, text: str) -> Wrong:
    """Call a mutation as somebody who may: it is done, and written down."""
    given = {**mutation.input(call), **await mutation.before(everybody, call)}
    before = await events()
    response = await everybody.client(call.role).post("/graphql", json={"query": text, "variables": {"input": given}})
    wrong = list(told(call.role, name, changed(response, mutation.past), Answer.DONE))
    if (await events() > before) == bool(mutation.past):
        wrong.append(f"{call.role.name}: {name} is not told of in the audit log as it should be")
    return wrong


async def events() -> int:
    """How many events there are."""
    [row] = await fetch("SELECT count(*) AS events FROM audit_event")
    return int(row["events"])


async def fresh(everybody: Cast, namespace: str, private: bool) -> Thing:
    """A package for one call, on which everybody has what their role says."""
    thing = await everybody.thing(namespace, f"thing{everybody.number}", private=private, granted=True)
    everybody.knows(thing.place)
    return thing


async def state() -> dict[str, str]:
    """What a refused change must leave alone: a digest of the rows of each table."""
    found = {}
    for table in KEPT:
        rows = [{name: value for name, value in dict(row).items() if name not in BESIDE} for row in await fetch(f"SELECT * FROM {table}")]
        found[table] = hashlib.sha256("\n".join(sorted(map(repr, rows))).encode()).hexdigest()
    return found
