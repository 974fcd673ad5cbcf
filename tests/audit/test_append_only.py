"""The audit log is append-only, in the database too: nothing that the program or a plugin does changes what was written."""

from __future__ import annotations

from typing import Any

import pytest
from changes import done, package_of
from company import found_company
from entrepot.db.sql import execute, fetch, transaction
from ground import on_fleet
from house import House, Person
from minting import mint
from tortoise.exceptions import IntegrityError
from toy import build_toy


async def log() -> list[dict[str, Any]]:
    return [dict(row) for row in await fetch("SELECT * FROM audit_event ORDER BY id")]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_event",
        "DELETE FROM audit_event WHERE action = 'file.publish'",
        "UPDATE audit_event SET actor = 'mallory'",
        "UPDATE audit_event SET at = 0",
        "UPDATE audit_event SET details = '{}' WHERE action = 'token.create'",
        "UPDATE audit_event SET token_name = 'another'",
        "UPDATE audit_event SET address = '' WHERE address <> ''",
        "UPDATE audit_event SET subject = '', token_id = NULL",
        "UPDATE audit_event SET id = id + 1000",
        "UPDATE audit_event SET uuid = 'x' WHERE id = 1",
        "UPDATE audit_event SET namespace_id = (SELECT max(id) FROM namespace) WHERE namespace_id < (SELECT max(id) FROM namespace)",
        "UPDATE audit_event SET token_id = (SELECT min(id) FROM token) WHERE token_id IS NULL",
    ],
)
async def test_no_statement_changes_it(house: House, alice: Person, bob: Person, statement: str) -> None:
    await alice.has("ball.toy", build_toy("ball"))
    before = await log()
    with pytest.raises(IntegrityError, match="append-only"):
        async with transaction():
            await execute(statement)
    assert await log() == before


@on_fleet
async def test_it_is_not_emptied_at_once_either(house: House, alice: Person) -> None:
    before = await log()
    with pytest.raises(IntegrityError, match="append-only"):
        async with transaction():
            await execute("TRUNCATE audit_event CASCADE")
    assert await log() == before


async def test_an_event_stays_when_its_namespace_and_its_token_go(house: House, alice: Person) -> None:
    acme = await found_company(house, alice)
    await alice.has("ball.toy", build_toy("ball"), to="acme")
    ball = (await package_of(alice.client, "ball", "acme"))["id"]
    bound = await mint(house, alice.client, name="broom", packageId=ball)
    await done(bound.client, "updatePackage", {"packageId": ball, "summary": "round"})
    before = await log()
    await done(alice.client, "deleteOrganization", {"organizationId": acme.id, "confirmation": "acme"})
    after = {row["id"]: row for row in await log()}
    for row in before:
        kept = after[row["id"]]
        assert {**kept, "namespace_id": None, "token_id": None} == {**row, "namespace_id": None, "token_id": None}
        assert kept["namespace_id"] in (row["namespace_id"], None)
    [event] = [row for row in after.values() if row["action"] == "package.update"]
    assert (event["namespace_id"], event["token_id"], event["token_name"], event["actor"]) == (None, None, "broom", "alice")
