"""What each scope opens, on an open site and on one that is closed to everybody without a token: of each type, by header and in the path."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from changes import ask
from entrepot.registry import Registry
from house import House, Person, open_house

from tests.permission.operations import STOCK, new_file

TYPES = ("conda", "environment", "notebook", "pypi")
CORE = {"all", "repos", "api", "api:read", "api:write"}
FILES = {
    "conda": f"noarch/{STOCK['conda'][0]}",
    "pypi": f"files/{STOCK['pypi'][0]}",
    "notebook": f"thing/1.0/{STOCK['notebook'][0]}",
    "environment": f"thing/1.0/{STOCK['environment'][0]}",
}
LISTS = {"conda": "noarch/repodata.json", "pypi": "simple/", "notebook": "index.json", "environment": "index.json"}


@pytest.fixture(params=[True, False], ids=["open", "closed"])
def anonymous_read(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
async def yard(house_data: Path, anonymous_read: bool) -> AsyncIterator[House]:
    """A site with a private file of each type of alice's, and a public one of each of bob's."""
    async with open_house(house_data, Registry.built_in(), anonymous_read=anonymous_read) as house:
        for name in ("alice", "bob"):
            person = await house.person(name)
            for type, (basename, body) in STOCK.items():
                query = {"package": "thing", "version": "1.0", "type": type, "private": str(name == "alice").lower()}
                await person.has(basename, body, **query)
        yield house


@pytest.fixture
def alice(yard: House) -> Person:
    return yard.people["alice"]


def downloads(scope: str, type: str) -> bool:
    """By the table of the design."""
    return scope in ("all", "repos", type, f"{type}:download")


def uploads(scope: str, type: str) -> bool:
    return scope in ("all", "repos", type, f"{type}:upload", "api", "api:write")


async def test_there_is_a_scope_for_each_type_and_each_half_of_it(yard: House) -> None:
    assert set(yard.site.registry.types) == set(TYPES)
    assert set(yard.site.registry.scopes()) == CORE | {f"{type}{half}" for type in TYPES for half in ("", ":download", ":upload")}


async def test_each_scope_reads_what_it_says(yard: House, alice: Person, anonymous_read: bool) -> None:
    for scope in yard.site.registry.scopes():
        token = await alice.new_token(scope)
        client = yard.client(Authorization=f"Bearer {token}")
        for type in TYPES:
            may = downloads(scope, type)
            hidden = 404 if anonymous_read else 403
            for get, place in ((client, ""), (yard.anyone, f"/t/{token}")):
                found = [(await get.get(f"{place}/{type}/{name}/{FILES[type]}")).status_code for name in ("alice", "bob")]
                assert found == ([200, 200] if may else [hidden, 200 if anonymous_read else 403]), (scope, type, place)
                listed = await get.get(f"{place}/{type}/alice/{LISTS[type]}")
                assert listed.status_code == (200 if may or anonymous_read else 403), (scope, type)
                assert (b"thing" in listed.content) == may, (scope, type)


async def test_without_a_token_a_closed_site_shows_nothing(yard: House, anonymous_read: bool) -> None:
    for type in TYPES:
        for path in (FILES[type], LISTS[type]):
            assert (await yard.anyone.get(f"/{type}/bob/{path}")).status_code == (200 if anonymous_read else 401)


async def test_each_scope_uploads_and_asks_what_it_says(yard: House, alice: Person) -> None:
    for number, scope in enumerate(yard.site.registry.scopes(), 1):
        client = yard.client(Authorization=f"Bearer {await alice.new_token(scope)}")
        for type in TYPES:
            basename, body = new_file(type, number)
            response = await client.put(f"/upload/alice/{basename}", params={"package": "thing", "version": f"2.{number}"}, content=body)
            assert (response.status_code == 201) == uploads(scope, type), (scope, type, response.text)
            assert response.status_code in (201, 403)
        read = await ask(client, '{ package(namespace: "alice", name: "thing") { name } }')
        assert (read.get("data") or {}).get("package") == ({"name": "thing"} if scope in ("all", "api", "api:read") else None), scope
        change = f'mutation {{ createPackage(input: {{namespace: "alice", name: "made{number}"}}) {{ __typename }} }}'
        made = ((await ask(client, change)).get("data") or {}).get("createPackage")
        assert made == ({"__typename": "CreatePackagePayload"} if scope in ("all", "api") else None), scope  # an answer is read, too
