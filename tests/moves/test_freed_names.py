"""Names that were freed are for administrators of the namespace."""

from __future__ import annotations

import pytest
from changes import done, package_of, refused
from conda_builder import build_conda
from entrepot.db.sql import fetch
from entrepot.services.tokens import create_token
from house import House, Person, sentence
from mover import Organization, collaborate, conda_names, member, organization, pypi_files, sound
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


async def moved(id: str, person: Person, to: str = "acme") -> None:
    await done(person.client, "transferPackage", {"packageId": id, "namespace": to})


async def was_moved() -> bool:
    return bool(await fetch("SELECT id FROM freed_package WHERE moved_to_id IS NOT NULL"))


async def test_a_writer_neither_creates_it_nor_uploads_to_it(depot: House, writer: Person, freed: str) -> None:
    kind, message = await refused(writer.client, "createPackage", {"namespace": "acme", "name": "Foo_Bar"})
    assert kind == "PermissionDeniedError"
    assert "Ask an administrator of acme" in message
    before, gone = await depot.rows(), await was_moved()
    for file in (build_conda("foo_bar", "2.0"), CONDA):
        answer = sentence(await writer.put(*file, to="acme"), 409 if gone else 403)
        assert ("has moved to alice/foo_bar" if gone else "Ask an administrator of acme") in answer
    assert await depot.rows() == before
    assert (await writer.put(*build_conda("new", "1.0"), to="acme")).status_code == 201
    assert await sound(depot)


@pytest.mark.parametrize("spelling", ["foo_bar", "foo-bar", "Foo.Bar"])
async def test_no_other_spelling_of_it_gets_around(depot: House, writer: Person, freed: str, spelling: str) -> None:
    refusal = 409 if await was_moved() else 403
    assert sentence(await writer.put(*build_sdist(spelling, "2.0"), to="acme"), refusal)
    # nor in two steps, by a package of that spelling in which the file would be at home
    assert (await refused(writer.client, "createPackage", {"namespace": "acme", "name": spelling}))[0] == "PermissionDeniedError"
    assert (await writer.put(*build_conda(spelling.lower(), "2.0"), to="acme")).status_code == refusal
    assert await pypi_files(depot.anyone, "acme", "foo-bar") == []


async def test_nor_does_a_package_that_is_there_already_take_it(depot: House, alice: Person, bob: Person, acme: Organization) -> None:
    """Bob may write to `foo.bar`, which was no PyPI package so far; `foo-bar`, as PyPI has it, was another one's name."""
    other = build_sdist("foo.bar", "2.0")
    for end, refusal in (("deleted", 403), ("moved", 409)):
        home = await organization(end, alice)
        await alice.has(*build_conda("foo.bar", "1.0"), to=end)
        await collaborate(bob, "foo.bar", end)
        await alice.has(*WHEEL, to=end)
        id = (await package_of(alice.client, "foo_bar", end))["id"]
        if refusal == 403:
            await done(alice.client, "deletePackage", {"packageId": id, "confirmation": f"{end}/foo_bar"})
        else:
            await moved(id, alice)
        assert (await bob.put(*other, to=home.name)).status_code == refusal
        if refusal == 403:
            await bob.has(*other)
        mine = (await package_of(bob.client, "foo.bar", "bob"))["id"]
        kind, _ = await refused(bob.client, "copyFiles", {"files": {"packageId": mine}, "namespace": end})
        assert kind == ("PermissionDeniedError" if refusal == 403 else "ConflictError")
        assert await pypi_files(depot.anyone, end, "foo-bar") == []
    assert await sound(depot)


@pytest.mark.parametrize("spelling", ["foo_bar", "foo-bar"])
async def test_an_administrator_takes_it_and_from_then_on_it_is_any_name(
    depot: House, alice: Person, writer: Person, freed: str, spelling: str
) -> None:
    assert await names() == ["foo-bar", "foo_bar"]
    await done(alice.client, "createPackage", {"namespace": "acme", "name": spelling})
    assert await names() == ([] if spelling == "foo_bar" else ["foo_bar"])
    assert (await writer.put(*build_wheel(spelling, "2.0"), to="acme", package=spelling)).status_code == 201
    if spelling == "foo_bar":
        assert (await writer.put(*build_conda(spelling, "2.0"), to="acme")).status_code == 201
        assert await package_of(alice.client, "foo-bar", "acme") is None


