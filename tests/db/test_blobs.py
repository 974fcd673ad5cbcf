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


async def publish(*claims: blobs.Claim) -> None:
    async with transaction():
        for claim in claims:
            await blobs.stored(claim)


async def must_put(*digests: tuple[str, int]) -> set[str]:
    """Claim blobs; those that must be put."""
    return set((await blobs.claim(digests)).missing)


async def test_a_new_blob_is_claimed_and_must_be_put() -> None:
    assert await must_put((A, 1), (B, 2)) == {A, B}
    assert await states() == {A: "claimed", B: "claimed"}
    assert [row["size"] for row in await fetch("SELECT size FROM blob ORDER BY sha256")] == [1, 2]


async def test_a_stored_blob_stays_stored_need_not_be_put_and_is_touched() -> None:
    await publish(await blobs.claim([(A, 1)]))
    await set_state(A, "stored")
    assert await must_put((A, 1), (B, 1)) == {B}
    assert await states() == {A: "stored", B: "claimed"}
    [row] = await fetch("SELECT touched_at FROM blob WHERE sha256 = $1", A)
    assert row["touched_at"] > 1_700_000_000_000


async def test_a_blob_that_is_being_deleted_is_claimed_back_and_must_be_put() -> None:
    await blobs.claim([(A, 1)])
    await set_state(A, "deleting")
    assert await must_put((A, 1)) == {A}
    assert await states() == {A: "claimed"}


async def test_two_claims_at_once_must_both_put_until_one_has_published() -> None:
    first, second = await asyncio.gather(blobs.claim([(A, 1), (B, 1)]), blobs.claim([(B, 1), (A, 1)]))
    assert first == second
    assert first.missing == {A, B}
    await publish(blobs.Claim({A: first.incarnations[A]}, frozenset()))
    assert await must_put((A, 1), (B, 1)) == {B}
    await publish(first, second)
    assert await states() == {A: "stored", B: "stored"}


async def test_the_same_blob_twice_in_one_claim_is_one_blob() -> None:
    claim = await blobs.claim([(A, 1), (A, 1)])
    assert claim.missing == {A}
    await publish(claim, claim)
    assert await states() == {A: "stored"}


async def test_nothing_to_claim_and_nothing_to_store_is_no_work() -> None:
    claim = await blobs.claim([])
    assert not claim.incarnations
    assert not claim.missing
    await publish(claim)
    assert await states() == {}


async def test_a_blob_that_was_taken_back_from_a_collector_undoes_the_publication_of_who_claimed_it_before() -> None:
    first = await blobs.claim([(A, 1)])
    await set_state(A, "deleting")  # and its bytes may be gone
    second = await blobs.claim([(A, 1)])  # and has not put them yet
    with pytest.raises(Unavailable, match="Send it again"):
        await publish(first)
    assert await states() == {A: "claimed"}
    await publish(second)
    assert await states() == {A: "stored"}


@pytest.mark.parametrize("gone", ["deleting", "no row"])
async def test_a_blob_collected_since_its_claim_undoes_the_publication(gone: str) -> None:
    claim = await blobs.claim([(A, 1), (B, 1)])
    await (set_state(A, "deleting") if gone == "deleting" else execute("DELETE FROM blob WHERE sha256 = $1", A))
    with pytest.raises(Unavailable, match="Send it again"):
        await publish(claim)
    assert (await states())[B] == "claimed"


async def test_a_blob_that_was_collected_and_claimed_anew_undoes_the_publication_of_the_first() -> None:
    first = await blobs.claim([(A, 1)])
    await execute("DELETE FROM blob WHERE sha256 = $1", A)  # with its bytes, says gc
    second = await blobs.claim([(A, 1)])  # and has not put them yet
    with pytest.raises(Unavailable, match="Send it again"):
        await publish(first)
    assert await states() == {A: "claimed"}
    await publish(second)
    assert await states() == {A: "stored"}


async def test_a_blob_from_before_there_were_incarnations_is_stored_as_any() -> None:
    await execute("INSERT INTO blob (sha256, size, state, touched_at, incarnation) VALUES ($1, 1, 'stored', 5, NULL)", A)
    claim = await blobs.claim([(A, 1)])
    assert claim.missing == frozenset()
    await publish(claim)
    assert await states() == {A: "stored"}


async def test_a_publication_that_is_undone_leaves_its_blobs_claimed() -> None:
    async def refused() -> None:
        async with transaction():
            await blobs.stored(claim)
            raise ValueError("refused")

    claim = await blobs.claim([(A, 1)])
    with pytest.raises(ValueError, match="refused"):
        await refused()
    assert await states() == {A: "claimed"}
    assert await must_put((A, 1)) == {A}


async def test_many_blobs_are_claimed_at_once() -> None:
    many = [(f"{number:064x}", number) for number in range(500)]
    claim = await blobs.claim(many)
    assert claim.missing == {name for name, _ in many}
    await publish(claim)
    assert set((await states()).values()) == {"stored"}
