"""A token dies with the token that it was made with, and with that one's, to the last."""

from __future__ import annotations

import asyncio

from changes import ask, done, events, look, mutation, refused
from company import Company
from entrepot.db.sql import fetch
from entrepot.services.tokens import revoke_token, token_named
from house import House, Person
from minting import Minted, mint


async def family(house: House, alice: Person) -> tuple[Minted, Minted, Minted, Minted]:
    """A token, the one that was made with it, the one with that, and one beside them that was made with the laptop's too."""
    first = await mint(house, alice.client, name="first")
    second = await mint(house, first.client, name="second")
    third = await mint(house, second.client, "toy:download", "api:read", name="third")
    return first, second, third, await mint(house, alice.client, name="beside")


async def alive(*tokens: Minted) -> list[bool]:
    return [await token.alive() for token in tokens]


async def test_the_whole_line_dies_and_nobody_else(house: House, alice: Person) -> None:
    first, second, third, beside = await family(house, alice)
    assert await alive(first, second, third, beside) == [True] * 4
    made = await done(alice.client, "revokeToken", {"tokenId": first.id}, "alsoRevoked token { name revokedAt }")
    assert (made["alsoRevoked"], made["token"]["name"]) == (2, "first")
    assert await alive(first, second, third, beside) == [False, False, False, True]
    told = await events("token.revoke")
    assert [(actor, subject, "with" in details) for actor, subject, details in told] == [
        ("alice", "alice: first", False),
        ("alice", "alice: second", True),
        ("alice", "alice: third", True),
    ]
    assert len({details.get("with") or details["token"] for _, _, details in told}) == 1


async def test_one_that_is_revoked_in_the_middle_leaves_its_elders(house: House, alice: Person) -> None:
    first, second, third, beside = await family(house, alice)
    made = await done(alice.client, "revokeToken", {"tokenId": second.id}, "alsoRevoked")
    assert made["alsoRevoked"] == 1
    assert await alive(first, second, third, beside) == [True, False, False, True]
    made = await done(alice.client, "revokeToken", {"tokenId": first.id}, "alsoRevoked")
    assert made["alsoRevoked"] == 0
    assert await alive(first, beside) == [False, True]


async def test_an_organizations_token_dies_with_the_one_that_made_it_and_its_log_says_so(house: House, alice: Person, acme: Company) -> None:
    first = await mint(house, alice.client, name="first")
    machine = await mint(house, first.client, owner="acme", name="ci")
    await done(alice.client, "revokeToken", {"tokenId": first.id})
    assert not await machine.alive()
    rows = await fetch(
        """SELECT namespace.name, audit_event.subject FROM audit_event JOIN namespace ON namespace.id = namespace_id
        WHERE action = 'token.revoke' ORDER BY audit_event.id"""
    )
    assert [tuple(dict(row).values()) for row in rows] == [("alice", "alice: first"), ("acme", "acme: ci")]


async def test_the_command_line_revokes_the_line_too(house: House, alice: Person) -> None:
    first, second, third, beside = await family(house, alice)
    token, others = await revoke_token(owner="alice", token=(await token_named(owner="alice", name="first")).id)
    assert (token.name, [one.name for one in others]) == ("first", ["second", "third"])
    assert await alive(first, second, third, beside) == [False, False, False, True]


async def test_no_token_slips_through_while_its_maker_is_revoked(house: House, alice: Person) -> None:
    """Whatever comes first: afterwards nothing that the revoked token has made opens anything."""
    for _ in range(4):
        first = await mint(house, alice.client)
        second = await mint(house, first.client)
        makers = [first, second, first, second, first]
        input = {"name": "slippery", "scopes": ["all"]}
        work = [ask(one.client, mutation("createToken", "secret"), input=input) for one in makers]
        revocation = done(alice.client, "revokeToken", {"tokenId": first.id})
        answers = await asyncio.gather(*work[:3], revocation, *work[3:])
        results = [((answer.get("data") or {}).get("result") or {}) for answer in answers]
        secrets = [one["secret"] for one in results if "secret" in one]
        assert await alive(*(Minted(house, secret, "") for secret in secrets)) == [False] * len(secrets)
        assert await alive(first, second) == [False, False]


async def test_a_token_that_was_revoked_makes_none(house: House, alice: Person) -> None:
    first = await mint(house, alice.client)
    await done(alice.client, "revokeToken", {"tokenId": first.id})
    response = await first.client.post("/graphql", json={"query": "{ viewer { name } }"})
    assert response.status_code == 401
    assert (await refused(alice.client, "revokeToken", {"tokenId": first.id[:-4] + "AAA="}))[0] in ("NotFoundError", "ValidationError")
    assert len((await look(alice.client, "{ viewer { tokens { nodes { id } } } }"))["viewer"]["tokens"]["nodes"]) == 2
