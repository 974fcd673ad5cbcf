"""A one-time upload URL is worth what its maker's right is worth when the bytes come, and takes what it was made for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import httpx
import pytest
from cast import ACME, Cast
from conda_builder import build_conda
from entrepot.clock import now
from entrepot.db.sql import execute, fetch
from pypi_builder import build_wheel

from .stocked import stocked

THING, OTHER = build_conda("thing", "5.0"), build_conda("other", "5.0")


async def address(everybody: Cast, role: str, **more: str) -> str:
    """A URL that somebody had made for a file of the package."""
    given = {"namespace": ACME, "basename": THING[0], "package": "thing"} | more
    text = "mutation ($input: CreateUploadInput!) { createUpload(input: $input) { ... on CreateUploadPayload { url } ... on Error { message } } }"
    answer = await everybody.client(everybody.roles[role]).post("/graphql", json={"query": text, "variables": {"input": given}})
    url: str = answer.json()["data"]["createUpload"]["url"]
    return url


async def send(everybody: Cast, url: str, body: bytes = THING[1]) -> httpx.Response:
    """Send bytes there, with no credential."""
    return await everybody.house.anyone.put(url, content=body)


async def published() -> int:
    [row] = await fetch("SELECT count(*) AS n FROM file WHERE version = '5.0'")
    return int(row["n"])


async def leave(everybody: Cast) -> None:
    await execute("DELETE FROM group_member WHERE user_id = $1", everybody.ids["writeer-of-this"])


async def let_go(everybody: Cast) -> None:
    await execute("DELETE FROM group_package WHERE group_id = $1", everybody.groups["write this"])


async def lower(everybody: Cast) -> None:
    await execute("UPDATE member_group SET permission = 'read' WHERE id = $1", everybody.groups["write this"])


async def revoke(everybody: Cast) -> None:
    await execute("UPDATE token SET revoked_at = $1 WHERE namespace_id = $2", now(), everybody.ids["writeer-of-this"])


async def expire(everybody: Cast) -> None:
    await execute("UPDATE token SET expires_at = $1 WHERE namespace_id = $2", now() - 1, everybody.ids["writeer-of-this"])


async def disable(everybody: Cast) -> None:
    await execute('UPDATE "user" SET disabled_at = $1 WHERE namespace_id = $2', now(), everybody.ids["writeer-of-this"])


ENDS: dict[Callable[[Cast], Awaitable[None]], int] = {leave: 403, let_go: 403, lower: 403, revoke: 404, expire: 404, disable: 404}


@pytest.mark.parametrize("private", [False, True], ids=["public", "private"])
@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
async def test_it_dies_with_its_makers_right(everybody: Cast, end: Callable[[Cast], Awaitable[None]], private: bool) -> None:
    await stocked(everybody, ACME, private=private)
    url = await address(everybody, "group write on this")
    await end(everybody)
    before = await everybody.house.left()
    assert (await send(everybody, url)).status_code == ENDS[end]
    assert await everybody.house.left() == before


async def test_it_takes_what_it_was_made_for_and_works_once(everybody: Cast) -> None:
    await stocked(everybody, ACME, private=True)
    url = await address(everybody, "group write on this")
    for body in (OTHER[1], build_wheel("thing", "5.0")[1], build_conda("thing", "6.0")[1], b"", b"<svg/>"):
        assert (await send(everybody, url, body)).status_code in (400, 409, 422)
        assert await published() == 0
    assert (await send(everybody, url)).status_code == 201
    assert (await send(everybody, url)).status_code == 409
    assert await published() == 1


async def test_it_cannot_be_turned_to_another_path_or_package(everybody: Cast) -> None:
    """Whatever is put behind or in front of the secret, in the URL or in headers."""
    await stocked(everybody, ACME, private=False)
    url = await address(everybody, "group write on this")
    for changed in (f"{url}/{OTHER[0]}", f"{url}%2F..%2F{OTHER[0]}", url.replace("/-/", f"/{ACME}/"), url.replace("/-/", "/-//"), url[:-1]):
        assert (await send(everybody, changed, OTHER[1])).status_code in (400, 401, 404, 405)
    for query in ("?package=other", "?namespace=alice", "?private=true", "?label=main&type=pypi"):
        response = await send(everybody, url + query, OTHER[1])
        assert response.status_code in (400, 422)
    assert await published() == 0


async def test_it_takes_no_package_that_its_maker_may_not_write_to(everybody: Cast) -> None:
    """Who may write to one package may announce; the bytes are judged when they come."""
    await stocked(everybody, ACME, private=True)
    for role in ("group write on other", "collaborator elsewhere"):
        url = await address(everybody, role)
        assert (await send(everybody, url)).status_code == 403
    assert await published() == 0


async def test_it_flips_no_visibility(everybody: Cast) -> None:
    await stocked(everybody, ACME, private=True)
    url = await address(everybody, "group write on this", visibility="PUBLIC")
    assert (await send(everybody, url)).status_code == 409
    assert await published() == 0
    [row] = await fetch("SELECT private FROM package WHERE name = 'thing'")
    assert row["private"]
