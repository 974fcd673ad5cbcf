"""Uploads as quetz's and prefix.dev's clients send them, into a whole site."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from hashlib import sha256
from itertools import count
from typing import Any

import httpx
import pytest
from conda_builder import build_conda
from entrepot.db.sql import execute, fetch
from entrepot.registry import Registry
from ground import Ground
from house import House, Person, open_house

DOMAIN = "packages.example"
NUMBERS = count()
Built = tuple[str, bytes]
Send = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory, lasting_ground: Ground) -> AsyncIterator[House]:
    """A site for the whole module, which takes files of up to 2 MiB, with alice and bob in it."""
    data = lasting_ground.data(tmp_path_factory.mktemp("site") / "data")
    async with open_house(data, Registry.built_in(), max_upload=2 << 20, public_url=f"http://{DOMAIN}") as house:
        for name in ("alice", "bob"):
            await house.person(name)
        yield house


@pytest.fixture
def alice(site: House) -> Person:
    """A user, whose channel other tests of the module fill too."""
    return site.people["alice"]


@pytest.fixture
def name() -> str:
    """A package that no other test uses."""
    return f"foo{next(NUMBERS)}"


async def quetz(client: httpx.AsyncClient, built: Built, channel: str = "alice", said: str | None = None, **query: str) -> httpx.Response:
    """As quetz's client and rattler-build upload there; `said` is the digest that the client found."""
    basename, body = built
    parameters = {"force": "false", "sha256": sha256(body).hexdigest() if said is None else said} | query
    return await client.post(f"/conda/api/channels/{channel}/upload/{basename}", params=parameters, content=body)


async def prefix(client: httpx.AsyncClient, built: Built, channel: str = "alice", said: str | None = None, **query: str) -> httpx.Response:
    """As rattler-build and pixi upload to prefix.dev."""
    basename, body = built
    headers = {"X-File-Name": basename, "X-File-SHA256": sha256(body).hexdigest() if said is None else said}
    files = {"file": (basename, body, "application/octet-stream", headers)}
    return await client.post(f"/conda/api/v1/upload/{channel}", params=query, files=files)


async def bare(client: httpx.AsyncClient, built: Built, channel: str = "alice", said: str | None = None, **query: str) -> httpx.Response:
    """As pixi uploaded before it shared rattler-build's uploads."""
    basename, body = built
    headers = {"X-File-Name": basename, "X-File-Sha256": sha256(body).hexdigest() if said is None else said}
    return await client.post(
        f"/conda/api/v1/upload/{channel}", params=query, content=body, headers=headers | {"content-type": "application/octet-stream"}
    )


EACH = pytest.mark.parametrize("send", [quetz, prefix, bare])


def other_bytes(name: str, version: str = "1.0") -> Built:
    """Another file under the name of `build_conda(name, version)`."""
    return build_conda(name, version, files={"share/other.txt": b"other\n"})


async def served(house: House, name: str, label: str = "main") -> Mapping[str, Any]:
    """The records of a package in a channel, by the files' names."""
    document = (await house.anyone.get(f"/conda/alice/label/{label}/noarch/repodata.json")).json()
    records = document["packages"] | document["packages.conda"]
    return {basename: record for basename, record in records.items() if record["name"] == name}


async def actions(path: str) -> list[str]:
    """What the audit log says of a file, in order."""
    rows = await fetch("SELECT action FROM audit_event WHERE subject = $1 ORDER BY id", f"alice/conda/{path}")
    return [row["action"] for row in rows]


def sentence(response: httpx.Response) -> str:
    """What a refused client shows: quetz's reads `detail`, rattler-build prints the body."""
    if response.headers["content-type"] == "application/json":
        return str(response.json()["detail"])
    assert response.headers["content-type"].startswith("text/plain")
    return response.text


@EACH
@pytest.mark.parametrize("ext", [".conda", ".tar.bz2"])
async def test_a_file_goes_in_and_comes_out(alice: Person, name: str, send: Send, ext: str) -> None:
    built = build_conda(name, "1!1.0+local", ext=ext)
    answer = await send(alice.client, built)
    assert answer.status_code == 201
    assert (answer.json()["path"], answer.json()["labels"]) == (f"noarch/{built[0]}", ["main"])
    assert (await alice.house.anyone.get(answer.json()["url"])).content == built[1]
    assert list(await served(alice.house, name)) == [built[0]]


@EACH
async def test_a_channel_of_a_label_takes_a_file_under_that_label(alice: Person, name: str, send: Send) -> None:
    assert (await send(alice.client, build_conda(name, "1.0"), "alice/label/Dev")).status_code == 201
    assert len(await served(alice.house, name, "dev")) == 1
    assert await served(alice.house, name) == {}


