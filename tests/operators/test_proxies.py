"""Proxies in front: who is believed what."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from entrepot.http.exchange import GIVEN_ID
from entrepot.http.proxies import Proxies, forwarded_elements
from entrepot.registry import Registry
from entrepot.settings import Settings
from ground import Ground
from house import House, Person, open_house
from hypothesis import given
from hypothesis import strategies as st
from toy import ToyPlugin, build_toy

PROXIES = ["10.0.0.0/8", "192.0.2.7", "fd00::/8"]


def seen(headers: Mapping[str, str] | list[tuple[str, str]], *, peer: str = "10.0.0.1", by: str = "x-forwarded", **more: Any) -> dict[str, Any]:
    """A request with these headers, as it is seen through the proxies."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    scope = {
        "type": "http",
        "client": (peer, 1),
        "scheme": "http",
        "headers": [(b"host", b"inner"), *((name.lower().encode(), value.encode("latin-1")) for name, value in pairs)],
    }
    through = Proxies(Settings(trusted_proxies=PROXIES, forwarded_by=by, **more)).seen_through(scope)  # type: ignore[arg-type]
    host = [value.decode() for name, value in through["headers"] if name == b"host"]
    return {"client": through["client"][0], "scheme": through["scheme"], "host": host, "id": through.get(GIVEN_ID)}


