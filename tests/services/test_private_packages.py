"""A private package does not exist for those who may not read it: no line, no part, no shard, no file, no change of an ETag."""

from __future__ import annotations

import pytest
from entrepot.services.files import remove_file
from house import House, Person, sentence
from toy import build_toy, line_of

SECRET, BALL = build_toy("secret"), build_toy("ball")
DOCUMENTS = ("listing", "shards", "names")


@pytest.fixture
async def shard(house: House, alice: Person) -> str:
    """Alice's namespace with a public and a private package; the digest of the private one's shard."""
    await alice.has("ball.toy", BALL)
    await alice.has("secret.toy", SECRET, private="true", labels=["main", "dev"])
    lines = dict(line.split() for line in (await alice.client.get("/toy/alice/shards")).text.splitlines())
    assert set(lines) == {"ball", "secret"}
    return lines["secret"]


async def test_others_see_nothing_of_it_anywhere(house: House, alice: Person, bob: Person, shard: str) -> None:
    upload_only = await alice.scoped("toy:upload")
    for client in (house.anyone, bob.client, upload_only):
        assert (await client.get("/toy/alice/listing")).text == line_of("ball.toy", BALL)
        hidden, absent = await client.get("/toy/alice/label/dev/listing"), await client.get("/toy/alice/label/new/listing")
        assert sentence(hidden, 404).replace("label dev", "label new") == sentence(absent, 404)
        assert (await client.get("/toy/alice/names")).text == "ball\n"
        assert "secret" not in (await client.get("/toy/alice/shards")).text
        for path in ("page/secret", f"shard/{shard}", "files/secret.toy", "notes/secret.toy"):
            hidden = await client.get(f"/toy/alice/{path}")
            absent = await client.get(f"/toy/alice/{path[:-1]}x")
            assert sentence(hidden, 404)
            assert absent.status_code == 404
            assert set(hidden.headers) == set(absent.headers)


async def test_its_owner_and_administrators_see_all_of_it_and_no_shared_cache_keeps_it(house: House, alice: Person, shard: str) -> None:
    root = await house.person("root", admin=True)
    for client in (alice.client, root.client, await alice.scoped("toy:download")):
        assert (await client.get("/toy/alice/listing")).text == line_of("ball.toy", BALL) + line_of("secret.toy", SECRET)
        assert (await client.get("/toy/alice/names")).text == "ball\nsecret\n"
        for path in (*DOCUMENTS, "page/secret", f"shard/{shard}", "files/secret.toy", "notes/secret.toy"):
            response = await client.get(f"/toy/alice/{path}")
            assert response.status_code == 200
            assert response.headers["cache-control"].startswith("private, ")
            assert "access-control-allow-origin" not in response.headers


async def test_what_is_public_is_the_same_bytes_and_headers_for_its_owner(house: House, alice: Person, shard: str) -> None:
    for path in ("page/ball", "files/ball.toy"):
        mine, theirs = await alice.client.get(f"/toy/alice/{path}"), await house.anyone.get(f"/toy/alice/{path}")
        assert (mine.content, dict(mine.headers)) == (theirs.content, dict(theirs.headers))


async def test_an_audience_is_never_served_from_the_cache_of_another(house: House, alice: Person, bob: Person, shard: str) -> None:
    etags: dict[str, str] = {}
    for _ in range(3):
        for name, client in (("anyone", house.anyone), ("alice", alice.client), ("bob", bob.client)):
            for encoding in ("identity", "gzip"):
                response = await client.get("/toy/alice/listing", headers={"accept-encoding": encoding})
                assert ("secret" in response.text) == (name == "alice")
                assert etags.setdefault(name, response.headers["etag"]) == response.headers["etag"]
    assert etags["anyone"] == etags["bob"] != etags["alice"]
    stolen = await house.anyone.get("/toy/alice/listing", headers={"if-none-match": etags["alice"]})
    assert stolen.status_code == 200


async def test_no_private_change_moves_a_public_etag(house: House, alice: Person, shard: str) -> None:
    async def tags() -> dict[str, str]:
        return {path: (await house.anyone.get(f"/toy/alice/{path}")).headers["etag"] for path in (*DOCUMENTS, "page/ball")}

    before = await tags()
    await alice.has("secret-2.toy", build_toy("secret", "2"))
    assert await tags() == before
    await alice.has("other.toy", build_toy("other"), private="true")
    assert await tags() == before
    await remove_file(house.site, actor=alice.actor, namespace="alice", type="toy", path="secret.toy")
    assert await tags() == before
    assert (await alice.client.get("/toy/alice/names")).text == "ball\nother\nsecret\n"


async def test_another_private_package_of_somebody_else_is_nobodys_business(house: House, alice: Person, bob: Person, shard: str) -> None:
    await bob.has("bobs.toy", build_toy("bobs"), private="true")
    assert "bobs" not in (await alice.client.get("/toy/bob/listing")).text
    assert (await alice.client.get("/toy/bob/files/bobs.toy")).status_code == 404
