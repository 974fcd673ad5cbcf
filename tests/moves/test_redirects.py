"""What is found at the old place: the package by its name, its files by their addresses, by whoever may read them where they are; no index."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from changes import done, look, package_of
from conda_builder import build_conda
from entrepot.db.sql import execute
from entrepot.registry import Registry
from environment_builder import build_environment
from house import House, Person, open_house, sentence
from mover import Organization, collaborate, member, organization
from notebook_builder import build_notebook, code, markdown, picture, shown
from pypi_builder import build_wheel

CONDA = build_conda("ball", "1.0+a", subdir="linux-64")
WHEEL = build_wheel("ball", "1.0", ["requests"])
BODY = {"conda": CONDA[1], "pypi": WHEEL[1]}
CONDA_URL = f"alice/linux-64/{CONDA[0].replace('+', '%2B')}"
NAMED = 'query ($name: String!) { package(namespace: "alice", name: $name) { id name namespace { name } } }'


@pytest.fixture
async def ball(alice: Person, acme: Organization) -> str:
    """The id of a package that has moved from alice to acme."""
    await alice.has(*CONDA)
    await alice.has(*WHEEL)
    id = str((await package_of(alice.client, "ball"))["id"])
    await done(alice.client, "transferPackage", {"packageId": id, "namespace": "acme"})
    return id


def new_place(answer: httpx.Response) -> str:
    """Where a redirect leads, as a client resolves it."""
    assert answer.status_code == 301, answer.text
    assert answer.headers["cache-control"].endswith("no-cache")
    assert answer.content == b""
    assert not urlsplit(answer.headers["location"]).netloc
    assert answer.headers["location"].startswith("../")
    return urljoin(str(answer.request.url), answer.headers["location"])


async def taken(alice: Person) -> None:
    """The name has another package from now on."""
    await done(alice.client, "createPackage", {"namespace": "alice", "name": "ball"})


ADDRESSES = {
    f"conda/{CONDA_URL}": CONDA[1],
    f"conda/alice/label/main/linux-64/{CONDA[0]}": CONDA[1],
    f"conda/ALICE/linux-64/{CONDA[0]}": CONDA[1],
    f"pypi/alice/files/{WHEEL[0]}": WHEEL[1],
    f"pypi/alice/label/main/files/{WHEEL[0]}": WHEEL[1],
}


@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_file_is_found_at_its_old_address(depot: House, ball: str, address: str) -> None:
    moved = new_place(await depot.anyone.get(f"/{address}"))
    assert "/acme/" in moved
    answer = await depot.anyone.get(moved)
    assert (answer.status_code, answer.content) == (200, ADDRESSES[address])
    assert new_place(await depot.anyone.head(f"/{address}")) == moved
    assert new_place(await depot.anyone.get(f"/{address}", headers={"if-none-match": "*"})) == moved
    assert new_place(await depot.anyone.get(f"/{address}", headers={"range": "bytes=0-3"})) == moved


async def test_extras_are_found_too(depot: House, ball: str) -> None:
    moved = new_place(await depot.anyone.get(f"/pypi/alice/files/{WHEEL[0]}.metadata"))
    assert "Requires-Dist: requests" in (await depot.anyone.get(moved)).text


async def test_a_token_in_the_address_stays_in_front_and_is_not_said(depot: House, alice: Person, ball: str) -> None:
    await done(alice.client, "updatePackage", {"packageId": ball, "visibility": "PRIVATE"})
    token = await alice.new_token("conda:download", "pypi:download")
    addresses = {
        f"/t/{token}/conda/{CONDA_URL}": "conda",
        f"/conda/t/{token}/{CONDA_URL}": "conda",
        f"/t/{token}/pypi/alice/files/{WHEEL[0]}": "pypi",
    }
    for address, type in addresses.items():
        answer = await depot.anyone.get(address)
        assert token not in str(answer.headers)
        assert answer.headers["cache-control"] == "private, no-cache"
        assert "access-control-allow-origin" not in answer.headers
        moved = new_place(answer)
        assert urlsplit(moved).path == address.replace("alice", "acme")
        assert (await depot.anyone.get(moved)).content == BODY[type]


async def test_it_works_on_the_host_of_a_type_too(house_data: Path) -> None:
    async with open_house(house_data, Registry.built_in(), public_url="https://packages.example") as depot:
        alice = await depot.person("alice")
        await organization("acme", alice)
        await alice.has(*CONDA)
        id = (await package_of(alice.client, "ball"))["id"]
        await done(alice.client, "transferPackage", {"packageId": id, "namespace": "acme"})
        for prefix in ("", f"/t/{alice.token}"):
            moved = new_place(await depot.anyone.get(f"https://conda.packages.example{prefix}/{CONDA_URL}"))
            assert moved == f"https://conda.packages.example{prefix}/{CONDA_URL.replace('alice', 'acme')}"
            assert (await depot.anyone.get(moved)).content == CONDA[1]


async def test_an_address_that_hides_a_slash_is_not_followed(depot: House, ball: str) -> None:
    assert (await depot.anyone.get(f"/conda/alice/linux-64%2F{CONDA[0]}")).status_code == 404


async def test_who_may_not_read_it_where_it_is_now_learns_nothing(depot: House, alice: Person, bob: Person, acme: Organization, ball: str) -> None:
    await done(alice.client, "updatePackage", {"packageId": ball, "visibility": "PRIVATE"})
    address, absent = f"/conda/{CONDA_URL}", f"/conda/{CONDA_URL.replace('1.0', '9.9')}"
    upload_only = await alice.scoped("conda:upload")
    for client in (depot.anyone, bob.client, upload_only):
        hidden, nothing = await client.get(address), await client.get(absent)
        assert sentence(hidden, 404).replace("1.0", "9.9") == sentence(nothing, 404)
        varying = {"x-request-id"}
        assert {name: value for name, value in hidden.headers.items() if name not in varying} == {
            name: value for name, value in nothing.headers.items() if name not in varying
        }
        assert (await client.get(f"/pypi/alice/files/{WHEEL[0]}.metadata")).status_code == 404
    for client in (depot.anyone, bob.client):
        assert (await look(client, NAMED, name="ball"))["package"] is None
    await member(acme, bob, "read", group="readers", package="ball")
    assert (await bob.client.get(new_place(await bob.client.get(address)))).content == CONDA[1]
    assert (await look(bob.client, NAMED, name="ball"))["package"]["namespace"] == {"name": "acme"}


async def test_on_a_closed_site_strangers_are_asked_for_a_token_as_everywhere(depot: House, alice: Person, ball: str) -> None:
    depot.site.settings.anonymous_read = False
    try:
        assert (await depot.anyone.get(f"/conda/{CONDA_URL}")).status_code == 401
        assert (await depot.anyone.get("/conda/alice/linux-64/never-1.0-0.conda")).status_code == 401
        assert (await alice.client.get(f"/conda/{CONDA_URL}")).status_code == 301
    finally:
        depot.site.settings.anonymous_read = True


INDEXES = (
    "conda/alice/linux-64/repodata.json",
    "conda/alice/linux-64/repodata.json.zst",
    "conda/alice/linux-64/repodata_shards.msgpack.zst",
    "pypi/alice/simple/ball/",
)


@pytest.mark.parametrize("index", INDEXES)
async def test_no_index_document_redirects(depot: House, alice: Person, ball: str, index: str) -> None:
    for client in (depot.anyone, alice.client):
        assert (await client.get(f"/{index}")).status_code == 404


async def test_a_package_is_found_by_its_old_name_in_any_case(depot: House, ball: str) -> None:
    for name in ("ball", "Ball"):
        assert (await look(depot.anyone, NAMED, name=name))["package"] == {"id": ball, "name": "ball", "namespace": {"name": "acme"}}
    assert (await look(depot.anyone, '{ namespace(name: "alice") { packages { totalCount } } }'))["namespace"]["packages"]["totalCount"] == 0


async def test_a_package_that_moves_on_is_found_at_each_of_its_old_places(depot: House, alice: Person, bob: Person, ball: str) -> None:
    root = await depot.person("root", admin=True)
    await done(root.client, "transferPackage", {"packageId": ball, "namespace": "bob"})
    for name in ("alice", "acme"):
        address = f"/conda/{CONDA_URL.replace('alice', name)}"
        assert new_place(await depot.anyone.get(address)) == f"http://localhost/conda/{CONDA_URL.replace('alice', 'bob')}"
    assert (await look(depot.anyone, NAMED, name="ball"))["package"]["namespace"] == {"name": "bob"}


async def test_a_file_that_is_removed_at_its_new_place_is_found_nowhere(depot: House, alice: Person, ball: str) -> None:
    files = (await package_of(alice.client, "ball", "acme"))["files"]
    await done(alice.client, "removeFiles", {"files": {"ids": [files[f"linux-64/{CONDA[0]}"]]}})
    assert (await depot.anyone.get(f"/conda/{CONDA_URL}")).status_code == 404
    assert (await depot.anyone.get(f"/pypi/alice/files/{WHEEL[0]}")).status_code == 301
    await done(alice.client, "deletePackage", {"packageId": ball, "confirmation": "acme/ball"})
    assert (await depot.anyone.get(f"/pypi/alice/files/{WHEEL[0]}")).status_code == 404
    assert (await look(depot.anyone, NAMED, name="ball"))["package"] is None


async def test_who_takes_the_name_again_ends_every_redirect(depot: House, alice: Person, ball: str) -> None:
    await taken(alice)
    mine = (await look(depot.anyone, NAMED, name="ball"))["package"]
    assert (mine["namespace"], mine["id"] != ball) == ({"name": "alice"}, True)
    for address in (f"/conda/{CONDA_URL}", f"/pypi/alice/files/{WHEEL[0]}"):
        assert (await depot.anyone.get(address)).status_code == 404
    assert (await look(depot.anyone, '{ package(namespace: "acme", name: "ball") { id } }'))["package"] == {"id": ball}


async def test_a_path_that_is_used_again_is_itself_and_leads_nowhere_once_it_is_removed(depot: House, alice: Person, ball: str) -> None:
    await taken(alice)
    forged = build_conda("ball", "1.0+a", subdir="linux-64", files={"other": b"bytes"})
    await alice.has(*forged)
    assert (await depot.anyone.get(f"/conda/{CONDA_URL}")).content == forged[1]
    files = (await package_of(alice.client, "ball"))["files"]
    await done(alice.client, "removeFiles", {"files": {"ids": list(files.values())}})
    assert (await depot.anyone.get(f"/conda/{CONDA_URL}")).status_code == 404


FIGURE, PLAIN = build_notebook(code("x = 1", shown({"image/png": picture()}))), build_notebook(code("y = 2"))
NOTE = {"package": "note", "version": "1"}


async def test_a_path_that_is_used_again_has_its_own_extras_and_no_others(depot: House, alice: Person, acme: Organization) -> None:
    await alice.has("note.ipynb", FIGURE, **NOTE)
    id = (await package_of(alice.client, "note"))["id"]
    await done(alice.client, "moveFiles", {"files": {"packageId": id}, "namespace": "acme"})
    address = "/notebook/alice/note/1/note.ipynb"
    assert new_place(await depot.anyone.get(f"{address}/thumbnail.png")).endswith("/notebook/acme/note/1/note.ipynb/thumbnail.png")
    await alice.has("note.ipynb", PLAIN, **NOTE)
    assert (await depot.anyone.get(address)).content == PLAIN
    assert (await depot.anyone.get(f"{address}/thumbnail.png")).status_code == 404


async def test_a_private_file_at_the_old_address_shows_by_nothing(depot: House, alice: Person, acme: Organization) -> None:
    await alice.has("note.ipynb", FIGURE, **NOTE)
    id = (await package_of(alice.client, "note"))["id"]
    await done(alice.client, "moveFiles", {"files": {"packageId": id}, "namespace": "acme"})
    await done(alice.client, "updatePackage", {"packageId": id, "visibility": "PRIVATE"})
    address = "/notebook/alice/note/1/note.ipynb"
    before = [(await depot.anyone.get(url)).headers["location"] for url in (address, f"{address}/thumbnail.png")]
    await alice.has("note.ipynb", PLAIN, **NOTE)
    assert [(await depot.anyone.get(url)).headers.get("location") for url in (address, f"{address}/thumbnail.png")] == before
    assert (await alice.client.get(address)).content == PLAIN
    assert (await alice.client.get(f"{address}/thumbnail.png")).status_code == 404


async def test_a_file_that_moves_on_is_found_at_each_of_its_old_addresses(depot: House, alice: Person, acme: Organization) -> None:
    await organization("umbrella", alice)
    await alice.has(*CONDA)
    for here, there in (("alice", "acme"), ("acme", "umbrella")):
        await done(alice.client, "moveFiles", {"files": {"packageId": (await package_of(alice.client, "ball", here))["id"]}, "namespace": there})
    for name in ("alice", "acme"):
        moved = new_place(await depot.anyone.get(f"/conda/{CONDA_URL.replace('alice', name)}"))
        assert moved == f"http://localhost/conda/{CONDA_URL.replace('alice', 'umbrella')}"


async def test_where_paths_are_never_used_again_only_the_same_bytes_come_back(depot: House, alice: Person, ball: str) -> None:
    await execute("UPDATE namespace SET replace = 'never' WHERE name = 'alice'")
    forged = build_conda("ball", "1.0+a", subdir="linux-64", files={"other": b"bytes"})
    assert (await alice.put(*forged)).status_code == 409
    assert (await depot.anyone.get(f"/conda/{CONDA_URL}")).status_code == 301
    await taken(alice)
    await alice.has(*CONDA)
    assert (await depot.anyone.get(f"/conda/{CONDA_URL}")).content == CONDA[1]


async def test_notebooks_and_environments_are_found_too_and_their_lists_are_not(depot: House, alice: Person, acme: Organization) -> None:
    bodies = {
        "notebook/alice/study/1/study.ipynb": build_notebook(markdown("# Study")),
        "environment/alice/stats/1/stats.yml": build_environment(),
    }
    for address, body in bodies.items():
        type, _, package, version, basename = address.split("/")
        await alice.has(basename, body, package=package, version=version)
        id = (await package_of(alice.client, package))["id"]
        await done(alice.client, "transferPackage", {"packageId": id, "namespace": "acme"})
        assert (await depot.anyone.get(new_place(await depot.anyone.get(f"/{address}")))).content == body
        assert (await depot.anyone.get(f"/{type}/alice/{package}/index.json")).status_code == 404
        assert (await depot.anyone.get(f"/{type}/alice/{package}/{basename}")).status_code == 404


async def test_a_collaborator_reads_on_at_the_old_address(depot: House, alice: Person, bob: Person, ball: str) -> None:
    await done(alice.client, "updatePackage", {"packageId": ball, "visibility": "PRIVATE"})
    await collaborate(bob, "ball", "acme")
    assert (await bob.client.get(new_place(await bob.client.get(f"/conda/{CONDA_URL}")))).content == CONDA[1]
