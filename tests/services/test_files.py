"""Removal of files, and what remains."""

from __future__ import annotations

import asyncio

import pytest
from entrepot.db.sql import execute, fetch
from entrepot.errors import NotFound, PermissionDenied, Unauthenticated
from entrepot.services.actors import ANONYMOUS, Actor
from entrepot.services.files import files_of, remove_file
from house import House, Person, sentence
from toy import build_toy, line_of

BALL = build_toy("ball")


def removal(house: House, actor: Actor, path: str = "ball.toy") -> asyncio.Future[None]:
    return asyncio.ensure_future(remove_file(house.site, actor=actor, namespace="Alice", type="toy", path=path))


async def test_a_removed_file_is_gone_from_everywhere_but_the_tombstones(house: House, alice: Person) -> None:
    made = await alice.has("ball.toy", BALL, labels=["main", "dev"])
    digest = (await house.anyone.get("/toy/alice/shards")).text.split()[1]
    await removal(house, alice.actor)
    for path in ("files/ball.toy", "notes/ball.toy", "page/ball", "label/dev/page/ball"):
        assert (await house.anyone.get(f"/toy/alice/{path}")).status_code == 404
    for path in ("listing", "shards", "names", "label/dev/listing"):
        assert (await alice.client.get(f"/toy/alice/{path}")).text == ""
    assert (await house.anyone.get(f"/toy/alice/shard/{digest}")).status_code == 200
    [tombstone] = await fetch("SELECT path, sha256, removed_by FROM tombstone")
    assert (tombstone["path"], tombstone["sha256"], tombstone["removed_by"]) == ("ball.toy", made["sha256"], "alice")
    rows = await house.rows()
    assert not {"file", "entry", "extra", "file_label"} & set(rows)
    assert house.site.storage.size(made["sha256"]) == len(BALL)


async def test_a_path_may_be_used_again_for_other_bytes_unless_the_namespace_says_never(house: House, alice: Person) -> None:
    await alice.has("ball.toy", BALL)
    await removal(house, alice.actor)
    await alice.has("ball.toy", build_toy("ball", "2"))
    await removal(house, alice.actor)
    await execute("UPDATE namespace SET replace = 'never'")
    assert "never takes other bytes" in sentence(await alice.put("ball.toy", build_toy("ball", "3")), 409)


async def test_the_same_bytes_may_come_back_even_where_the_namespace_says_never(house: House, alice: Person) -> None:
    await execute("UPDATE namespace SET replace = 'never'")
    await alice.has("ball.toy", BALL)
    await removal(house, alice.actor)
    await alice.has("ball.toy", BALL)
    assert (await house.anyone.get("/toy/alice/listing")).text == line_of("ball.toy", BALL)


async def test_who_may_not_write_removes_nothing(house: House, alice: Person, bob: Person) -> None:
    await alice.has("ball.toy", BALL)
    await alice.has("secret.toy", build_toy("secret"), private="true")
    before = await house.left()
    refusals: list[tuple[Actor, str, type[Exception]]] = [
        (bob.actor, "ball.toy", PermissionDenied),
        (ANONYMOUS, "ball.toy", Unauthenticated),
        (bob.actor, "secret.toy", NotFound),
        (ANONYMOUS, "secret.toy", NotFound),
        (alice.actor, "nothing.toy", NotFound),
    ]
    for actor, path, refusal in refusals:
        with pytest.raises(refusal):
            await removal(house, actor, path)
    assert await house.left() == before


async def test_of_two_removals_at_once_one_finds_nothing(house: House, alice: Person) -> None:
    await alice.has("ball.toy", BALL)
    results = await asyncio.gather(removal(house, alice.actor), removal(house, alice.actor), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["NoneType", "NotFound"]
    assert len(await fetch("SELECT 1 FROM tombstone")) == 1


async def test_the_files_of_a_name_come_oldest_first_with_their_extras_and_only_to_readers(house: House, alice: Person, bob: Person) -> None:
    await alice.has("ball-2.toy", build_toy("Ball", "2"), private="true")
    await alice.has("ball-1.toy", build_toy("ball", "1"))
    found = await files_of(house.site, actor=alice.actor, namespace="ALICE", type="toy", name="ball")
    assert [(file.path, file.package, file.name, sorted(file.extras)) for file in found] == [
        ("ball-2.toy", "Ball", "ball", ["note"]),
        ("ball-1.toy", "Ball", "ball", ["note"]),
    ]
    for actor in (bob.actor, ANONYMOUS):
        with pytest.raises(NotFound):
            await files_of(house.site, actor=actor, namespace="alice", type="toy", name="ball")
