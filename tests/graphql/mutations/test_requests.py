"""What holds for every mutation: who may run one at all, how it is asked for, how much one request may do, and what is never shown."""

from __future__ import annotations

import httpx
import pytest
from changes import ask, done, look, mutation, stopped
from entrepot.db.sql import execute, fetch
from entrepot.errors import EntrepotError, PluginError, SettingsError, Unavailable
from entrepot.graphql.problems import HANDLERS
from entrepot.graphql.schema import build_schema
from entrepot.registry import Registry
from graphql import GraphQLNonNull, GraphQLUnionType
from house import House, Person
from strawberry.schema.exception_handlers import get_exception_types
from toy import ToyPlugin, build_toy

CREATE = 'createPackage(input: {namespace: "alice", name: "NAME"}) { __typename }'


async def test_a_get_changes_nothing(house: House, alice: Person) -> None:
    response = await alice.client.get("/graphql", params={"query": "mutation { " + CREATE + " }"})
    assert response.status_code == 400
    assert "mutation" in response.json()["errors"][0]["message"].lower()
    both = "query Look { viewer { name } } mutation Act { " + CREATE + " }"
    assert (await alice.client.get("/graphql", params={"query": both, "operationName": "Act"})).status_code == 400
    assert (await alice.client.get("/graphql", params={"query": both, "operationName": "Look"})).json()["data"]["viewer"]
    assert await house.rows() == {}


async def test_a_body_that_a_foreign_page_could_send_changes_nothing(house: House, alice: Person) -> None:
    for media_type in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        body = b'{"query": "mutation { ' + CREATE.replace('"', '\\"').encode() + b' }"}'
        response = await alice.client.post("/graphql", content=body, headers={"content-type": media_type})
        assert response.status_code == 415
    assert await house.rows() == {}


async def test_a_scope_is_asked_for_before_anything_runs_whatever_the_operation_is_named(house: House, alice: Person) -> None:
    reader = await alice.scoped("api:read", "toy")
    documents = [
        ("mutation { " + CREATE + " }", None),
        ("mutation A { " + CREATE + " } query B { viewer { name } }", "A"),
        ("mutation { ...F } fragment F on Mutation { " + CREATE + " }", None),
        ("mutation { __typename ... on Mutation { " + CREATE + " } }", None),
    ]
    for query, name in documents:
        for client, code in ((reader, "PERMISSION_DENIED"), (house.anyone, "UNAUTHENTICATED")):
            answer = (await client.post("/graphql", json={"query": query, "operationName": name})).json()
            assert (answer["data"], answer["errors"][0]["extensions"]["code"]) == (None, code)
    both = "mutation A { " + CREATE + " } query B { viewer { name } }"
    assert (await reader.post("/graphql", json={"query": both, "operationName": "B"})).json()["data"] == {"viewer": {"name": "alice"}}
    assert await house.rows() == {}


async def test_mutations_run_one_after_the_other_and_one_that_fails_leaves_the_others(alice: Person) -> None:
    names = ["one", "one", "two"]
    query = "mutation { " + " ".join(f"m{number}: {CREATE.replace('NAME', name)}" for number, name in enumerate(names)) + " }"
    data = await look(alice.client, query)
    assert [data[f"m{number}"]["__typename"] for number in range(3)] == ["CreatePackagePayload", "ConflictError", "CreatePackagePayload"]


async def test_one_request_changes_only_so_much(house: House, alice: Person) -> None:
    query = "mutation { " + " ".join(f"m{number}: {CREATE.replace('NAME', f'p{number}')}" for number in range(100)) + " }"
    answer = await ask(alice.client, query)
    assert answer["data"] is None
    assert "The answer could have 20,100 fields; 20,000 are allowed" in answer["errors"][0]["message"]
    assert await house.rows() == {}
    fewer = "mutation { " + " ".join(f"m{number}: {CREATE.replace('NAME', f'p{number}')}" for number in range(20)) + " }"
    assert len(await look(alice.client, fewer)) == 20


