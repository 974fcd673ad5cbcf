"""Names that were freed are for administrators of the namespace."""

from __future__ import annotations

import pytest
from changes import done, package_of, refused
from conda_builder import build_conda
from entrepot.db.sql import fetch
from entrepot.services.tokens import create_token
from house import House, Person, sentence
from mover import Organization, collaborate, member, sound
from pypi_builder import build_sdist, build_wheel

CONDA, WHEEL = build_conda("foo_bar", "1.0"), build_wheel("foo_bar", "1.0")


@pytest.fixture
async def writer(bob: Person, acme: Organization) -> Person:
    """Bob, who may write to acme and no more."""
    await member(acme, bob, "write", group="writers")
    return bob


@pytest.fixture(params=["deleted", "moved"])
async def freed(request: pytest.FixtureRequest, alice: Person, acme: Organization) -> str:
    """A name of acme's that was freed."""
    await alice.has(*CONDA, to="acme")
    await alice.has(*WHEEL, to="acme")
    id = (await package_of(alice.client, "foo_bar", "acme"))["id"]
    if request.param == "deleted":
        await done(alice.client, "deletePackage", {"packageId": id, "confirmation": "acme/foo_bar"})
    else:
        await done(alice.client, "transferPackage", {"packageId": id, "namespace": "alice"})
    return "foo_bar"


async def names() -> list[str]:
    return [row["name_key"] for row in await fetch("SELECT name_key FROM freed_package ORDER BY name_key")]


async def test_a_writer_neither_creates_it_nor_uploads_to_it(depot: House, writer: Person, freed: str) -> None:
    kind, message = await refused(writer.client, "createPackage", {"namespace": "acme", "name": "Foo_Bar"})
    assert kind == "PermissionDeniedError"
    assert "Ask an administrator of acme" in message
    before = await depot.rows()
    for file in (build_conda("foo_bar", "2.0"), CONDA):
        assert "Ask an administrator of acme" in sentence(await writer.put(*file, to="acme"), 403)
    assert await depot.rows() == before
    assert (await writer.put(*build_conda("new", "1.0"), to="acme")).status_code == 201
    assert await sound(depot)


@pytest.mark.parametrize("spelling", ["foo_bar", "foo-bar", "Foo.Bar"])
async def test_no_other_spelling_of_it_gets_around(writer: Person, freed: str, spelling: str) -> None:
    assert sentence(await writer.put(*build_sdist(spelling, "2.0"), to="acme"), 403)


async def test_an_administrator_takes_it_and_from_then_on_it_is_any_name(alice: Person, writer: Person, freed: str) -> None:
    assert await names() == ["foo-bar", "foo_bar"]
    await done(alice.client, "createPackage", {"namespace": "acme", "name": "foo_bar"})
    assert await names() == ["foo-bar"]
    assert (await writer.put(*build_conda("foo_bar", "2.0"), to="acme")).status_code == 201
    assert (await writer.put(*build_wheel("foo_bar", "2.0"), to="acme")).status_code == 201


async def test_an_administrators_upload_takes_it_too(alice: Person, writer: Person, freed: str) -> None:
    await alice.has(*build_wheel("foo_bar", "2.0"), to="acme")
    assert await names() == []
    assert (await writer.put(*build_wheel("foo_bar", "3.0"), to="acme")).status_code == 201


async def test_it_is_free_in_other_namespaces(bob: Person, freed: str) -> None:
    assert (await bob.put(*CONDA)).status_code == 201


async def test_a_collaborator_of_what_was_deleted_does_not_make_it_anew(alice: Person, bob: Person) -> None:
    await alice.has(*CONDA)
    await collaborate(bob, "foo_bar")
    id = (await package_of(alice.client, "foo_bar"))["id"]
    await done(alice.client, "deletePackage", {"packageId": id, "confirmation": "alice/foo_bar"})
    assert (await bob.put(*build_conda("foo_bar", "2.0"), to="alice")).status_code == 403


async def test_an_organizations_token_does_not_take_it(depot: House, alice: Person, freed: str) -> None:
    token = await create_token(depot.site.registry, owner="acme", name="ci")
    client = depot.client(Authorization=f"Bearer {token}")
    assert (await client.put(f"/upload/acme/{CONDA[0]}", content=CONDA[1])).status_code == 403
    new = build_conda("new", "1.0")
    assert (await client.put(f"/upload/acme/{new[0]}", content=new[1])).status_code == 201
