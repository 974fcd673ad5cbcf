"""`/t/<token>/`: in front, behind the type, or behind the host. It reads documents and files, and does nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from entrepot.registry import Registry
from house import House, Person, open_house, sentence
from toy import ToyPlugin, build_toy, line_of

BALL = build_toy("ball")


@pytest.fixture
async def secret_ball(alice: Person) -> None:
    """A private package of alice's."""
    await alice.has("ball.toy", BALL, private="true")


PLACES = ["/t/{token}/toy/alice", "/toy/t/{token}/alice"]


@pytest.mark.usefixtures("secret_ball")
@pytest.mark.parametrize("place", PLACES)
async def test_a_token_in_the_path_reads_documents_parts_shards_and_files(house: House, alice: Person, place: str) -> None:
    base = place.format(token=alice.token)
    digest = (await house.anyone.get(f"{base}/shards")).text.split()[1]
    for path, body in [
        ("listing", line_of("ball.toy", BALL).encode()),
        ("label/main/listing", line_of("ball.toy", BALL).encode()),
        ("page/ball", line_of("ball.toy", BALL).encode()),
        (f"shard/{digest}", line_of("ball.toy", BALL).encode()),
        ("files/ball.toy", BALL),
        ("notes/ball.toy", b"note of ball"),
    ]:
        assert (await house.anyone.get(f"{base}/{path}")).content == body
        head = await house.anyone.head(f"{base}/{path}")
        assert (head.status_code, head.headers["content-length"]) == (200, str(len(body)))
        assert (await house.anyone.get(f"{base}/{path}".replace(alice.token, "wrong"))).status_code == 401


@pytest.mark.usefixtures("secret_ball")
@pytest.mark.parametrize("place", PLACES)
async def test_a_redirect_keeps_the_token_without_repeating_it(house: House, alice: Person, place: str) -> None:
    client = house.client()
    client.follow_redirects = True
    for slash in ("", "/"):
        response = await client.get(place.format(token=alice.token) + slash)
        assert response.text == line_of("ball.toy", BALL)
        assert alice.token in str(response.url)
        assert alice.token not in response.history[0].headers["location"]


@pytest.mark.usefixtures("secret_ball")
async def test_a_token_in_the_path_does_nothing_but_read(house: House, alice: Person) -> None:
    before = await house.left()
    token = alice.token
    for method, url in [
        ("PUT", f"/t/{token}/upload/alice/x.toy"),
        ("PUT", f"/upload/t/{token}/alice/x.toy"),
        ("PUT", f"/t/{token}/toy/alice/files/x.toy"),
        ("POST", f"/t/{token}/graphql"),
        ("GET", f"/t/{token}/graphql?query=%7Bviewer%7Bname%7D%7D"),
        ("GET", f"/t/{token}/upload/alice/x.toy"),
        ("POST", f"/t/{token}/toy/alice/listing"),
        ("DELETE", f"/t/{token}/toy/alice/files/ball.toy"),
        ("GET", f"/t/{token}/t/{token}/toy/alice/listing"),
        ("GET", f"/t/{token}/"),
        ("GET", f"/t/{token}"),
    ]:
        response = await house.anyone.request(method, url, content=build_toy("x") if method != "GET" else None)
        assert response.status_code in (401, 404, 405), (method, url)
        assert "alice" not in response.text
    assert await house.left() == before


async def test_a_token_in_the_path_counts_before_one_in_a_header(house: House, alice: Person, bob: Person) -> None:
    await alice.has("ball.toy", BALL, private="true")
    assert (await bob.client.get(f"/t/{alice.token}/toy/alice/files/ball.toy")).status_code == 200
    assert (await alice.client.get(f"/t/{bob.token}/toy/alice/files/ball.toy")).status_code == 404


# -- a type's own host ------------------------------------------------------------------------------------------------


@pytest.fixture
async def public_house(house_data: Path) -> AsyncIterator[House]:
    async with open_house(house_data, Registry.of({"toy": ToyPlugin()}), public_url="https://Packages.example:8443") as house:
        alice = await house.person("alice")
        await alice.has("ball.toy", BALL, private="true")
        yield house


@pytest.mark.parametrize("host", ["toy.packages.example", "TOY.Packages.Example", "toy.packages.example:8443", "toy.packages.example:80"])
async def test_a_types_own_host_serves_as_its_path_does(public_house: House, host: str) -> None:
    token = public_house.people["alice"].token
    client = public_house.client(Host=host)
    client.follow_redirects = True
    assert (await client.get("/alice/listing")).text == ""
    assert (await client.get(f"/t/{token}/alice/listing")).text == line_of("ball.toy", BALL)
    assert (await client.get(f"/t/{token}/alice/files/ball.toy")).content == BALL
    assert (await client.get(f"/t/{token}/alice")).text == line_of("ball.toy", BALL)
    assert (await client.get("/alice/label/main/listing")).status_code == 200


async def test_a_types_own_host_serves_nothing_else(public_house: House) -> None:
    alice = public_house.people["alice"]
    client = public_house.client(Host="toy.packages.example", Authorization=f"Bearer {alice.token}")
    assert (await client.put("/upload/alice/x.toy", content=build_toy("x"))).status_code == 404
    assert (await client.post("/graphql", json={"query": "{viewer{name}}"})).status_code == 404
    assert (await client.post(f"/t/{alice.token}/alice/listing")).status_code == 404
    assert (await client.get("/toy/alice/listing")).status_code == 404
    assert (await client.get("/")).status_code == 404


async def test_another_host_is_no_types_own(public_house: House) -> None:
    for host in ("toy.evil.example", "toypackages.example", "packages.example", "x.toy.packages.example", ""):
        client = public_house.client(Host=host)
        assert (await client.get("/toy/alice/listing")).status_code == 200, host
        assert (await client.get("/alice/listing")).status_code == 404, host


async def test_absolute_urls_come_from_the_setting_and_never_from_the_host(public_house: House) -> None:
    alice = public_house.people["alice"]
    client = public_house.client(Host="evil.example", Authorization=f"Bearer {alice.token}")
    made = await client.put("/upload/alice/car.toy", content=build_toy("car"))
    assert made.json()["url"] == made.headers["location"] == "https://Packages.example:8443/toy/alice/files/car.toy"


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("localhost:8080", "http://localhost:8080"),
        ("127.0.0.1", "http://127.0.0.1"),
        ("[::1]:80", "http://[::1]:80"),
        ("evil.example", ""),
        ("localhost@evil.example", ""),
        ("localhost:80/evil.example", ""),
        ("localhost:port", ""),
        ("10.0.0.1", ""),
    ],
)
async def test_without_the_setting_only_a_local_host_makes_an_absolute_url(house: House, alice: Person, host: str, base: str) -> None:
    client = house.client(Host=host, Authorization=f"Bearer {alice.token}")
    made = await client.put("/upload/alice/ball.toy", content=BALL)
    assert made.json()["url"] == made.headers["location"] == f"{base}/toy/alice/files/ball.toy"


@pytest.mark.parametrize("path", ["//toy/alice/listing", "/toy//alice/listing", "/toy/alice//listing", "/toy", "/toy/", "/TOY/alice/listing"])
async def test_a_path_that_only_looks_right_is_404(house: House, alice: Person, path: str) -> None:
    sentence(await house.anyone.get("http://localhost" + path), 404)
