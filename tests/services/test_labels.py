"""Labels on files: each change shows in its own channel, and in no other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from entrepot.clock import now
from entrepot.db.sql import execute, fetch
from entrepot.errors import NotFound, PermissionDenied, Unauthenticated, ValidationError
from entrepot.services.actors import ANONYMOUS, Actor
from entrepot.services.labels import add_label, label_ids, label_name, label_names, remove_label
from house import House, Person
from hypothesis import given
from hypothesis import strategies as st
from toy import build_toy, line_of

BALL = build_toy("ball")


async def heads(house: House) -> dict[str, int]:
    return {row["label"]: row["generation"] for row in await fetch("SELECT label, generation FROM head WHERE document = 'all'")}


async def channel(house: House, label: str) -> str:
    return (await house.anyone.get(f"/toy/alice/label/{label}/listing")).text


async def test_adding_and_removing_a_label_changes_its_channel_alone(house: House, alice: Person) -> None:
    await alice.has("ball.toy", BALL)
    await alice.has("car.toy", build_toy("car"), labels=["main", "dev"])
    before = await heads(house)
    target: dict[str, Any] = {"actor": alice.actor, "namespace": "Alice", "type": "toy", "path": "ball.toy"}
    await add_label(house.site, **target, label="Dev")
    assert await heads(house) == {**before, "dev": before["dev"] + 1}
    assert line_of("ball.toy", BALL) in await channel(house, "dev")
    await remove_label(house.site, **target, label="main")
    assert await heads(house) == {"main": before["main"] + 1, "dev": before["dev"] + 1}
    assert line_of("ball.toy", BALL) not in await channel(house, "main")
    assert line_of("ball.toy", BALL) in await channel(house, "dev")


async def test_what_is_so_already_changes_nothing(house: House, alice: Person) -> None:
    await alice.has("ball.toy", BALL)
    before, events = await heads(house), await fetch("SELECT * FROM audit_event")
    target: dict[str, Any] = {"actor": alice.actor, "namespace": "alice", "type": "toy", "path": "ball.toy"}
    await add_label(house.site, **target, label="main")
    await remove_label(house.site, **target, label="dev")
    assert await heads(house) == before
    assert len(await fetch("SELECT * FROM audit_event")) == len(events)
    assert [row["name"] for row in await fetch("SELECT DISTINCT name FROM label")] == ["main"]


async def test_each_change_is_in_the_audit_log(house: House, alice: Person) -> None:
    await alice.has("ball.toy", BALL)
    target: dict[str, Any] = {"actor": alice.actor, "namespace": "alice", "type": "toy", "path": "ball.toy"}
    await add_label(house.site, **target, label="dev")
    await remove_label(house.site, **target, label="dev")
    events = await fetch("SELECT action, actor, subject, details FROM audit_event WHERE action LIKE 'label.%' ORDER BY id")
    assert [tuple(dict(event).values()) for event in events] == [
        ("label.add", "alice", "alice/toy/ball.toy", '{"label":"dev"}'),
        ("label.remove", "alice", "alice/toy/ball.toy", '{"label":"dev"}'),
    ]


@pytest.mark.parametrize("call", [add_label, remove_label])
async def test_who_may_not_write_changes_no_label(house: House, alice: Person, bob: Person, call: Callable[..., Awaitable[None]]) -> None:
    await alice.has("ball.toy", BALL)
    await alice.has("secret.toy", build_toy("secret"), private="true")
    before = await house.left()
    reader = Actor(name="alice", namespace_id=alice.actor.namespace_id, scopes=frozenset({"toy:download"}))
    refusals: list[tuple[Actor, str, type[Exception]]] = [
        (bob.actor, "ball.toy", PermissionDenied),
        (ANONYMOUS, "ball.toy", Unauthenticated),
        (reader, "ball.toy", PermissionDenied),
        (reader, "secret.toy", PermissionDenied),
        (bob.actor, "secret.toy", NotFound),
        (ANONYMOUS, "secret.toy", NotFound),
        (bob.actor, "nothing.toy", NotFound),
        (alice.actor, "nothing.toy", NotFound),
    ]
    for actor, path, refusal in refusals:
        with pytest.raises(refusal):
            await call(house.site, actor=actor, namespace="alice", type="toy", path=path, label="main")
    with pytest.raises(NotFound):
        await call(house.site, actor=alice.actor, namespace="nobody", type="toy", path="ball.toy", label="main")
    assert await house.left() == before


async def test_what_is_hidden_and_what_is_not_there_are_refused_in_the_same_words(house: House, alice: Person, bob: Person) -> None:
    await alice.has("secret.toy", build_toy("secret"), private="true")
    words = []
    for path in ("secret.toy", "nothin.toy"):
        with pytest.raises(NotFound) as refusal:
            await add_label(house.site, actor=bob.actor, namespace="alice", type="toy", path=path, label="main")
        words.append(refusal.value.message.replace(path, "it"))
    assert words[0] == words[1]


async def test_a_locked_label_is_for_those_who_administer_the_namespace(house: House, alice: Person, bob: Person) -> None:
    await alice.has("ball.toy", BALL, labels=["stable"])
    await execute("UPDATE label SET locked_at = $1", now())
    assert alice.actor.namespace_id is not None
    with pytest.raises(PermissionDenied, match="The label stable is locked"):
        await label_ids(bob.actor, namespace_id=alice.actor.namespace_id, names=["stable"])
    assert await label_ids(alice.actor, namespace_id=alice.actor.namespace_id, names=["stable"])


@given(text=st.text(max_size=140))
def test_a_label_is_lower_case_ascii_or_refused(text: str) -> None:
    try:
        name = label_name(text)
    except ValidationError as error:
        assert "A '/' is not possible" in error.message  # noqa: PT017
        return
    assert name == name.lower()
    assert name.isascii()
    assert text.isascii()
    assert 1 <= len(name) <= 128
    assert label_name(name) == name
    assert not set(name) & set("/ %?#\n")


def test_labels_are_kept_once_and_sorted() -> None:
    assert label_names(["dev", "MAIN", "dev"]) == ["dev", "main"]
    assert label_names([]) == ["main"]
