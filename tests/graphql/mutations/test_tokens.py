"""`createToken`, `revokeToken`, and the viewer's tokens: a token never makes one that may do more, or lives longer, than itself."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from changes import ask, change, done, events, look, mutation, refused, stopped
from entrepot.db.sql import fetch
from entrepot.services.actors import covers
from entrepot.services.delegation import hands_on
from house import House, Person
from hypothesis import given
from hypothesis import strategies as st

WANTED = "secret token { id name scopes createdAt expiresAt lastUsedAt revokedAt }"
TOKENS = """query ($first: Int = 100, $after: String) { viewer { tokens(first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor } nodes { id name scopes revokedAt } } } }"""


def left(token: Any) -> timedelta:
    return datetime.fromisoformat(token["expiresAt"]) - datetime.now(UTC)


async def test_a_token_is_made_shown_once_and_works(house: House, alice: Person) -> None:
    made = await done(alice.client, "createToken", {"name": "ci", "scopes": ["toy:download", "api:read"], "expiresIn": "30d"}, WANTED)
    token = made["token"]
    assert (token["name"], token["scopes"], token["lastUsedAt"], token["revokedAt"]) == ("ci", ["toy:download", "api:read"], None, None)
    assert timedelta(days=29, hours=23) < left(token) <= timedelta(days=30)
    new = house.client(Authorization=f"Bearer {made['secret']}")
    assert (await look(new, "{ viewer { name } }"))["viewer"] == {"name": "alice"}
    shown = await new.post("/graphql", json={"query": TOKENS})
    assert made["secret"] not in shown.text
    assert [one["name"] for one in shown.json()["data"]["viewer"]["tokens"]["nodes"]] == ["ci", "laptop"]
    [event] = await fetch("SELECT * FROM audit_event WHERE action = 'token.create' AND token_id IS NOT NULL")  # the house's own have none
    assert (event["actor"], event["subject"], event["token_name"], event["address"]) == ("alice", "alice: ci", "laptop", "127.0.0.1")
    assert orjson.loads(event["details"])["scopes"] == ["toy:download", "api:read"]
    assert made["secret"] not in str(await fetch("SELECT * FROM token")) + str(await fetch("SELECT * FROM audit_event"))


async def test_no_token_makes_one_for_more_than_itself(house: House, alice: Person) -> None:
    narrow = await alice.scoped("api", "toy:download", "repos")
    for scopes in (["all"], ["api", "all"]):
        kind, message = await refused(narrow, "createToken", {"name": "more", "scopes": scopes})
        assert kind == "PermissionDeniedError"
        assert "does not cover the scope all" in message
    for scopes in (["api:write"], ["toy"], ["toy:upload", "api:read"], ["repos", "api"]):
        await done(narrow, "createToken", {"name": "less", "scopes": scopes})
    downloads = await alice.scoped("api:write", "api:read", "toy:download")
    for scope in ("toy:upload", "toy", "repos", "api"):
        assert (await refused(downloads, "createToken", {"name": "more", "scopes": [scope]}))[0] == "PermissionDeniedError"
    assert await stopped(await alice.scoped("api:read"), "createToken", {"name": "x", "scopes": ["api:read"]}) == "PERMISSION_DENIED"
    assert await stopped(house.anyone, "createToken", {"name": "x", "scopes": ["api:read"]}) == "UNAUTHENTICATED"


async def test_no_token_makes_one_that_outlives_it(alice: Person) -> None:
    short = await alice.scoped("all", expires_in=timedelta(hours=2))
    for lifetime in ("3h", "1y", "never"):
        kind, message = await refused(short, "createToken", {"name": "long", "scopes": ["all"], "expiresIn": lifetime})
        assert kind == "PermissionDeniedError"
        assert "outlives" in message
    wishes: list[tuple[str | None, timedelta]] = [("1h", timedelta(hours=1)), (None, timedelta(hours=2))]
    for wish, longest in wishes:
        made = await done(short, "createToken", {"name": "short", "scopes": ["all"], "expiresIn": wish}, WANTED)
        assert longest - timedelta(minutes=10) < left(made["token"]) <= longest
    endless = await alice.scoped("all", expires_in=None)
    made = await done(endless, "createToken", {"name": "endless", "scopes": ["all"], "expiresIn": "never"}, WANTED)
    assert made["token"]["expiresAt"] is None
    made = await done(endless, "createToken", {"name": "year", "scopes": ["all"]}, WANTED)
    assert timedelta(days=364) < left(made["token"]) <= timedelta(days=365)


async def test_a_name_scopes_and_lifetimes_that_cannot_be_are_refused(alice: Person) -> None:
    before = len(await fetch("SELECT id FROM token"))
    good = {"name": "ci", "scopes": ["all"]}
    wrong: list[dict[str, Any]] = [
        {"name": ""},
        {"name": " "},
        {"name": "a\0"},
        {"name": "x" * 129},
        {"scopes": []},
        {"scopes": [""]},
        {"scopes": ["nothing"]},
        {"scopes": ["all toy"]},
        {"expiresIn": ""},
        {"expiresIn": "0d"},
        {"expiresIn": "-1d"},
        {"expiresIn": "999999y"},
        {"expiresIn": "soon"},
    ]
    for bad in wrong:
        result = await change(alice.client, "createToken", {**good, **bad})
        assert (result["__typename"], result["field"]) == ("ValidationError", *bad), bad
    assert len(await fetch("SELECT id FROM token")) == before


async def test_a_revoked_token_is_dead_at_once_the_one_that_revokes_itself_too(house: House, alice: Person) -> None:
    made = await done(alice.client, "createToken", {"name": "ci", "scopes": ["all"]}, WANTED)
    new = house.client(Authorization=f"Bearer {made['secret']}")
    again = []
    for _ in range(2):
        token = (await done(alice.client, "revokeToken", {"tokenId": made["token"]["id"]}, "token { id revokedAt }"))["token"]
        again.append(token["revokedAt"])
        assert (await new.get("/toy/alice/listing")).status_code == 401
    assert again[0] is not None
    assert again[0] == again[1]
    tokens = (await look(alice.client, TOKENS))["viewer"]["tokens"]["nodes"]
    laptop = next(one["id"] for one in tokens if one["name"] == "laptop")
    await done(alice.client, "revokeToken", {"tokenId": laptop})
    assert (await alice.client.post("/graphql", json={"query": TOKENS})).status_code == 401
    assert [event[1] for event in await events("token.revoke")] == ["alice: ci", "alice: laptop"]


async def test_the_tokens_of_others_do_not_exist(house: House, alice: Person, bob: Person) -> None:
    [token] = (await look(alice.client, TOKENS))["viewer"]["tokens"]["nodes"]
    assert (await refused(bob.client, "revokeToken", {"tokenId": token["id"]}))[0] == "NotFoundError"
    query = 'query ($id: ID!) { node(id: $id) { id } namespace(name: "alice") { ... on User { tokens { totalCount } } } }'
    for client in (bob.client, house.anyone):
        assert await look(client, query, id=token["id"]) == {"node": None, "namespace": {"tokens": None}}
    root = await house.person("root", admin=True)
    assert (await look(root.client, query, id=token["id"]))["namespace"] == {"tokens": {"totalCount": 1}}
    assert (await look(house.anyone, TOKENS))["viewer"] is None
    assert await stopped(house.anyone, "revokeToken", {"tokenId": token["id"]}) == "UNAUTHENTICATED"
    assert (await alice.client.get("/toy/alice/listing")).status_code == 200


async def test_tokens_come_in_pages(alice: Person) -> None:
    for number in range(4):
        await done(alice.client, "createToken", {"name": f"t{number}", "scopes": ["api:read"]})
    names: list[str] = []
    after = None
    while len(names) < 10:
        page = (await look(alice.client, TOKENS, first=2, after=after))["viewer"]["tokens"]
        assert page["totalCount"] == 5
        names += [one["name"] for one in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert sorted(names) == ["laptop", "t0", "t1", "t2", "t3"]


async def test_no_token_is_made_with_one_that_is_being_revoked(house: House, alice: Person) -> None:
    """Whatever comes first: after both, the revoked token opens nothing, and what it made before stands in the list."""
    [laptop] = (await look(alice.client, TOKENS))["viewer"]["tokens"]["nodes"]
    other = await alice.scoped("all")
    makes = [ask(alice.client, mutation("createToken"), input={"name": f"t{number}", "scopes": ["all"]}) for number in range(4)]
    results = await asyncio.gather(done(other, "revokeToken", {"tokenId": laptop["id"]}), *makes)
    made = [answer for answer in results[1:] if (answer.get("data") or {}).get("result", {}).get("__typename") == "CreateTokenPayload"]
    listed = [one["name"] for one in (await look(other, TOKENS))["viewer"]["tokens"]["nodes"]]
    assert len([name for name in listed if name.startswith("t")]) == len(made)
    assert (await alice.client.post("/graphql", json={"query": TOKENS})).status_code == 401


SCOPES = ("all", "repos", "api", "api:read", "api:write", "toy", "toy:upload", "toy:download", "book", "book:download")
NEEDS = ("api:read", "api:write", "toy:upload", "toy:download", "book:upload", "book:download")


@given(own=st.sets(st.sampled_from(SCOPES), min_size=1), scope=st.sampled_from(SCOPES))
def test_what_is_handed_on_covers_no_need_that_was_not_covered_before(own: set[str], scope: str) -> None:
    if hands_on(own, scope):
        assert {need for need in NEEDS if covers([scope], need)} <= {need for need in NEEDS if covers(own, need)}
    assert hands_on([*own, scope], scope)
    assert hands_on(["all"], scope)
