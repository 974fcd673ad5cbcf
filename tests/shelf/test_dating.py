"""Uploads whose version nobody says: dated, and no new release of the same bytes."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from datetime import UTC, datetime

import pytest
from entrepot.db.sql import execute, fetch
from entrepot.services.dating import stamp
from entrepot.services.files import remove_file
from house import House, Person, sentence
from recipe import build_recipe

DATE = re.compile(r"\d{4}\.\d\d\.\d\d\.\d{6}(\.\d+)?")


def test_a_stamp_is_the_second_in_utc() -> None:
    assert stamp(0) == "1970.01.01.000000"
    assert stamp(1_700_000_000_999) == "2023.11.14.221320"


async def test_an_upload_that_says_no_version_is_dated(cook: Person) -> None:
    before = datetime.now(UTC).strftime("%Y.%m.%d.%H%M%S")
    made = await cook.has("Cake.recipe", build_recipe())
    after = datetime.now(UTC).strftime("%Y.%m.%d.%H%M%S")
    assert (made["package"], made["path"]) == ("cake", f"cake/{made['version']}/Cake.recipe")
    assert before <= made["version"] <= after


async def test_given_beats_the_content_and_the_content_beats_the_clock(cook: Person) -> None:
    made = await cook.has("cake.recipe", build_recipe("a", "1.5"), package="Pie", version="2.0")
    assert (made["package"], made["version"], made["path"]) == ("Pie", "2.0", "pie/2.0/cake.recipe")
    made = await cook.has("cake.recipe", build_recipe("b", "1.5"), package="PIE")
    assert (made["package"], made["version"], made["path"]) == ("Pie", "1.5", "pie/1.5/cake.recipe")


async def test_the_same_bytes_are_no_new_release(kitchen: House, cook: Person) -> None:
    first = await cook.has("cake.recipe", build_recipe("a"), version="1.0")
    await cook.has("cake.recipe", build_recipe("b"), version="2.0")
    before = await kitchen.left()
    again = await cook.put("cake.recipe", build_recipe("a"))
    assert (again.status_code, again.json()) == (200, first)
    assert await kitchen.left() == before


async def test_of_several_with_these_bytes_the_newest_is_answered(cook: Person) -> None:
    for version in ("3.0", "1.0", "2.0"):
        await cook.has("cake.recipe", build_recipe("a"), version=version)
    assert (await cook.put("cake.recipe", build_recipe("a"))).json()["version"] == "2.0"


async def test_the_same_bytes_elsewhere_are_a_new_file(cook: Person, kitchen: House) -> None:
    await cook.has("cake.recipe", build_recipe("a"))
    await cook.has("pie.recipe", build_recipe("a"))
    await cook.has("other.recipe", build_recipe("a"), package="cake")
    await cook.has("cake.recipe", build_recipe("a"), version="5")
    await kitchen.people["bob"].has("cake.recipe", build_recipe("a"))
    assert (await kitchen.rows())["file"] == 5


async def test_the_bytes_of_a_version_in_the_content_are_known_too(cook: Person) -> None:
    await cook.has("cake.recipe", build_recipe("a", "1.0"))
    assert (await cook.put("cake.recipe", build_recipe("a", "1.0"))).status_code == 200
    assert "Raise the version" in sentence(await cook.put("cake.recipe", build_recipe("b", "1.0")), 409)


async def test_a_version_that_was_said_is_never_changed(cook: Person) -> None:
    made = await cook.has("cake.recipe", build_recipe("a"))
    assert "other bytes" in sentence(await cook.put("cake.recipe", build_recipe("b"), version=made["version"]), 409)


async def test_the_same_bytes_do_not_change_who_sees_them(kitchen: House, cook: Person) -> None:
    await cook.has("cake.recipe", build_recipe("a"), private="true")
    assert "private already" in sentence(await cook.put("cake.recipe", build_recipe("a"), private="false"), 409)
    assert (await cook.put("cake.recipe", build_recipe("a"), private="true")).status_code == 200
    assert (await kitchen.anyone.get("/recipe/alice/cake.recipe")).status_code == 404


async def test_uploads_of_the_same_bytes_at_once_are_one_release(kitchen: House, cook: Person) -> None:
    responses = await asyncio.gather(*(cook.put("cake.recipe", build_recipe("a")) for _ in range(12)))
    assert Counter(response.status_code for response in responses) == {201: 1, 200: 11}
    assert len({response.text for response in responses}) == 1
    rows = await kitchen.rows()
    assert (rows["file"], rows["release"], rows["package"]) == (1, 1, 1)


async def test_other_bytes_at_once_have_dates_of_their_own(kitchen: House, cook: Person) -> None:
    responses = await asyncio.gather(*(cook.put("cake.recipe", build_recipe(str(number))) for number in range(12)))
    assert [response.status_code for response in responses] == [201] * 12, [response.text for response in responses]
    versions = [response.json()["version"] for response in responses]
    assert len(set(versions)) == 12
    assert all(DATE.fullmatch(version) for version in versions)
    for number, response in enumerate(responses):
        assert (await kitchen.anyone.get(response.json()["url"])).content == build_recipe(str(number))
    listed = (await kitchen.anyone.get("/recipe/alice/cake/index.json")).json()["files"]
    assert sorted(file["version"] for file in listed) == sorted(versions)


@pytest.fixture
async def at_noon(kitchen: House, cook: Person) -> str:
    """A version that is a date, of a file that is there: what the clock says next is put into the same second by name."""
    made = await cook.has("cake.recipe", build_recipe("first"))
    return str(made["version"])


async def test_a_path_that_was_used_is_not_used_again(kitchen: House, cook: Person, at_noon: str) -> None:
    await execute("UPDATE namespace SET replace = 'never' WHERE name_key = 'alice'")
    await remove_file(kitchen.site, actor=cook.actor, namespace="alice", type="recipe", path=f"cake/{at_noon}/cake.recipe")
    made = await asyncio.gather(*(cook.has("cake.recipe", build_recipe(str(number))) for number in range(4)))
    assert at_noon not in {one["version"] for one in made}
    assert len({one["path"] for one in made}) == 4


async def test_bytes_that_were_removed_are_a_new_release(kitchen: House, cook: Person, at_noon: str) -> None:
    await remove_file(kitchen.site, actor=cook.actor, namespace="alice", type="recipe", path=f"cake/{at_noon}/cake.recipe")
    made = await cook.has("cake.recipe", build_recipe("first"))
    assert DATE.fullmatch(made["version"])
    assert [row["version"] for row in await fetch("SELECT version FROM file")] == [made["version"]]


async def test_bytes_that_were_lost_come_back_with_the_same_upload(kitchen: House, cook: Person, at_noon: str) -> None:
    body = build_recipe("first")
    [row] = await fetch("SELECT sha256 FROM file")
    await asyncio.to_thread(kitchen.site.storage.delete, row["sha256"])
    assert (await cook.put("cake.recipe", body)).status_code == 200
    assert (await kitchen.anyone.get(f"/recipe/alice/cake/{at_noon}/cake.recipe")).content == body


@pytest.mark.parametrize(
    ("basename", "query", "words"),
    [
        ("cake.txt", {}, "must end in .recipe or .dish"),
        ("---.recipe", {}, "Say the name with `package=`"),
        ("label.recipe", {}, "means something else"),
        ("cake.recipe", {"package": "a/b"}, "not a valid package name"),
        ("cake.recipe", {"version": "../x"}, "not a valid version"),
    ],
)
async def test_what_cannot_lie_on_a_shelf_is_422(kitchen: House, cook: Person, basename: str, query: dict[str, str], words: str) -> None:
    answer = sentence(await cook.put(basename, build_recipe(), **query), 422)
    assert words in answer or "mean something else" in answer
    assert await kitchen.left() == {}