async def test_what_is_not_foreseen_is_an_error_without_a_word_of_the_server(house: House, alice: Person) -> None:
    await execute("ALTER TABLE tombstone RENAME TO buried")
    try:
        await alice.has("ball.toy", build_toy("ball"))
        address = {"namespace": "alice", "type": "toy", "path": "ball.toy"}
        answer = await ask(alice.client, mutation("removeFiles"), input={"files": {"addresses": [address]}})
        assert answer["data"] == {"result": None}
        assert "tombstone" not in str(answer)
        assert answer["errors"][0]["extensions"]["code"] in ("INTERNAL", "UNAVAILABLE")
    finally:
        await execute("ALTER TABLE buried RENAME TO tombstone")
    assert (await house.anyone.get("/toy/alice/files/ball.toy")).status_code == 200


async def test_a_site_that_is_not_open_to_everybody_says_nothing_of_its_namespaces(house: House, alice: Person) -> None:
    input = {"namespace": "nobody", "name": "ball"}
    assert await stopped(house.anyone, "createPackage", input) == await stopped(house.anyone, "createPackage", {**input, "namespace": "alice"})


async def test_the_token_and_the_address_of_a_change_are_in_the_audit_log(house: House, alice: Person) -> None:
    await done(alice.client, "createPackage", {"namespace": "alice", "name": "ball"})
    [event] = await fetch("SELECT token.name, address FROM audit_event JOIN token ON token.id = token_id WHERE action = 'package.create'")
    assert tuple(dict(event).values()) == ("laptop", "127.0.0.1")


def test_every_mutation_answers_with_a_nullable_union_of_its_payload_and_errors() -> None:
    mutations = build_schema(Registry.of({"toy": ToyPlugin()}))._schema.mutation_type
    assert mutations is not None
    assert set(mutations.fields) == {
        *("createPackage", "updatePackage", "deletePackage", "transferPackage", "copyFiles", "moveFiles", "removeRelease", "removeFiles"),
        *("addLabel", "removeLabel", "createLabel", "copyLabel", "moveLabel", "deleteLabel", "lockLabel", "unlockLabel"),
        *("createToken", "revokeToken", "createUpload"),
        *("createNotice", "deleteNotice", "setHotfix", "removeHotfix"),
        *("login", "logout", "endSession", "register", "changePassword", "createUser", "disableUser", "enableUser"),
        *("createOrganization", "deleteOrganization", "updateNamespace", "addCollaborator", "removeCollaborator"),
        *("createGroup", "updateGroup", "deleteGroup", "addGroupMember", "removeGroupMember", "addGroupPackage", "removeGroupPackage"),
    }
    for name, field in mutations.fields.items():
        kind = name[0].upper() + name[1:]
        assert isinstance(field.type, GraphQLUnionType)
        assert field.type.name == f"{kind}Result"
        members = {member.name: [one.name for one in member.interfaces] for member in field.type.types}
        assert members.pop(f"{kind}Payload") == []
        assert set(map(tuple, members.values())) == {("Error",)}
        assert list(field.args) == ["input"]
        assert isinstance(field.args["input"].type, GraphQLNonNull)
        assert field.args["input"].type.of_type.name == f"{kind}Input"


def test_each_error_of_the_domain_is_mapped_once() -> None:
    mapped = [error for handler in HANDLERS for error in get_exception_types(handler)]
    assert len(mapped) == len(set(mapped))
    below = [error for error in mapped if any(issubclass(error, other) for other in mapped if other is not error)]
    assert below == []
    ours = {error for error in EntrepotError.__subclasses__() if error.__module__ == EntrepotError.__module__}
    assert ours - set(mapped) == {Unavailable, PluginError, SettingsError}


@pytest.mark.parametrize("variables", [{}, {"input": None}, {"input": {}}, {"input": []}, {"input": "x"}, {"input": {"namespace": "a", "x": 1}}])
async def test_input_of_the_wrong_shape_is_refused_by_graphql(house: House, alice: Person, variables: dict[str, object]) -> None:
    response: httpx.Response = await alice.client.post("/graphql", json={"query": mutation("createPackage"), "variables": variables})
    assert response.json().get("data") is None
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert await house.rows() == {}
