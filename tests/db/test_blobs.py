"""The states of a blob."""

from __future__ import annotations

import asyncio

import pytest
from entrepot.db.sql import execute, fetch, transaction
from entrepot.errors import Unavailable
from entrepot.services import blobs

pytestmark = pytest.mark.usefixtures("db")
A, B, C = "a" * 64, "b" * 64, "c" * 64


async def states() -> dict[str, str]:
    return {row["sha256"]: row["state"] for row in await fetch("SELECT sha256, state FROM blob")}


async def set_state(sha256: str, state: str) -> None:
    await execute("UPDATE blob SET state = $1, touched_at = 5 WHERE sha256 = $2", state, sha256)


async def publish(*sha256s: str) -> None:
    async with transaction():
        await blobs.stored(sha256s)


async def test_a_new_blob_is_claimed_and_must_be_put() -> None:
    assert await blobs.claim([(A, 1), (B, 2)]) == {A, B}
    assert await states() == {A: "claimed", B: "claimed"}
    assert [row["size"] for row in await fetch("SELECT size FROM blob ORDER BY sha256")] == [1, 2]


async def test_a_stored_blob_stays_stored_need_not_be_put_and_is_touched() -> None:
    await blobs.claim([(A, 1)])
    await publish(A)
    await set_state(A, "stored")
    assert await blobs.claim([(A, 1), (B, 1)]) == {B}
    assert await states() == {A: "stored", B: "claimed"}
    [row] = await fetch("SELECT touched_at FROM blob WHERE sha256 = $1", A)
    assert row["touched_at"] > 1_700_000_000_000


async def test_a_blob_that_is_being_deleted_is_claimed_back_and_must_be_put() -> None:
    await blobs.claim([(A, 1)])
    await set_state(A, "deleting")
    assert await blobs.claim([(A, 1)]) == {A}
    assert await states() == {A: "claimed"}


async def test_two_claims_at_once_must_both_put_until_one_has_published() -> None:
    first, second = await asyncio.gather(blobs.claim([(A, 1), (B, 1)]), blobs.claim([(B, 1), (A, 1)]))
    assert first == second == {A, B}
    await publish(A)
    assert await blobs.claim([(A, 1), (B, 1)]) == {B}
    await publish(A, B)
    assert await states() == {A: "stored", B: "stored"}


async def test_the_same_blob_twice_in_one_claim_is_one_blob() -> None:
    assert await blobs.claim([(A, 1), (A, 1)]) == {A}
    await publish(A, A)
    assert await states() == {A: "stored"}


async def test_nothing_to_claim_and_nothing_to_store_is_no_work() -> None:
    assert await blobs.claim([]) == set()
    await publish()
    assert await states() == {}


@pytest.mark.parametrize("gone", ["deleting", "no row"])
async def test_a_blob_collected_since_its_claim_undoes_the_publication(gone: str) -> None:
    await blobs.claim([(A, 1), (B, 1)])
    await (set_state(A, "deleting") if gone == "deleting" else execute("DELETE FROM blob WHERE sha256 = $1", A))
    with pytest.raises(Unavailable, match="Send it again"):
        await publish(A, B)
    assert (await states())[B] == "claimed"


async def test_a_publication_that_is_undone_leaves_its_blobs_claimed() -> None:
    async def refused() -> None:
        async with transaction():
            await blobs.stored([A])
            raise ValueError("refused")

    await blobs.claim([(A, 1)])
    with pytest.raises(ValueError, match="refused"):
        await refused()
    assert await states() == {A: "claimed"}
    assert await blobs.claim([(A, 1)]) == {A}


async def test_many_blobs_are_claimed_at_once() -> None:
    many = [(f"{number:064x}", number) for number in range(500)]
    assert await blobs.claim(many) == {name for name, _ in many}
