"""`createUpload` and the one-time URL that it hands out: whoever holds it uploads the one file that was announced, once, and nothing else."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Any

from changes import change, done, events, look, refused, stopped
from entrepot.clock import now
from entrepot.db.sql import execute, fetch
from entrepot.redaction import redacted
from house import House, Person, sentence
from toy import build_toy, line_of

BALL = build_toy("ball")
INPUT = {"namespace": "alice", "basename": "ball.toy", "package": "ball"}
WANTED = "url headers { name value } expiresAt"


async def announced(person: Person, **input: Any) -> str:
    """The URL of a new announcement."""
    return str((await done(person.client, "createUpload", {**INPUT, **input}, WANTED))["url"])


async def test_the_url_takes_the_file_without_a_token_and_publishes_it_as_announced(house: House, alice: Person) -> None:
    made = await done(alice.client, "createUpload", {**INPUT, "labels": ["dev", "main"], "visibility": "PUBLIC", "type": "toy"}, WANTED)
    assert made["url"].startswith("http://localhost/upload/-/")
    assert made["headers"] == [{"name": "Content-Type", "value": "application/octet-stream"}]
    headers = {one["name"]: one["value"] for one in made["headers"]}
    response = await house.anyone.put(made["url"], content=BALL, headers=headers)
    assert response.status_code == 201
    answer = response.json()
    assert (answer["path"], answer["package"], answer["labels"], answer["sha256"]) == (
        "ball.toy",
        "ball",
        ["dev", "main"],
        hashlib.sha256(BALL).hexdigest(),
    )
    for label in ("dev", "main"):
        assert (await house.anyone.get(f"/toy/alice/label/{label}/listing")).text == line_of("ball.toy", BALL)
    found = await look(house.anyone, '{ package(namespace: "alice", name: "ball") { files { nodes { uploadedBy { name } } } } }')
    assert found["package"]["files"]["nodes"] == [{"uploadedBy": {"name": "alice"}}]
    assert [event[:2] for event in await events("upload.create")] == [("alice", "alice/ball.toy")]
    assert [event[:2] for event in await events("file.publish")] == [("alice", "alice/toy/ball.toy")]


async def test_it_works_once(house: House, alice: Person) -> None:
    url = await announced(alice)
    assert (await house.anyone.put(url, content=BALL)).status_code == 201
    for body in (BALL, build_toy("ball", "2")):
        assert "has been used" in sentence(await house.anyone.put(url, content=body), 409)
        assert house.answered_unasked
    assert (await house.rows())["file"] == 1


async def test_of_those_who_use_it_at_once_one_wins(house: House, alice: Person) -> None:
    for _ in range(3):
        url = await announced(alice)
        bodies = [build_toy("ball", "1", bytes([number])) for number in range(4)]
        responses = await asyncio.gather(*(house.anyone.put(url, content=body) for body in bodies))
        assert sorted(response.status_code for response in responses) == [201, 409, 409, 409]
        assert (await house.rows())["file"] == 1
        winner = next(body for body, response in zip(bodies, responses, strict=True) if response.status_code == 201)
        assert (await house.anyone.get("/toy/alice/files/ball.toy")).content == winner
        await done(alice.client, "removeFiles", {"files": {"addresses": [{"namespace": "alice", "type": "toy", "path": "ball.toy"}]}})
    assert house.spooled == []


async def test_what_fails_may_be_tried_again(house: House, alice: Person) -> None:
    url = await announced(alice, sha256=hashlib.sha256(BALL).hexdigest().upper(), size=len(BALL))
    assert "announced with" in sentence(await house.anyone.put(url, content=BALL + b"x"), 422)
    assert house.answered_unasked
    other = BALL[:-1] + b"x"
    sentence(await house.anyone.put(url, content=other), 422)
    sentence(await house.anyone.put(url, content=BALL, headers={"content-encoding": "gzip"}), 400)
    assert await house.left() == {}
    assert (await house.anyone.put(url, content=BALL)).status_code == 201


async def test_a_stream_of_another_length_than_announced_is_refused(house: House, alice: Person) -> None:
    async def stream(body: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(body), 3):
            yield body[start : start + 3]

    url = await announced(alice, size=len(BALL))
    for body in (BALL[:-1], BALL + b"x"):
        assert "announced with" in sentence(await house.anyone.put(url, content=stream(body)), 422)
    assert await house.left() == {}
    assert (await house.anyone.put(url, content=stream(BALL))).status_code == 201


async def test_who_holds_it_can_change_nothing_that_was_fixed(house: House, alice: Person) -> None:
    url = await announced(alice, visibility="PRIVATE", version="1")
    assert "The file says that it is kite" in sentence(await house.anyone.put(url, content=build_toy("kite")), 422)
    assert "version" in sentence(await house.anyone.put(url, content=build_toy("ball", "2")), 422)
    assert "no type" in sentence(await house.anyone.put(url, content=b"nothing"), 422)
    assert await house.left() == {}
    response = await house.anyone.put(url, content=BALL, params={"label": "evil", "private": "false", "package": "kite", "namespace": "bob"})
    assert (response.status_code, response.json()["labels"], response.json()["namespace"]) == (201, ["main"], "alice")
    assert (await house.anyone.get("/toy/alice/files/ball.toy")).status_code == 404
    assert (await alice.client.get("/toy/alice/files/ball.toy")).content == BALL


async def test_it_dies_with_the_token_that_made_it_with_its_user_and_after_an_hour(house: House, alice: Person, bob: Person) -> None:
    revoked, expired, late, disabled = await announced(alice), await announced(alice), await announced(alice), await announced(bob, namespace="bob")
    await execute("UPDATE staged_upload SET expires_at = $1 WHERE id = 3", now())
    await execute('UPDATE "user" SET disabled_at = $1 WHERE namespace_id = $2', now(), bob.actor.namespace_id)
    token = (await fetch("SELECT id FROM token WHERE namespace_id = $1", alice.actor.namespace_id))[0]["id"]
    await execute("UPDATE token SET expires_at = $1 WHERE id = $2", now(), token)
    answers = {sentence(await house.anyone.put(url, content=BALL), 404) for url in (expired, late, disabled)}
    await execute("UPDATE token SET expires_at = NULL, revoked_at = $1 WHERE id = $2", now(), token)
    answers.add(sentence(await house.anyone.put(revoked, content=BALL), 404))
    answers.add(sentence(await house.anyone.put(f"{revoked[:-1]}x", content=BALL), 404))
    answers.add(sentence(await house.anyone.put("/upload/-/x", content=BALL), 404))
    assert house.answered_unasked
    assert len(answers) == 1
    assert await house.left() == {}
    await execute("UPDATE token SET revoked_at = NULL WHERE id = $1", token)
    assert (await house.anyone.put(revoked, content=BALL)).status_code == 201


async def test_a_token_that_is_revoked_while_the_bytes_come_stops_them(house: House, alice: Person) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield BALL[:5]
        await execute("UPDATE token SET revoked_at = $1 WHERE namespace_id = $2", now(), alice.actor.namespace_id)
        yield BALL[5:]

    url = await announced(alice)
    assert "no longer valid" in sentence(await house.anyone.put(url, content=body()), 404)
    assert await house.rows() == {}


async def test_it_lives_an_hour_at_most_and_never_longer_than_the_token(alice: Person) -> None:
    await announced(alice)
    [row] = await fetch("SELECT expires_at FROM staged_upload WHERE basename = 'ball.toy'")
    assert now() + 3_590_000 < row["expires_at"] <= now() + 3_600_000
    soon = now() + 60_000
    await execute("UPDATE token SET expires_at = $1", soon)
    await announced(alice, basename="kite.toy")
    [row] = await fetch("SELECT expires_at FROM staged_upload WHERE basename = 'kite.toy'")
    assert row["expires_at"] == soon


async def test_the_secret_is_stored_nowhere_and_hidden_in_whatever_is_logged(alice: Person) -> None:
    url = await announced(alice)
    secret = url.rpartition("/")[2]
    for table in ("staged_upload", "audit_event", "token"):
        assert secret not in str([dict(row) for row in await fetch(f"SELECT * FROM {table}")])
    assert secret not in redacted(f"PUT {url} could not be answered.")


async def test_who_may_not_upload_announces_nothing(house: House, alice: Person, bob: Person) -> None:
    assert (await refused(bob.client, "createUpload", INPUT))[0] == "PermissionDeniedError"
    assert (await refused(alice.client, "createUpload", {**INPUT, "namespace": "nobody"}))[0] == "NotFoundError"
    assert await stopped(house.anyone, "createUpload", INPUT) == "UNAUTHENTICATED"
    assert await stopped(await alice.scoped("api:read", "toy:upload"), "createUpload", INPUT) == "PERMISSION_DENIED"
    assert await fetch("SELECT id FROM staged_upload") == []


async def test_what_no_upload_could_have_is_refused(alice: Person) -> None:
    for bad in (
        {"basename": ""},
        {"basename": ".."},
        {"basename": "a/b.toy"},
        {"basename": "b\u00e4ll.toy"},
        {"basename": "x" * 256},
        {"package": ""},
        {"package": "x" * 256},
        {"package": "a\0"},
        {"version": ""},
        {"version": "1\n"},
        {"type": "nothing"},
        {"labels": ["a/b"]},
        {"labels": [f"l{number}" for number in range(33)]},
        {"sha256": "abc"},
        {"sha256": "g" * 64},
        {"size": 0},
        {"size": -1},
        {"size": 1 << 60},
    ):
        assert (await change(alice.client, "createUpload", {**INPUT, **bad}))["__typename"] == "ValidationError", bad
    assert await fetch("SELECT id FROM staged_upload") == []


async def test_a_namespace_cannot_stand_in_its_way(house: House) -> None:
    """`-` is the name of no namespace; one that is named like a word of these addresses has its own uploads."""
    staged = await house.person("staged")
    assert (await staged.put("ball.toy", BALL)).status_code == 201
    url = await announced(staged, namespace="staged", basename="kite.toy", package="kite")
    assert (await house.anyone.put(url, content=build_toy("kite"))).status_code == 201
    assert (await house.anyone.get(url)).status_code == 405
