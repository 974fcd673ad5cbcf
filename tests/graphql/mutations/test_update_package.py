"""`updatePackage`: texts by who may write, visibility by who administers; what is made private is gone everywhere at once."""

from __future__ import annotations

import asyncio

import pytest
from changes import ask, change, done, events, look, package_of, refused, stopped
from house import House, Person
from toy import build_toy, line_of

BALL = build_toy("ball")
TEXTS = "package { summary description visibility }"


@pytest.fixture
async def ball(alice: Person) -> str:
    """The id of alice's public package, which has a file under two labels; another package stays beside it."""
    await alice.has("ball.toy", BALL, labels=["main", "dev"])
    await alice.has("car.toy", build_toy("car"))
    return str((await package_of(alice.client, "ball"))["id"])


async def test_what_is_given_changes_and_the_rest_stays(house: House, alice: Person, ball: str) -> None:
    made = await done(alice.client, "updatePackage", {"packageId": ball, "summary": "Round."}, TEXTS)
    assert made["package"] == {"summary": "Round.", "description": "", "visibility": "PUBLIC"}
    made = await done(alice.client, "updatePackage", {"packageId": ball, "description": "# Ball", "summary": None}, TEXTS)
    assert made["package"] == {"summary": "Round.", "description": "# Ball", "visibility": "PUBLIC"}
    made = await done(alice.client, "updatePackage", {"packageId": ball, "summary": ""}, TEXTS)
    assert made["package"]["summary"] == ""
    await done(alice.client, "updatePackage", {"packageId": ball, "summary": "", "visibility": "PUBLIC"})
    assert [details for _, _, details in await events("package.update")] == [
        {"changed": ["summary"]},
        {"changed": ["description"]},
        {"changed": ["summary"]},
    ]


async def seen(house: House, ball: str, shard: str) -> dict[str, object]:
    """All that somebody without a token can find out about the ball."""
    client = house.anyone
    shown: dict[str, object] = {"listing": (await client.get("/toy/alice/listing")).text, "names": (await client.get("/toy/alice/names")).text}
    shown["label"] = (await client.get("/toy/alice/label/dev/listing")).status_code
    shown["shards"] = "ball" in (await client.get("/toy/alice/shards")).text
    for path in ("page/ball", f"shard/{shard}", "files/ball.toy", "notes/ball.toy"):
        shown[path.partition("/")[0]] = (await client.get(f"/toy/alice/{path}")).status_code
    query = """query ($id: ID!) { node(id: $id) { id } packages { totalCount } package(namespace: "alice", name: "ball") { name }
        namespace(name: "alice") { labels { name } } }"""
    found = await look(client, query, id=ball)
    shown["graphql"] = (found["node"] is not None, found["packages"]["totalCount"], found["package"] is not None)
    shown["labels"] = [label["name"] for label in found["namespace"]["labels"]]
    return shown


async def test_what_is_made_private_disappears_everywhere_at_once_and_comes_back(house: House, alice: Person, ball: str) -> None:
    lines = dict(line.split() for line in (await house.anyone.get("/toy/alice/shards")).text.splitlines())
    shard = lines["ball"]
    public = await seen(house, ball, shard)
    assert (public["label"], public["shards"], public["shard"], public["graphql"]) == (200, True, 200, (True, 2, True))
    old = (await house.anyone.get("/toy/alice/listing")).headers["etag"]
    made = await done(alice.client, "updatePackage", {"packageId": ball, "visibility": "PRIVATE"}, TEXTS)
    assert made["package"]["visibility"] == "PRIVATE"
    assert await seen(house, ball, shard) == {
        "listing": line_of("car.toy", build_toy("car")),
        "names": "car\n",
        "label": 404,
        "shards": False,
        "page": 404,
        "shard": 404,
        "files": 404,
        "notes": 404,
        "graphql": (False, 1, False),
        "labels": ["main"],
    }
    response = await house.anyone.get("/toy/alice/listing", headers={"if-none-match": old})
    assert response.status_code == 200
    assert "ball" in (await alice.client.get("/toy/alice/listing")).text
    for path in ("page/ball", f"shard/{shard}", "files/ball.toy", "label/dev/listing"):
        assert (await alice.client.get(f"/toy/alice/{path}")).headers["cache-control"].startswith("private, ")
    await done(alice.client, "updatePackage", {"packageId": ball, "visibility": "PUBLIC"})
    assert await seen(house, ball, shard) == public
    assert (await house.anyone.get("/toy/alice/listing")).headers["etag"] == old
    assert [details["visibility"] for _, _, details in await events("package.update")] == ["private", "public"]