@EACH
async def test_the_same_bytes_again_change_nothing(alice: Person, name: str, send: Send) -> None:
    built = build_conda(name, "1.0")
    await send(alice.client, built)
    for force in ("false", "true"):
        assert (await send(alice.client, built, force=force)).status_code == 200
    assert await actions(f"noarch/{built[0]}") == ["file.publish"]


@EACH
async def test_other_bytes_under_the_same_name_are_a_conflict_as_long_as_nobody_forces_them(alice: Person, name: str, send: Send) -> None:
    built = build_conda(name, "1.0")
    await send(alice.client, built)
    answer = await send(alice.client, other_bytes(name))
    assert answer.status_code == 409
    assert "already exists" in sentence(answer)
    assert (await served(alice.house, name))[built[0]]["sha256"] == sha256(built[1]).hexdigest()


@EACH
async def test_a_forced_upload_replaces_the_file(alice: Person, name: str, send: Send) -> None:
    first, second = build_conda(name, "1.0"), other_bytes(name)
    await send(alice.client, first, "alice/label/dev")
    answer = await send(alice.client, second, force="true")
    assert answer.status_code == 201
    assert await served(alice.house, name, "dev") == {}
    assert (await served(alice.house, name))[first[0]]["sha256"] == sha256(second[1]).hexdigest()
    assert (await alice.house.anyone.get(answer.json()["url"])).content == second[1]
    assert await actions(f"noarch/{first[0]}") == ["file.publish", "file.remove", "file.publish"]
    [tombstone] = await fetch("SELECT sha256 FROM tombstone WHERE path = $1", f"noarch/{first[0]}")
    assert tombstone["sha256"] == sha256(first[1]).hexdigest()


async def test_forced_uploads_at_the_same_time_leave_one_file_that_the_index_knows(alice: Person, name: str) -> None:
    built = [build_conda(name, "1.0", files={"share/which.txt": b"%d" % number}) for number in range(5)]
    answers = await asyncio.gather(*(quetz(alice.client, one, force="true") for one in built))
    assert [answer.status_code for answer in answers] == [201] * 5
    [(basename, record)] = (await served(alice.house, name)).items()
    body = (await alice.house.anyone.get(f"/conda/alice/noarch/{basename}")).content
    assert record["sha256"] == sha256(body).hexdigest()
    assert (await actions(f"noarch/{basename}")).count("file.remove") == 4


async def test_a_forced_upload_that_is_no_package_leaves_the_file_alone(alice: Person, name: str) -> None:
    built = build_conda(name, "1.0")
    await quetz(alice.client, built)
    assert (await quetz(alice.client, (built[0], b"PK\x03\x04 no package"), force="true")).status_code == 400
    assert (await served(alice.house, name))[built[0]]["sha256"] == sha256(built[1]).hexdigest()


async def test_a_namespace_that_never_replaces_is_not_forced(alice: Person, name: str) -> None:
    built = build_conda(name, "1.0")
    await quetz(alice.client, built)
    await execute("UPDATE namespace SET replace = 'never' WHERE name = 'alice'")
    try:
        assert (await prefix(alice.client, other_bytes(name), force="true")).status_code == 409
    finally:
        await execute("UPDATE namespace SET replace = 'after-removal' WHERE name = 'alice'")
    assert (await served(alice.house, name))[built[0]]["sha256"] == sha256(built[1]).hexdigest()


async def test_a_collaborator_forces_no_file_that_a_locked_label_holds(alice: Person, name: str) -> None:
    built = build_conda(name, "1.0")
    await quetz(alice.client, built, f"alice/label/{name}")
    bob = alice.house.people["bob"]
    [package] = await fetch("SELECT id FROM package WHERE name = $1", name)
    await execute("INSERT INTO collaborator (package_id, user_id, added_at) VALUES ($1, $2, 1)", package["id"], bob.actor.namespace_id)
    await execute("UPDATE label SET locked_at = 1 WHERE name = $1", name)
    answer = await prefix(bob.client, other_bytes(name), force="true")
    assert (answer.status_code, "is locked" in sentence(answer)) == (403, True)
    assert (await served(alice.house, name, name))[built[0]]["sha256"] == sha256(built[1]).hexdigest()
    await execute("UPDATE label SET locked_at = NULL WHERE name = $1", name)
    assert (await prefix(bob.client, other_bytes(name), force="true")).status_code == 201