@pytest.mark.parametrize(
    ("hops", "client"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9, 10.2.3.4", "203.0.113.9"),
        ("203.0.113.9:5555", "203.0.113.9"),
        ("[2001:db8::1]:5555, fd00::5", "2001:db8::1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("10.1.1.1, 10.2.2.2", "10.1.1.1"),
        ("", "10.0.0.1"),
        ("unknown", "10.0.0.1"),
        ("203.0.113.9, unknown", "10.0.0.1"),
        ("1.1.1.1, nonsense, 10.2.2.2", "10.2.2.2"),
        ("' OR 1=1", "10.0.0.1"),
    ],
)
def test_the_client_is_the_last_hop_that_is_no_proxy_of_ours(hops: str, client: str) -> None:
    assert seen({"X-Forwarded-For": hops})["client"] == client


def test_several_headers_are_one_list() -> None:
    assert seen([("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-For", "203.0.113.9")])["client"] == "203.0.113.9"


@pytest.mark.parametrize("peer", ["203.0.113.1", "::ffff:203.0.113.1", "2001:db8::9"])
def test_nobody_but_a_trusted_proxy_is_believed_anything(peer: str) -> None:
    headers = {
        "X-Forwarded-For": "1.2.3.4",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil",
        "X-Request-ID": "mine",
        "Forwarded": "for=1.2.3.4",
    }
    for by in ("x-forwarded", "forwarded"):
        assert seen(headers, peer=peer, by=by) == {"client": peer, "scheme": "http", "host": ["inner"], "id": None}


@pytest.mark.parametrize("peer", ["192.0.2.7", "10.255.0.1", "fd00::1", "::ffff:10.0.0.1"])
def test_a_proxy_is_known_by_its_address_or_its_network(peer: str) -> None:
    assert seen({"X-Forwarded-For": "203.0.113.9"}, peer=peer)["client"] == "203.0.113.9"


def test_scheme_and_host_are_what_the_nearest_proxy_says() -> None:
    found = seen({"X-Forwarded-Proto": "http, https", "X-Forwarded-Host": "evil.example, packages.example.org:8443"})
    assert (found["scheme"], found["host"]) == ("https", ["packages.example.org:8443"])


@pytest.mark.parametrize("host", ["a b", "a/b", "a\\b", "a@b", "<script>", "x" * 300, "[::1", "a:port", ""])
def test_what_is_no_host_is_not_taken_for_one(host: str) -> None:
    assert seen({"X-Forwarded-Host": host})["host"] == ["inner"]


@pytest.mark.parametrize("scheme", ["ftp", "javascript", "", "https evil"])
def test_what_is_no_scheme_is_not_taken_for_one(scheme: str) -> None:
    assert seen({"X-Forwarded-Proto": scheme})["scheme"] == "http"


def test_the_family_of_headers_that_the_proxy_does_not_write_is_the_clients_and_does_not_count() -> None:
    headers = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=198.51.100.2;proto=https;host=evil"}
    assert seen(headers)["client"] == "203.0.113.9"
    assert seen(headers)["host"] == ["inner"]
    assert seen(headers, by="forwarded")["client"] == "198.51.100.2"


@pytest.mark.parametrize(
    ("header", "client", "scheme", "host"),
    [
        ("for=203.0.113.9;proto=https;host=packages.example.org", "203.0.113.9", "https", "packages.example.org"),
        ('For="[2001:db8::1]:4711"; Proto=https', "2001:db8::1", "https", "inner"),
        ("for=1.1.1.1;host=evil, for=203.0.113.9;host=good", "203.0.113.9", "http", "good"),
        ("for=203.0.113.9, for=10.1.1.1;proto=https", "203.0.113.9", "https", "inner"),
        ("for=_hidden", "10.0.0.1", "http", "inner"),
        ('for="1.1.1.1', "10.0.0.1", "http", "inner"),
        ("nonsense", "10.0.0.1", "http", "inner"),
        ("", "10.0.0.1", "http", "inner"),
    ],
)
def test_forwarded_is_read_as_rfc_7239_has_it(header: str, client: str, scheme: str, host: str) -> None:
    found = seen({"Forwarded": header}, by="forwarded")
    assert (found["client"], found["scheme"], found["host"]) == (client, scheme, [host])


@given(st.text(max_size=200))
def test_no_text_breaks_the_reading_of_forwarded(header: str) -> None:
    for element in forwarded_elements(header):
        assert all(name.isascii() and name == name.lower() for name in element)


@given(st.lists(st.sampled_from(["10.1.1.1", "192.0.2.7", "unknown", "", "203.0.113.9", "evil"]), max_size=6))
def test_what_stands_before_a_hop_that_is_none_of_ours_is_never_looked_at(before: list[str]) -> None:
    assert seen({"X-Forwarded-For": ", ".join([*before, "198.51.100.4", "10.3.3.3"])})["client"] == "198.51.100.4"


@pytest.mark.parametrize(
    ("given_id", "taken"),
    [
        ("0f8fad5b-d9cb-469f-a165-70867728950e", True),
        ("Root=1-67891233:abcdef", True),
        ("a b", False),
        ("-x", False),
        ("", False),
        ("x" * 129, False),
    ],
)
def test_a_well_formed_request_id_of_a_proxy_is_taken_over(given_id: str, taken: bool) -> None:
    assert seen({"X-Request-ID": given_id})["id"] == (given_id if taken else None)


def test_two_request_ids_are_none() -> None:
    assert seen([("X-Request-ID", "one"), ("X-Request-ID", "two")])["id"] is None


async def test_the_clients_address_is_in_the_audit_log(house_data: Path, ground: Ground) -> None:
    async with open_house(house_data, Registry.of({"toy": ToyPlugin()}), trusted_proxies=["127.0.0.1"]) as house:
        alice = await house.person("alice")
        await _upload(house, alice, "spoofed.toy", X_Forwarded_For="1.1.1.1, 203.0.113.9")
        await _upload(house, alice, "direct.toy")
    rows = ground.rows(house_data, "SELECT address, count(*) FROM audit_event WHERE action LIKE 'file.%' GROUP BY address ORDER BY address")
    assert [address for address, _ in rows] == ["127.0.0.1", "203.0.113.9"]


async def test_without_trusted_proxies_the_peer_is_the_client(house: House, house_data: Path, ground: Ground, alice: Person) -> None:
    await _upload(house, alice, "spoofed.toy", X_Forwarded_For="203.0.113.9", Forwarded="for=203.0.113.9")
    assert {row[0] for row in ground.rows(house_data, "SELECT address FROM audit_event WHERE action LIKE 'file.%'")} == {"127.0.0.1"}


async def _upload(house: House, alice: Person, basename: str, **headers: str) -> None:
    client = house.client(Authorization=f"Bearer {alice.token}", **headers)
    answer = await client.put(f"/upload/alice/{basename}", content=build_toy(basename.partition(".")[0]))
    assert answer.status_code == 201, answer.text


async def test_the_host_that_a_trusted_proxy_names_is_used_for_a_types_own_host_and_a_public_url_always_wins(house_data: Path) -> None:
    settings = {"trusted_proxies": ["127.0.0.1"], "public_url": "https://packages.example.org/prefix"}
    async with open_house(house_data, Registry.of({"toy": ToyPlugin()}), **settings) as house:
        alice = await house.person("alice")
        house.address = "http://inner"
        client = house.client(Authorization=f"Bearer {alice.token}", X_Forwarded_Host="toy.packages.example.org", X_Forwarded_Proto="https")
        answer = await client.put("/upload/alice/ball.toy", content=build_toy("ball"))
        assert answer.status_code == 404  # below the type's own host, that is another address
        assert (await client.get("/alice/listing")).status_code == 200
        answer = await house.client(Authorization=f"Bearer {alice.token}", X_Forwarded_Host="evil.example").put(
            "/upload/alice/ball.toy", content=build_toy("ball")
        )
        assert answer.json()["url"] == "https://packages.example.org/prefix/toy/alice/files/ball.toy"
