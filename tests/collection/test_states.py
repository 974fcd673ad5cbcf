"""Uploads and collectors that take turns in any order: at every moment, what something refers to is stored and there."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING

from entrepot.db.sql import execute, fetch, transaction
from entrepot.errors import Unavailable
from entrepot.services import blobs
from entrepot.services.collection.blobs import mark, remove
from entrepot.services.collection.report import Report
from entrepot.services.collection.strays import record_strays
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from .conftest import Yard

FUTURE = 1 << 60
UPLOADS = ("a", "b", "c")
numbers = count()


class Turns:
    """One blob, some uploads of it, and a collector; each step is what they do in one transaction, or with the bytes."""

    def __init__(self, yard: Yard) -> None:
        self.storage = yard.house.site.storage
        self.owner = yard.alice.actor.namespace_id
        self.body = b"bytes %d" % next(numbers)
        self.sha256 = hashlib.sha256(self.body).hexdigest()
        self.claims: dict[str, blobs.Claim] = {}
        self.put: set[str] = set()

    async def take(self, step: str, upload: str) -> None:
        match step:
            case "claim":
                self.put.discard(upload)
                self.claims[upload] = await blobs.claim([(self.sha256, len(self.body))])
            case "put" if upload in self.claims:
                if self.sha256 in self.claims[upload].missing or self.storage.size(self.sha256) != len(self.body):
                    self.storage.put_bytes(self.sha256, self.body)
                self.put.add(upload)
            case "publish" if upload in self.put:
                await self.publish(self.claims.pop(upload))
                self.put.discard(upload)
            case "unpublish":
                await execute("DELETE FROM staged_upload WHERE sha256 = $1", self.sha256)
            case "mark":
                await mark([self.sha256], before=FUTURE)
            case "remove":
                await remove(self.storage, Report(), [self.sha256])
            case "record":
                await record_strays(self.storage, Report())

    async def publish(self, claim: blobs.Claim) -> None:
        """Refer to the blob, as whoever announced an upload does; the row is all that a collector goes by."""
        statement = """INSERT INTO staged_upload (uuid, digest, namespace_id, creator_id, basename, parameters, sha256, created_at, expires_at)
            VALUES ($1, $1, $2, $2, 'x', '{}', $3, 0, $4)"""
        try:
            async with transaction():
                await execute(statement, f"upload {next(numbers)}", self.owner, self.sha256, FUTURE)
                await blobs.stored(claim)
        except Unavailable:
            pass  # it was collected meanwhile: nothing was published

    async def check(self) -> None:
        if await fetch("SELECT 1 FROM staged_upload WHERE sha256 = $1", self.sha256):
            assert [row["state"] for row in await fetch("SELECT state FROM blob WHERE sha256 = $1", self.sha256)] == ["stored"]
            assert self.storage.size(self.sha256) == len(self.body)


collected_and_claimed_anew = [("claim", "a"), ("put", "a"), ("mark", "a"), ("remove", "a"), ("claim", "b"), ("publish", "a")]
uploads = st.tuples(st.sampled_from(["claim", "put", "publish", "unpublish"]), st.sampled_from(UPLOADS))
collectors = st.tuples(st.sampled_from(["mark", "remove", "record"]), st.just(""))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(uploads | collectors, min_size=4, max_size=30))
@example(steps=collected_and_claimed_anew)
async def test_in_whatever_order_uploads_and_collectors_take_turns_nothing_refers_to_what_is_not_there(
    yard: Yard, steps: Sequence[tuple[str, str]]
) -> None:
    turns = Turns(yard)
    for step, upload in steps:
        await turns.take(step, upload)
        await turns.check()