async def test_a_flip_bumps_the_heads_that_show_the_package_and_no_other(house: House, alice: Person, ball: str) -> None:
    await alice.has("tree.toy", build_toy("tree"), labels=["quiet"])
    tags = {label: (await house.anyone.get(f"/toy/alice/label/{label}/listing")).headers["etag"] for label in ("main", "quiet")}
    await done(alice.client, "updatePackage", {"packageId": ball, "visibility": "PRIVATE"})
    for label, expected in (("main", 200), ("quiet", 304)):
        response = await house.anyone.get(f"/toy/alice/label/{label}/listing", headers={"if-none-match": tags[label]})
        assert response.status_code == expected


async def test_flips_beside_uploads_and_readers_leave_what_the_last_one_says(house: House, alice: Person, ball: str) -> None:
    async def flip(visibility: str) -> None:
        await done(alice.client, "updatePackage", {"packageId": ball, "visibility": visibility})

    async def upload(number: int) -> None:
        await alice.has(f"ball-{number}.toy", build_toy("ball", str(number)))

    async def read() -> None:
        for _ in range(5):
            assert (await house.anyone.get("/toy/alice/listing")).status_code == 200

    await asyncio.gather(*(flip(one) for one in ("PRIVATE", "PUBLIC") * 3), *(upload(number) for number in range(2, 8)), read(), read())
    await flip("PRIVATE")
    assert (await house.anyone.get("/toy/alice/listing")).text == line_of("car.toy", build_toy("car"))
    await flip("PUBLIC")
    assert (await house.anyone.get("/toy/alice/listing")).text.count("ball") == 7


async def test_who_may_not_changes_nothing(house: House, alice: Person, bob: Person, ball: str) -> None:
    for change_ in ({"summary": "Mine."}, {"visibility": "PRIVATE"}):
        input = {"packageId": ball, **change_}
        assert (await refused(bob.client, "updatePackage", input))[0] == "PermissionDeniedError"
        assert await stopped(house.anyone, "updatePackage", input) == "UNAUTHENTICATED"
        assert await stopped(await alice.scoped("api:read", "repos"), "updatePackage", input) == "PERMISSION_DENIED"
    await done(alice.client, "updatePackage", {"packageId": ball, "visibility": "PRIVATE"})
    hidden = await refused(bob.client, "updatePackage", {"packageId": ball, "visibility": "PUBLIC"})
    await done(alice.client, "deletePackage", {"packageId": ball, "confirmation": "alice/ball"})
    absent = await refused(bob.client, "updatePackage", {"packageId": ball, "visibility": "PUBLIC"})
    assert hidden == absent
    assert hidden[0] == "NotFoundError"


async def test_what_is_no_id_of_a_package_is_refused_by_its_field(alice: Person, ball: str) -> None:
    file = (await package_of(alice.client, "ball"))["files"]["ball.toy"]
    for id in ("", "x", file, ball[4:], "UGFja2FnZQ==", "Tm90aGluZzox"):
        result = await change(alice.client, "updatePackage", {"packageId": id, "summary": "x"})
        assert result["__typename"] in ("ValidationError", "NotFoundError")
        assert result.get("field", "packageId") == "packageId"
    answer = await ask(alice.client, 'mutation { updatePackage(input: {packageId: 5, summary: ["a"]}) { __typename } }')
    assert answer["data"] is None