GOOD = build_conda("refused", "1.0")
REFUSALS: Mapping[str, tuple[int, str, Built, Mapping[str, str]]] = {
    "another digest": (406, "sha256 digest", GOOD, {"said": "0" * 64}),
    "a digest that is none": (406, "sha256 digest", GOOD, {"said": "ünd"}),
    "another name": (400, "by its content it is", ("refused-2.0-0.conda", GOOD[1]), {}),
    "a name with a backslash": (400, "slash", ("a\\b.conda", GOOD[1]), {}),
    "a long name": (400, "255", (f"{'x' * 300}.conda", GOOD[1]), {}),
    "no package": (400, "is no conda package", ("refused-1.0-0.conda", b"text"), {}),
    "a bad package": (400, "list of strings", build_conda("refused", "1.0", index={"depends": "x"}), {}),
    "nothing": (400, "is empty", ("refused-1.0-0.conda", b""), {}),
    "too much": (413, "max_upload", ("refused-1.0-0.conda", bytes(3 << 20)), {}),
    "no label": (400, "label", GOOD, {"channel": "alice/label/!"}),
    "half a channel": (404, "no such channel", GOOD, {"channel": "alice/label"}),
    "a folder of a channel": (404, "no such channel", GOOD, {"channel": "alice/label/dev/noarch"}),
    "no such namespace": (404, "nobody", GOOD, {"channel": "nobody"}),
    "somebody's namespace": (403, "bob", GOOD, {"channel": "bob"}),
    "a force that is none": (400, "true or false", GOOD, {"force": "perhaps"}),
}


@EACH
@pytest.mark.parametrize("case", REFUSALS)
async def test_what_is_refused_is_told_in_a_sentence_and_leaves_nothing(alice: Person, send: Send, case: str) -> None:
    status, words, built, options = REFUSALS[case]
    if "said" in options and not options["said"].isascii() and send is not quetz:
        options = {"said": "und"}  # a header holds ASCII
    before = await alice.house.left()
    answer = await send(alice.client, built, **options)
    assert (answer.status_code, words in sentence(answer)) == (status, True), answer.text
    assert await alice.house.left() == before


@EACH
async def test_who_may_not_upload_is_answered_before_the_body_is_read(alice: Person, send: Send) -> None:
    answer = await send(alice.house.anyone, GOOD)
    assert (answer.status_code, alice.house.answered_unasked) == (401, True)
    assert answer.headers["www-authenticate"].startswith("Basic")
    assert (await send(alice.house.client(X_API_Key="ent-wrong"), GOOD)).status_code == 401
    answer = await send(await alice.scoped("conda:download"), GOOD)
    assert (answer.status_code, alice.house.answered_unasked) == (403, True)


@EACH
async def test_a_token_for_conda_uploads_is_enough(alice: Person, name: str, send: Send) -> None:
    token = await alice.new_token("conda:upload")
    assert (await send(alice.house.client(X_API_Key=token), build_conda(name, "1.0"))).status_code == 201


@EACH
async def test_the_types_own_host_takes_uploads_too(alice: Person, name: str, send: Send) -> None:
    class Below(httpx.AsyncBaseTransport):
        """The same request without `/conda` in its path, to the host of the type."""

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            request.url = request.url.copy_with(host=f"conda.{DOMAIN}", raw_path=request.url.raw_path.removeprefix(b"/conda"))
            request.headers["host"] = f"conda.{DOMAIN}"
            return await httpx.ASGITransport(alice.house.app).handle_async_request(request)

    async with httpx.AsyncClient(transport=Below(), base_url=f"http://{DOMAIN}", headers={"X-API-Key": alice.token}) as client:
        assert (await send(client, build_conda(name, "1.0"))).status_code == 201


async def test_a_form_with_an_attestation_is_refused_since_none_are_kept(alice: Person) -> None:
    before = await alice.house.left()
    answer = await alice.client.post("/conda/api/v1/upload/alice", files={"file": GOOD}, data={"attestation": "{}"})
    assert (answer.status_code, "attestations" in answer.text) == (400, True)
    assert await alice.house.left() == before


async def test_a_bare_file_without_a_name_is_asked_for_one(alice: Person) -> None:
    answer = await alice.client.post("/conda/api/v1/upload/alice", content=GOOD[1])
    assert (answer.status_code, "X-File-Name" in answer.text) == (400, True)


async def test_the_addresses_are_not_for_reading_and_no_token_rides_in_them(alice: Person) -> None:
    for address in ("channels/alice/upload/x.conda", "v1/upload/alice"):
        assert (await alice.client.get(f"/conda/api/{address}")).status_code == 405
        for before in (f"/t/{alice.token}/conda", f"/conda/t/{alice.token}"):
            assert (await alice.house.anyone.post(f"{before}/api/{address}", content=GOOD[1])).status_code in (401, 404)
