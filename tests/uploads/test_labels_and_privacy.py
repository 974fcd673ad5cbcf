"""What an upload says besides its bytes: labels, and whether a new package is private."""

from __future__ import annotations

import pytest
from entrepot.db.sql import fetch
from house import House, Person, sentence
from toy import build_toy, line_of


async def test_an_upload_without_a_label_goes_to_main(house: House, alice: Person) -> None:
    assert (await alice.has("ball.toy", build_toy("ball")))["labels"] == ["main"]


async def test_an_upload_may_have_several_labels_and_shows_in_each_channel_alone(house: House, alice: Person) -> None:
    body = build_toy("ball")
    assert (await alice.has("ball.toy", body, labels=["dev", "Test.1", "dev"]))["labels"] == ["dev", "test.1"]
    for label in ("dev", "test.1"):
        assert (await house.anyone.get(f"/toy/alice/label/{label}/listing")).text == line_of("ball.toy", body)
    assert (await house.anyone.get("/toy/alice/listing")).text == ""


@pytest.mark.parametrize("label", ["a/b", "1st", "", " ", "-x", "ä", "\u212a", "x" * 129, "a b", "a\nb", "main\n"])
async def test_what_is_no_label_is_refused_with_what_one_is(house: House, alice: Person, label: str) -> None:
    response = await alice.put("ball.toy", build_toy("ball"), labels=["main", label])
    assert "use a letter, then up to 127 letters, digits" in sentence(response, 422)
    assert await house.left() == {}


async def test_33_labels_are_one_too_many(house: House, alice: Person) -> None:
    response = await alice.put("ball.toy", build_toy("ball"), labels=[f"l{number}" for number in range(33)])
    assert sentence(response, 422) == "A file takes 32 labels at most in one upload."
    assert await house.left() == {}
    made = await alice.has("ball.toy", build_toy("ball"), labels=[f"l{number}" for number in range(32)])
    assert len(made["labels"]) == 32


async def test_a_private_package_stays_private_whatever_is_uploaded_to_it(house: House, alice: Person) -> None:
    await alice.has("ball-1.toy", build_toy("ball", "1"), private="true")
    await alice.has("ball-2.toy", build_toy("ball", "2"))
    await alice.has("ball-3.toy", build_toy("ball", "3"), private="yes")
    assert [row["private"] for row in await fetch("SELECT private FROM package")] == [1]


@pytest.mark.parametrize(("first", "second"), [("true", "false"), ("false", "true"), ("", "true")])
@pytest.mark.parametrize("basename", ["ball-2.toy", "ball-1.toy"], ids=["another file", "the same bytes"])
async def test_an_upload_that_contradicts_the_visibility_is_409_and_flips_nothing(
    house: House, alice: Person, first: str, second: str, basename: str
) -> None:
    await alice.has("ball-1.toy", build_toy("ball"), private=first)
    before = await house.left()
    response = await alice.put(basename, build_toy("ball"), private=second)
    assert "an upload never changes that" in sentence(response, 409)
    assert await house.left() == before


async def test_a_private_upload_is_invisible_to_others_from_its_first_moment(house: House, alice: Person, bob: Person) -> None:
    made = await alice.has("ball.toy", build_toy("ball"), private="1")
    for client in (house.anyone, bob.client):
        assert (await client.get(made["url"])).status_code == 404
        assert (await client.get("/toy/alice/listing")).text == ""
    assert (await alice.client.get(made["url"])).content == build_toy("ball")
