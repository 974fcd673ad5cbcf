"""A cookie comes along whoever asks for it: it counts only where it is known that no page of another site has asked."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from changes import mutation
from entrepot.db.sql import fetch
from entrepot.registry import Registry
from entrepot.services.users import set_password
from ground import Ground
from house import House, Person, open_house, sentence
from toy import ToyPlugin, build_toy

from .conftest import PASSWORD, Visitor, visitor

OWN: dict[str, Mapping[str, str]] = {
    "a page of ours": {"origin": "http://localhost", "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"},
    "an old browser's page of ours": {"origin": "http://localhost"},
    "the reader's own hand": {"sec-fetch-site": "none"},
    "a program with a cookie jar": {},
}
FOREIGN: dict[str, Mapping[str, str]] = {
    "a page of another site": {"origin": "https://evil.example", "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"},
    "an old browser's page of another site": {"origin": "https://evil.example"},
    "another site that hides its origin": {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"},
    "a sandboxed page": {"origin": "null"},
    "a sandboxed page that claims to be ours": {"origin": "null", "sec-fetch-site": "same-origin"},
    "a sibling subdomain": {"origin": "http://files.localhost", "sec-fetch-site": "same-site"},
    "an old browser's sibling subdomain": {"origin": "http://files.localhost"},
    "another port": {"origin": "http://localhost:8000"},
    "the other scheme": {"origin": "https://localhost"},
    "a host that ends like ours": {"origin": "http://evil-localhost"},
    "a host that begins like ours": {"origin": "http://localhost.evil.example"},
    "ours as a user": {"origin": "http://localhost@evil.example"},
    "ours with a path": {"origin": "http://localhost/"},
    "another case of null": {"origin": "NULL"},
    "two origins": {"origin": "http://localhost, https://evil.example"},
    "a word of tomorrow": {"sec-fetch-site": "related-site", "origin": "http://localhost"},
}
BALL = build_toy("ball")
WHOAMI = {"query": "{ viewer { name } }"}
MAKE = {"query": mutation("createToken"), "variables": {"input": {"name": "evil", "scopes": ["all"]}}}
own = pytest.mark.parametrize("headers", OWN.values(), ids=OWN)
foreign = pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)


@own
async def test_the_session_acts_for(anna: Visitor, headers: Mapping[str, str]) -> None:
    await anna.logs_in()
    answer = await anna.client.post("/graphql", json=WHOAMI, headers=headers)
    assert answer.json() == {"data": {"viewer": {"name": "alice"}}}
    answer = await anna.client.post("/graphql", json=MAKE, headers=headers)
    assert answer.json()["data"]["result"]["__typename"] == "CreateTokenPayload"


@foreign
async def test_the_session_does_not_act_for(anna: Visitor, headers: Mapping[str, str]) -> None:
    await anna.logs_in()
    for question in (WHOAMI, MAKE):
        answer = await anna.client.post("/graphql", json=question, headers=headers)
        assert answer.status_code == 403
        [error] = answer.json()["errors"]
        assert error["extensions"]["code"] == "PERMISSION_DENIED"
        assert "does not come from a page of this site" in error["message"]
        assert "access-control-allow-origin" not in answer.headers
    assert await fetch("SELECT id FROM token WHERE name = 'evil'") == []
    assert await anna.whoami() == "alice"


@foreign
async def test_nobody_is_logged_in_or_out_or_registered_by(house: House, anna: Visitor, headers: Mapping[str, str]) -> None:
    """Login CSRF: the victim would go on as the attacker, and upload secrets there."""
    stranger = visitor(house)
    for name, input in (("login", {"name": "alice", "password": PASSWORD}), ("register", {"name": "eve", "password": PASSWORD}), ("logout", {})):
        answer = await stranger.client.post("/graphql", json={"query": mutation(name), "variables": {"input": input}}, headers=headers)
        assert answer.json()["data"]["result"]["__typename"] == "PermissionDeniedError"
        assert "set-cookie" not in answer.headers
    assert await fetch("SELECT id FROM session") == []
    assert await fetch("SELECT key FROM login_failure") == []


@foreign
async def test_who_has_no_session_asks_from_anywhere(house: House, headers: Mapping[str, str]) -> None:
    answer = await house.anyone.post("/graphql", json=WHOAMI, headers=headers)
    assert answer.json() == {"data": {"viewer": None}}


@foreign
async def test_a_token_counts_wherever_it_comes_from(alice: Person, headers: Mapping[str, str]) -> None:
    """No page can make a browser send one."""
    assert (await alice.client.post("/graphql", json=WHOAMI, headers=headers)).json() == {"data": {"viewer": {"name": "alice"}}}
    assert (await alice.client.put("/upload/alice/ball.toy", content=BALL, headers=headers)).status_code == 201


def remembered(person: Person) -> Mapping[str, str]:
    """What a browser sends whose reader has once typed a token at its prompt."""
    return {"Authorization": "Basic " + base64.b64encode(f"__token__:{person.token}".encode()).decode()}


async def test_what_a_browser_remembers_as_basic_publishes_from_own_pages(alice: Person, house: House) -> None:
    browser = house.client(**remembered(alice))
    for number, headers in enumerate(OWN.values()):
        body = build_toy("ball", str(number))
        assert (await browser.put(f"/upload/alice/ball-{number}.toy", content=body, headers=headers)).status_code == 201
        assert (await browser.post("/graphql", json=MAKE, headers=headers)).json()["data"]["result"]["__typename"] == "CreateTokenPayload"


async def test_what_a_browser_remembers_as_basic_does_nothing_for_another_site(alice: Person, house: House) -> None:
    """A browser sends it whoever asks, a form of another site too."""
    await alice.has("car.toy", build_toy("car"), private="true")
    said = remembered(alice)["Authorization"]
    for number, headers in enumerate(FOREIGN.values()):
        browser = house.client(Authorization=said if number % 2 else said.replace("Basic ", " bAsIc   "))
        assert "does not come from a page of this site" in sentence(await browser.put("/upload/alice/ball.toy", content=BALL, headers=headers), 403)
        assert house.answered_unasked
        answer = await browser.post("/graphql", json=MAKE, headers=headers)
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (403, "PERMISSION_DENIED")
        assert (await browser.get("/toy/alice/files/car.toy", headers=headers)).status_code == 200  # which the page that asks cannot read
    assert [row["path"] for row in await fetch("SELECT path FROM file")] == ["car.toy"]
    assert await fetch("SELECT id FROM token WHERE name = 'evil'") == []


@pytest.mark.parametrize(
    "body",
    [
        {"content": b'{"query": "mutation { logout(input: {}) { __typename } }"}', "headers": {"content-type": "text/plain"}},
        {"data": {"query": "mutation { logout(input: {}) { __typename } }"}},
        {"files": {"operations": (None, '{"query": "mutation { logout(input: {}) { __typename } }"}'), "map": (None, "{}")}},
        {"content": b'{"query": "mutation { logout(input: {}) { __typename } }"}'},
        {"content": b'{"query": "x"}', "headers": {"content-type": "text/plain;application/json"}},
    ],
    ids=["text", "form", "multipart", "no type", "two types"],
)
@pytest.mark.parametrize("headers", [{}, {"origin": "http://localhost"}, {"origin": "null"}], ids=["no origin", "own", "null"])
async def test_a_form_cannot_ask_anything(anna: Visitor, body: dict[str, object], headers: dict[str, str]) -> None:
    await anna.logs_in()
    given = body.get("headers", {})
    assert isinstance(given, dict)
    answer = await anna.client.post("/graphql", **{**body, "headers": {**given, **headers}})  # type: ignore[arg-type]  # httpx's own keywords
    assert answer.status_code in (403, 415)
    assert await anna.whoami() == "alice"


async def test_no_other_site_is_told_that_it_may_ask(anna: Visitor) -> None:
    """The preflight that a browser sends before JSON goes to another site."""
    await anna.logs_in()
    headers = {"origin": "https://evil.example", "access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    answer = await anna.client.options("/graphql", headers=headers)
    assert answer.status_code >= 400
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_a_question_in_a_link_is_not_asked_as_the_one_who_is_logged_in(anna: Visitor) -> None:
    await anna.logs_in()
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    asked: list[tuple[dict[str, str], dict[str, str] | None]] = [
        (link, None),
        ({"origin": "https://evil.example"}, None),
        ({}, {"name": "alice"}),
        ({"sec-fetch-site": "none"}, {"name": "alice"}),
    ]
    for headers, viewer in asked:
        answer = await anna.client.get("/graphql", params=WHOAMI, headers=headers)
        assert answer.json() == {"data": {"viewer": viewer}}
        assert answer.headers["cache-control"] == "no-store"


async def test_a_link_to_the_page_of_the_api_works_for_who_is_logged_in(anna: Visitor) -> None:
    await anna.logs_in()
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "accept": "text/html"}
    assert (await anna.client.get("/graphql", headers=headers)).status_code == 200


READING = [
    ({}, 200),
    ({"sec-fetch-site": "same-origin", "sec-fetch-mode": "no-cors"}, 200),
    ({"sec-fetch-site": "none", "sec-fetch-mode": "navigate"}, 200),
    ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, 200),
    ({"sec-fetch-site": "same-site", "sec-fetch-mode": "navigate"}, 200),
    ({"origin": "http://localhost"}, 200),
    ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}, 404),
    ({"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"}, 404),
    ({"sec-fetch-site": "same-site", "sec-fetch-mode": "cors", "origin": "http://files.localhost"}, 404),
    ({"sec-fetch-site": "same-site"}, 404),
    ({"sec-fetch-mode": "navigate", "origin": "https://evil.example"}, 404),
    ({"origin": "https://evil.example"}, 404),
    ({"origin": "null"}, 404),
]


@pytest.mark.parametrize(("headers", "status"), READING, ids=[" ".join(headers.values()) or "none" for headers, _ in READING])
async def test_a_private_file_is_loaded_by_own_pages_and_links_alone(alice: Person, anna: Visitor, headers: Mapping[str, str], status: int) -> None:
    await alice.has("ball.toy", build_toy("ball"), private="true")
    await anna.logs_in()
    for method in ("GET", "HEAD"):
        answer = await anna.client.request(method, "/toy/alice/files/ball.toy", headers=headers)
        assert answer.status_code == status
        assert "access-control-allow-origin" not in answer.headers
    assert bool((await anna.client.get("/toy/alice/listing", headers=headers)).text) is (status == 200)


async def test_no_plugins_route_takes_the_cookie_for_anything_but_reading(alice: Person, anna: Visitor) -> None:
    await anna.logs_in()
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        for url in ("/toy/alice/listing", "/toy/alice/legacy/", "/upload/alice/x.toy"):
            assert (await anna.client.request(method, url, content=b"x")).status_code in (401, 404, 405)


# -- the cookie itself ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("public_url", "name", "path"),
    [
        ("", "entrepot_session", "/"),
        ("http://depot.example", "entrepot_session", "/"),
        ("http://depot.example/packages", "entrepot_session", "/packages"),
        ("https://depot.example", "__Host-entrepot_session", "/"),
        ("https://depot.example/packages", "__Secure-entrepot_session", "/packages"),
    ],
)
async def test_the_cookie_says_what_protects_it(tmp_path: Path, ground: Ground, public_url: str, name: str, path: str) -> None:
    async with open_house(ground.data(tmp_path / "data"), Registry.of({"toy": ToyPlugin()}), public_url=public_url) as house:
        await house.person("alice")
        await set_password(name="alice", password=PASSWORD)
        house.address = house.address.removesuffix("/packages")  # which the proxy in front takes away
        one = visitor(house)
        query = {"query": mutation("login"), "variables": {"input": {"name": "alice", "password": PASSWORD}}}
        answer = await one.client.post("/graphql", json=query)
        cookie, *attributes = answer.headers["set-cookie"].split("; ")
        assert cookie.startswith(f"{name}=ent-")
        [age] = [attribute for attribute in attributes if attribute.startswith("Max-Age=")]
        assert 7_775_900 < int(age.partition("=")[2]) <= 90 * 86_400
        expected = {"HttpOnly", age, f"Path={path}", "SameSite=lax"} | ({"Secure"} if public_url.startswith("https") else set())
        assert set(attributes) == expected
        again = house.client(cookie=cookie)
        assert (await again.post("/graphql", json=WHOAMI)).json() == {"data": {"viewer": {"name": "alice"}}}
        if public_url.startswith("https"):  # what came by plain HTTP, or from a sibling, is not taken
            planted = house.client(cookie=cookie.removeprefix("__Host-").removeprefix("__Secure-"))
            assert (await planted.post("/graphql", json=WHOAMI)).json() == {"data": {"viewer": None}}
        out = await again.post("/graphql", json={"query": "mutation { logout(input: {}) { __typename } }"})
        gone, *attributes = out.headers["set-cookie"].split("; ")
        assert gone in (f'{name}=""', f"{name}=")
        assert {"Max-Age=0", f"Path={path}"} <= set(attributes)


@pytest.fixture
async def behind(tmp_path: Path, ground: Ground) -> AsyncIterator[House]:
    """A house that trusts a proxy on this machine, and whose public URL nobody has set."""
    async with open_house(ground.data(tmp_path / "behind"), Registry.of({"toy": ToyPlugin()}), trusted_proxies=["127.0.0.1"]) as house:
        await house.person("alice")
        await set_password(name="alice", password=PASSWORD)
        yield house


async def test_a_trusted_proxys_https_makes_the_cookie_secure_and_the_origin_ours(behind: House) -> None:
    proxied = {"x_forwarded_for": "198.51.100.7", "x_forwarded_proto": "https", "x_forwarded_host": "depot.example"}
    one = visitor(behind, **proxied)
    query = {"query": mutation("login"), "variables": {"input": {"name": "alice", "password": PASSWORD}}}
    answer = await one.client.post("/graphql", json=query, headers={"origin": "https://depot.example"})
    cookie, *attributes = answer.headers["set-cookie"].split("; ")
    assert cookie.startswith("__Host-entrepot_session=")
    assert "Secure" in attributes
    asks = behind.client(cookie=cookie, **proxied)
    for origin, status in (("https://depot.example", 200), ("http://depot.example", 403), ("http://localhost", 403)):
        assert (await asks.post("/graphql", json=WHOAMI, headers={"origin": origin})).status_code == status
    [row] = await fetch("SELECT address FROM session")
    assert row["address"] == "198.51.100.7"


@pytest.mark.parametrize(
    "cookie",
    [
        "entrepot_session",
        "entrepot_session=",
        "entrepot_session=;",
        ";;;=;=x",
        "entrepot_session=\xff\xfe",
        "entrepot_session=a=b",
        "entrepot_session=" + "x" * 8000,
        'entrepot_session="ent-{secret}"',
        "Entrepot_Session=ent-{secret}",
        "xentrepot_session=ent-{secret}",
        "entrepot_session=ent-{secret}; entrepot_session=ent-other",
        "entrepot_session=ent-other; entrepot_session=ent-{secret}",
        "__Host-entrepot_session=ent-{secret}",
        "entrepot_session=ent-{secret}x",
        "entrepot_session=ENT-{secret}",
        "$Version=1; entrepot_session,ent-{secret}",
    ],
)
async def test_a_cookie_that_is_none_is_nobodys_and_no_error(house: House, anna: Visitor, cookie: str) -> None:
    await anna.logs_in()
    header = {b"cookie": cookie.replace("ent-{secret}", anna.secret).replace("ENT-{secret}", anna.secret.upper()).encode("latin-1")}
    assert (await house.anyone.post("/graphql", json=WHOAMI, headers=header)).json() == {"data": {"viewer": None}}
    assert (await house.anyone.get("/toy/alice/listing", headers=header)).status_code == 200


@pytest.mark.parametrize("cookie", ["a=b; entrepot_session={secret}; c=d", "entrepot_session={secret}", "  entrepot_session = {secret} ;"])
async def test_the_cookie_is_found_among_others(house: House, anna: Visitor, cookie: str) -> None:
    await anna.logs_in()
    answer = await house.client(cookie=cookie.replace("{secret}", anna.secret)).post("/graphql", json=WHOAMI)
    assert answer.json() == {"data": {"viewer": {"name": "alice"}}}


async def test_caches_that_keep_index_documents_tell_readers_apart_by_the_cookie(tmp_path: Path, ground: Ground) -> None:
    async with open_house(ground.data(tmp_path / "data"), Registry.of({"toy": ToyPlugin()}), index_max_age=60) as house:
        alice = await house.person("alice")
        await set_password(name="alice", password=PASSWORD)
        await alice.has("ball.toy", build_toy("ball"), private="true")
        one = visitor(house)
        await one.logs_in()
        mine, public = [await client.get("/toy/alice/listing") for client in (one.client, house.anyone)]
        assert (mine.headers["cache-control"], public.headers["cache-control"]) == ("private, max-age=60", "public, max-age=60")
        assert all("Cookie" in answer.headers["vary"].split(", ") for answer in (mine, public))


async def test_a_session_opens_a_site_that_is_closed_to_strangers(tmp_path: Path, ground: Ground) -> None:
    async with open_house(ground.data(tmp_path / "data"), Registry.of({"toy": ToyPlugin()}), anonymous_read=False) as house:
        alice = await house.person("alice")
        await set_password(name="alice", password=PASSWORD)
        await alice.has("ball.toy", build_toy("ball"))
        one = visitor(house)
        sentence(await one.client.get("/toy/alice/files/ball.toy"), 401)
        await one.logs_in()
        answer = await one.client.get("/toy/alice/files/ball.toy")
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "private, max-age=31536000, immutable")


async def test_a_page_in_a_frame_of_a_sibling_reads_nothing(alice: Person, anna: Visitor) -> None:
    """A frame is a navigation; what it shows may not be framed."""
    await alice.has("ball.toy", build_toy("ball"), private="true")
    await anna.logs_in()
    headers = {"sec-fetch-site": "same-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}
    listing = await anna.client.get("/toy/alice/listing", headers=headers)
    assert "frame-ancestors 'none'" in listing.headers["content-security-policy"]
    file = await anna.client.get("/toy/alice/files/ball.toy", headers=headers)
    assert file.headers["content-disposition"].startswith("attachment")