async def test_who_takes_one_name_of_a_package_that_moved_ends_what_led_on_from_that_name(depot: House, alice: Person, acme: Organization) -> None:
    await alice.has(*CONDA)
    await alice.has(*WHEEL)
    await moved((await package_of(alice.client, "foo_bar"))["id"], alice)
    await done(alice.client, "createPackage", {"namespace": "alice", "name": "foo.bar"})
    assert await names() == ["foo_bar"]
    assert (await depot.anyone.get(f"/pypi/alice/files/{WHEEL[0]}")).status_code == 404
    assert (await depot.anyone.get(f"/conda/alice/noarch/{CONDA[0]}")).status_code == 301


async def test_an_administrators_upload_takes_the_name_of_what_was_deleted(alice: Person, writer: Person, freed: str) -> None:
    gone = await was_moved()
    answer = await alice.put(*build_wheel("foo_bar", "2.0"), to="acme")
    assert answer.status_code == (409 if gone else 201)
    assert await names() == (["foo-bar", "foo_bar"] if gone else [])
    assert (await writer.put(*build_wheel("foo_bar", "3.0"), to="acme")).status_code == (409 if gone else 201)


# -- what was private ------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def secret(alice: Person, acme: Organization) -> str:
    """The id of a private package of alice's."""
    await alice.has(*build_conda("secret", "1.0"), private="true")
    return str((await package_of(alice.client, "secret"))["id"])


async def test_who_uploads_unattended_publishes_nothing_after_a_transfer(depot: House, alice: Person, bob: Person, secret: str) -> None:
    url = (await done(alice.client, "createUpload", {"namespace": "alice", "basename": "secret-3.0-0.conda", "package": "secret"}, "url"))["url"]
    await moved(secret, alice)
    detail = sentence(await alice.put(*build_conda("secret", "2.0")), 409)
    assert detail == "secret has moved to acme/secret: upload there, or take the name again by createPackage."
    assert (await depot.anyone.put(url, content=build_conda("secret", "3.0")[1])).status_code == 409
    mine = build_conda("secret", "9.0")
    await alice.has(*mine, to="acme")
    copied = {"files": {"addresses": [{"namespace": "acme", "type": "conda", "path": f"noarch/{mine[0]}"}]}, "namespace": "alice"}
    assert (await refused(alice.client, "copyFiles", copied))[0] == "ConflictError"
    assert await conda_names(alice.client, "alice") == []
    assert await sound(depot)


async def test_where_it_went_is_said_to_nobody_who_may_not_read_it_there(depot: House, alice: Person, bob: Person, secret: str) -> None:
    root = await depot.person("root", admin=True)
    await moved(secret, root, to="bob")
    detail = sentence(await alice.put(*build_conda("secret", "2.0")), 409)
    assert "bob" not in detail
    assert "its name is reserved" in detail


@pytest.mark.parametrize("how", ["upload", "createPackage", "copy"])
async def test_what_takes_the_name_of_a_private_package_is_private_where_nobody_says(depot: House, alice: Person, secret: str, how: str) -> None:
    await done(alice.client, "deletePackage", {"packageId": secret, "confirmation": "alice/secret"})
    if how == "upload":
        await alice.has(*build_conda("secret", "2.0"))
    elif how == "createPackage":
        await done(alice.client, "createPackage", {"namespace": "alice", "name": "secret"})
    else:
        await alice.has(*build_conda("secret", "2.0"), to="acme")
        source = (await package_of(alice.client, "secret", "acme"))["id"]
        await done(alice.client, "copyFiles", {"files": {"packageId": source}, "namespace": "alice"})
    assert (await package_of(alice.client, "secret"))["visibility"] == "PRIVATE"
    assert await package_of(depot.anyone, "secret") is None
    assert await conda_names(depot.anyone, "alice") == []


async def test_who_says_that_it_is_public_makes_it_public(alice: Person, secret: str) -> None:
    await moved(secret, alice)
    await done(alice.client, "createPackage", {"namespace": "alice", "name": "secret", "visibility": "PUBLIC"})
    await done(alice.client, "deletePackage", {"packageId": secret, "confirmation": "acme/secret"})
    await alice.has(*build_conda("secret", "2.0"), to="acme", private="false")
    for namespace in ("alice", "acme"):
        assert (await package_of(alice.client, "secret", namespace))["visibility"] == "PUBLIC"


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
    assert (await client.put(f"/upload/acme/{CONDA[0]}", content=CONDA[1])).status_code == (409 if await was_moved() else 403)
    new = build_conda("new", "1.0")
    assert (await client.put(f"/upload/acme/{new[0]}", content=new[1])).status_code == 201
