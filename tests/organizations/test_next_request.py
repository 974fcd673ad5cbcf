"""What is given, and what is taken away, counts from the next request on: in GraphQL, in indexes, on pages, for files and for uploads."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable

import msgpack
import pytest
import zstandard
from changes import done, look
from company import Company, found_company
from conda_builder import build_conda
from house import House, Person
from pypi_builder import build_wheel

CONDA = build_conda("ball", "1.0")
WHEEL = build_wheel("kite", "1.0")


@pytest.fixture
async def staff(depot: House) -> tuple[Company, Person]:
    """An organization of alice's with a private conda package and a private wheel, and bob, who was given nothing."""
    acme = await found_company(depot, depot.people["alice"])
    for basename, body in (CONDA, WHEEL):
        await acme.owner.has(basename, body, to="acme", private="true")
    return acme, await depot.person("bob")


async def sees(person: Person) -> dict[str, list[bool]]:
    """Where somebody sees the two packages; each list is of the conda one, then of the wheel."""
    client = person.client
    repodata = await client.get("/conda/acme/noarch/repodata.json")
    shards = await client.get("/conda/acme/noarch/repodata_shards.msgpack.zst")
    simple = await client.get("/pypi/acme/simple/")
    packages = (await look(client, '{ packages(namespace: "acme") { totalCount nodes { name } } }'))["packages"]
    assert packages["totalCount"] == len(packages["nodes"])
    sharded = msgpack.unpackb(zstandard.ZstdDecompressor().decompressobj().decompress(shards.content))["shards"]
    return {
        "graphql": [{"name": name} in packages["nodes"] for name in ("ball", "kite")],
        "index": ["ball-1.0" in repodata.text, "kite" in simple.text],
        "page": ["ball" in sharded, (await client.get("/pypi/acme/simple/kite/")).status_code == 200],
        "file": [
            (await client.get(f"/conda/acme/noarch/{CONDA[0]}")).status_code == 200,
            (await client.get(f"/pypi/acme/files/{WHEEL[0]}")).status_code == 200,
        ],
    }


VIEWS = ("graphql", "index", "page", "file")
NOTHING = {view: [False, False] for view in VIEWS}
BOTH = {view: [True, True] for view in VIEWS}
BALL = {view: [True, False] for view in VIEWS}


async def test_it_is_there_for_a_member_of_a_group_on_everything_until_he_is_taken_out(staff: tuple[Company, Person]) -> None:
    acme, bob = staff
    assert await sees(bob) == NOTHING
    group = await acme.group("readers", "READ", everything=True)
    assert await sees(bob) == NOTHING
    for _ in range(2):
        await acme.join(group, bob)
        assert await sees(bob) == BOTH
        await acme.leave(group, bob, by=acme.owner)
        assert await sees(bob) == NOTHING


async def ball_of(acme: Company) -> str:
    """The id of the conda package."""
    return str((await look(acme.owner.client, '{ package(namespace: "acme", name: "ball") { id } }'))["package"]["id"])


async def _narrow(acme: Company, group: str, ball: str) -> None:
    await done(acme.owner.client, "removeGroupPackage", {"groupId": group, "packageId": ball})


async def _delete(acme: Company, group: str, ball: str) -> None:
    await done(acme.owner.client, "deleteGroup", {"groupId": group})


async def _take_out(acme: Company, group: str, ball: str) -> None:
    await done(acme.owner.client, "removeGroupMember", {"groupId": group, "user": "bob"})


async def _forget(acme: Company, group: str, ball: str) -> None:
    for everything in (True, False):
        await done(acme.owner.client, "updateGroup", {"groupId": group, "everything": everything})


@pytest.mark.parametrize("end", [_narrow, _delete, _take_out, _forget])
async def test_a_named_package_is_there_until_the_group_lets_go_of_it(
    staff: tuple[Company, Person], end: Callable[[Company, str, str], Awaitable[None]]
) -> None:
    acme, bob = staff
    ball = await ball_of(acme)
    group = await acme.group("players", "READ", bob, packages={"ball": ball})
    assert await sees(bob) == BALL
    await end(acme, group, ball)
    assert await sees(bob) == NOTHING


async def test_a_package_is_there_for_its_collaborator_until_she_is_none(staff: tuple[Company, Person]) -> None:
    acme, bob = staff
    input = {"packageId": await ball_of(acme), "user": "bob"}
    for _ in range(2):
        await done(acme.owner.client, "addCollaborator", input)
        assert await sees(bob) == BALL
        await done(acme.owner.client, "removeCollaborator", input)
        assert await sees(bob) == NOTHING


async def test_what_a_narrow_token_covers_is_all_that_a_member_gets_with_it(staff: tuple[Company, Person]) -> None:
    acme, bob = staff
    await acme.group("readers", "READ", bob, everything=True)
    conda = await bob.scoped("conda:download")
    assert "ball-1.0" in (await conda.get("/conda/acme/noarch/repodata.json")).text
    assert (await conda.get(f"/conda/acme/noarch/{CONDA[0]}")).status_code == 200
    assert "kite" not in (await conda.get("/pypi/acme/simple/")).text
    assert (await conda.get(f"/pypi/acme/files/{WHEEL[0]}")).status_code == 404


@pytest.mark.parametrize(("permission", "status"), [("READ", 403), ("WRITE", 201), ("ADMIN", 201)])
async def test_who_may_write_to_an_organization_uploads_to_it_until_taken_out(staff: tuple[Company, Person], permission: str, status: int) -> None:
    acme, bob = staff
    group = await acme.group("builders", permission, bob, everything=True)
    for number, (basename, body) in enumerate([build_conda("new", "1.0"), build_wheel("newer", "1.0")]):
        response = await bob.put(basename, body, to="acme")
        assert response.status_code == status, response.text
        if status == 201:
            assert response.json()["namespace"] == "acme"
            where = ("/conda/acme/noarch/repodata.json", "/pypi/acme/simple/")[number]
            assert "new" in (await acme.house.anyone.get(where)).text
    await acme.leave(group, bob)
    for basename, body in (build_conda("new", "2.0"), build_wheel("newer", "2.0")):
        assert (await bob.put(basename, body, to="acme")).status_code == 403


async def test_a_group_on_a_named_package_uploads_to_it_alone(staff: tuple[Company, Person]) -> None:
    acme, bob = staff
    await acme.group("players", "WRITE", bob, packages={"ball": await ball_of(acme)})
    assert (await bob.put(*build_conda("ball", "2.0"), to="acme")).status_code == 201
    assert (await bob.put(*build_conda("new", "1.0"), to="acme")).status_code == 403
    assert (await bob.put(*build_wheel("kite", "2.0"), to="acme")).status_code == 403
    assert (await bob.put(*build_conda("ball", "3.0"))).json()["namespace"] == "bob"


async def test_twine_uploads_to_an_organization_with_the_token_of_a_member(staff: tuple[Company, Person]) -> None:
    acme, bob = staff
    await acme.group("builders", "WRITE", bob, everything=True)
    basename, body = build_wheel("boat", "1.0")
    form = {":action": "file_upload", "protocol_version": "1", "name": "boat", "version": "1.0", "filetype": "bdist_wheel", "pyversion": "py3"}
    form["sha256_digest"] = hashlib.sha256(body).hexdigest()
    response = await bob.client.post("/pypi/acme/legacy/", data=form, files={"content": (basename, body)})
    assert response.status_code == 200, response.text
    assert basename in (await acme.house.anyone.get("/pypi/acme/simple/boat/")).text
