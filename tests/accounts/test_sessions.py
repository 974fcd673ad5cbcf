"""Sessions: begun by a password, carried by a cookie, ended in many ways, each at once."""

from __future__ import annotations

import asyncio

import httpx
import orjson
import pytest
from changes import ask, change, done, look, stopped
from entrepot.db.sql import execute, fetch
from entrepot.errors import Unauthenticated
from entrepot.http.authentication import recorded
from entrepot.services import sessions, users
from entrepot.services.actors import Actor
from entrepot.services.collection import collect
from entrepot.services.credentials import confirmed
from entrepot.services.tokens import digest_of
from house import House, Person, sentence
from toy import build_toy, line_of

from .conftest import PASSWORD, Visitor, passes, told, visitor

BALL = build_toy("ball")


async def test_who_logs_in_is_known_by_the_cookie_until_they_log_out(anna: Visitor) -> None:
    assert await anna.whoami() is None
    await anna.logs_in("ALICE")
    assert await anna.whoami() == "alice"
    assert await anna.result("logout", "ended") == {"__typename": "LogoutPayload", "ended": 1}
    assert anna.secret == ""
    assert await anna.whoami() is None
    assert await anna.result("logout", "ended") == {"__typename": "LogoutPayload", "ended": 0}
    assert await told("session.login") == [("alice", "alice", "127.0.0.1")]
    assert await told("session.logout") == [("alice", "alice", "127.0.0.1")]


async def test_a_cookie_that_somebody_kept_opens_nothing_after_the_logout(house: House, anna: Visitor) -> None:
    await anna.logs_in()
    thief = anna.again(house)
    assert await thief.whoami() == "alice"
    await anna.result("logout")
    assert await thief.whoami() is None


async def test_only_the_digest_of_a_session_is_stored(anna: Visitor) -> None:
    await anna.logs_in()
    [row] = await fetch("SELECT * FROM session")
    assert row["digest"] == digest_of(anna.secret)
    everything = [str(dict(row)) for table in ("session", "audit_event", "login_failure") for row in await fetch(f"SELECT * FROM {table}")]
    assert anna.secret not in " ".join(everything)
    assert PASSWORD not in " ".join(everything)


async def test_a_session_reads_what_its_user_may_read(house: House, alice: Person, anna: Visitor) -> None:
    await alice.has("ball.toy", BALL, private="true")
    urls = ["/toy/alice/files/ball.toy", "/toy/alice/page/ball"]
    assert [(await anna.client.get(url)).status_code for url in urls] == [404, 404]
    await anna.logs_in()
    assert [(await anna.client.get(url)).status_code for url in urls] == [200, 200]
    listing = await anna.client.get("/toy/alice/listing")
    assert listing.text == line_of("ball.toy", BALL)
    assert listing.headers["cache-control"] == "private, no-cache"
    assert "access-control-allow-origin" not in listing.headers
    assert (await anna.client.head("/toy/alice/files/ball.toy")).status_code == 200
    assert (await house.anyone.get("/toy/alice/listing")).text == ""


async def test_a_session_acts_through_the_api_and_makes_tokens(house: House, anna: Visitor) -> None:
    await anna.logs_in()
    made = await done(anna.client, "createToken", {"name": "ci", "scopes": ["all"]}, "secret")
    other = house.client(Authorization=f"Bearer {made['secret']}")
    assert (await look(other, "{ viewer { name } }"))["viewer"] == {"name": "alice"}
    await anna.result("logout")
    assert (await look(other, "{ viewer { name } }"))["viewer"] == {"name": "alice"}


@pytest.mark.parametrize(("method", "url"), [("PUT", "/upload/alice/ball.toy"), ("PUT", "/upload/bob/ball.toy")])
async def test_a_session_uploads_nothing(house: House, bob: Person, anna: Visitor, method: str, url: str) -> None:
    await anna.logs_in()
    assert "needs a token" in sentence(await anna.client.request(method, url, content=BALL), 401)
    assert house.answered_unasked
    assert not await fetch("SELECT id FROM file")


async def test_a_credential_in_a_header_wins_over_the_cookie(house: House, bob: Person, anna: Visitor) -> None:
    await anna.logs_in()
    for headers in ({"Authorization": f"Bearer {bob.token}"}, {"X-API-Key": bob.token}):
        answer = await anna.client.post("/graphql", json={"query": "{ viewer { name } }"}, headers=headers)
        assert answer.json() == {"data": {"viewer": {"name": "bob"}}}
    answer = await anna.client.post("/graphql", json={"query": "{ viewer { name } }"}, headers={"Authorization": "Bearer wrong"})
    assert answer.status_code == 401
    assert (await anna.client.get(f"/t/{bob.token}/toy/alice/listing")).status_code == 200
    assert (await anna.client.get("/t/wrong/toy/alice/listing")).status_code == 401


async def test_a_session_that_came_with_a_login_ends_whoever_gave_it_to_the_browser(house: House, bob: Person, anna: Visitor) -> None:
    """Session fixation: the attacker logs in and plants the cookie; what the victim does afterwards must not happen in that session."""
    await users.set_password(name="bob", password="another one")
    attacker = visitor(house, "bob")
    await attacker.logs_in(password="another one")
    planted = attacker.secret
    anna.client.cookies.set("entrepot_session", planted, domain="localhost.local")
    assert await anna.whoami() == "bob"
    await anna.logs_in()
    assert anna.secret != planted
    assert await attacker.whoami() is None
    assert len(await fetch("SELECT id FROM session")) == 1


async def test_a_secret_that_an_attacker_has_made_up_begins_no_session(house: House, anna: Visitor) -> None:
    anna.client.cookies.set("entrepot_session", "ent-" + "x" * 40, domain="localhost.local")
    assert await anna.whoami() is None
    await anna.logs_in()
    assert anna.secret != "ent-" + "x" * 40
    assert await anna.whoami() == "alice"


async def test_each_login_has_a_secret_of_its_own(house: House, anna: Visitor) -> None:
    others = [visitor(house) for _ in range(3)]
    for one in (anna, *others):
        await one.logs_in()
    assert len({one.secret for one in (anna, *others)}) == 4
    await others[0].result("logout")
    assert [await one.whoami() for one in (anna, *others)] == ["alice", None, "alice", "alice"]


async def test_another_password_ends_every_other_session_and_gives_the_own_one_a_new_secret(house: House, alice: Person, anna: Visitor) -> None:
    await anna.logs_in()
    phone, thief = visitor(house), anna.again(house)
    await phone.logs_in()
    before = anna.secret
    result = await anna.result("changePassword", "viewer { name }", oldPassword=PASSWORD, newPassword="another horse")
    assert result == {"__typename": "ChangePasswordPayload", "viewer": {"name": "alice"}}
    assert anna.secret not in ("", before)
    assert [await one.whoami() for one in (anna, phone, thief)] == ["alice", None, None]
    assert (await look(alice.client, "{ viewer { name } }"))["viewer"] == {"name": "alice"}  # tokens go on
    assert await phone.guesses(PASSWORD) == "PermissionDeniedError"
    await phone.logs_in(password="another horse")
    assert [event[:2] for event in await told("password.change")] == [("command line", "alice"), ("alice", "alice")]


async def test_another_password_does_not_lengthen_a_session(anna: Visitor) -> None:
    await anna.logs_in()
    await execute("UPDATE session SET created_at = created_at - 86400000")
    [before] = await fetch("SELECT created_at FROM session")
    await anna.result("changePassword", oldPassword=PASSWORD, newPassword="another horse")
    [after] = await fetch("SELECT created_at FROM session")
    assert before["created_at"] == after["created_at"]


async def test_a_token_changes_the_password_without_getting_a_session(house: House, alice: Person, anna: Visitor) -> None:
    await anna.logs_in()
    other = Visitor(alice.client, "alice")
    result = await other.result("changePassword", oldPassword=PASSWORD, newPassword="another horse")
    assert result["__typename"] == "ChangePasswordPayload"
    assert other.secret == ""
    assert await anna.whoami() is None
    assert await fetch("SELECT id FROM session") == []


async def test_what_is_wrong_with_a_new_password_changes_nothing(house: House, anna: Visitor) -> None:
    await anna.logs_in()
    before = anna.secret
    for old, new, kind in [
        ("wrong", "another horse", "PermissionDeniedError"),
        (PASSWORD, "short", "ValidationError"),
        (PASSWORD, "x" * 1025, "ValidationError"),
        (PASSWORD, "", "ValidationError"),
    ]:
        assert (await anna.result("changePassword", oldPassword=old, newPassword=new))["__typename"] == kind
    assert anna.secret == before
    assert await anna.whoami() == "alice"
    await visitor(house).logs_in()


async def test_all_sessions_end_with_one_logout(house: House, bob: Person, anna: Visitor) -> None:
    phone = visitor(house)
    await phone.logs_in()
    await anna.logs_in()
    await users.set_password(name="bob", password=PASSWORD)
    other = visitor(house, "bob")
    await other.logs_in()
    assert await anna.result("logout", "ended", everywhere=True) == {"__typename": "LogoutPayload", "ended": 2}
    assert [await one.whoami() for one in (anna, phone, other)] == [None, None, "bob"]


async def test_nobody_ends_the_sessions_of_others(house: House, bob: Person, anna: Visitor) -> None:
    await anna.logs_in()
    stranger = Visitor(house.anyone)
    answer = await stranger.result("logout", everywhere=True)
    assert answer["__typename"] == "PermissionDeniedError"
    narrow = Visitor(await bob.scoped("api:read"))
    assert (await narrow.result("logout", everywhere=True))["__typename"] == "PermissionDeniedError"
    assert await Visitor(bob.client).result("logout", "ended", everywhere=True) == {"__typename": "LogoutPayload", "ended": 0}
    assert await anna.whoami() == "alice"


async def test_one_session_of_several_is_ended_by_its_id(house: House, anna: Visitor) -> None:
    phone = visitor(house, user_agent="Phone/1")
    await phone.logs_in()
    await anna.logs_in()
    [lost] = [one["id"] for one in await anna.seen() if not one["current"]]
    assert await anna.result("endSession", "current", sessionId=lost) == {"__typename": "EndSessionPayload", "current": False}
    assert [await one.whoami() for one in (anna, phone)] == ["alice", None]
    assert (await anna.result("endSession", sessionId=lost))["__typename"] == "NotFoundError"
    [row] = await fetch("SELECT actor, subject, details FROM audit_event WHERE action = 'session.logout'")
    assert (row["actor"], row["subject"], orjson.loads(row["details"])) == ("alice", "alice", {"session": lost})
    [own] = await anna.seen()
    assert await anna.result("endSession", "current", sessionId=own["id"]) == {"__typename": "EndSessionPayload", "current": True}
    assert anna.secret == ""
    assert await fetch("SELECT id FROM session") == []


async def test_nobody_ends_a_session_of_somebody_else_nor_learns_of_it(house: House, bob: Person, anna: Visitor) -> None:
    await anna.logs_in()
    [own] = await anna.seen()
    root = await house.person("root", admin=True)
    for client in (bob.client, root.client):
        for id in (own["id"], "nonsense", "", "x" * 5000):
            result = await change(client, "endSession", {"sessionId": id})
            assert result["__typename"] == "NotFoundError"
            assert "You have no session with this id" in result["message"]
        assert (await change(client, "endSession", {"sessionId": "\0"}))["__typename"] in ("NotFoundError", "ValidationError")
    assert await stopped(await bob.scoped("api:read"), "endSession", {"sessionId": own["id"]}) == "PERMISSION_DENIED"
    assert await stopped(house.anyone, "endSession", {"sessionId": own["id"]}) == "UNAUTHENTICATED"
    assert await anna.whoami() == "alice"


async def test_a_session_that_nobody_uses_ends_after_two_weeks(anna: Visitor) -> None:
    await anna.logs_in()
    await passes(14 * 24 - 1)
    assert await anna.whoami() == "alice"
    await recorded()
    await passes(14 * 24 - 1)  # it was used: two more weeks
    assert await anna.whoami() == "alice"
    await recorded()
    await passes(14 * 24 + 1)
    assert await anna.whoami() is None


async def test_a_session_that_is_used_daily_ends_after_ninety_days(anna: Visitor) -> None:
    await anna.logs_in()
    for _ in range(9):
        await passes(9.9 * 24)
        assert await anna.whoami() == "alice"
        await recorded()
    await passes(24)
    assert await anna.whoami() is None


async def test_the_use_of_a_session_is_recorded_once_an_hour_and_never_by_more_than_one_write(anna: Visitor) -> None:
    await anna.logs_in()
    await passes(2)
    [before] = await fetch("SELECT used_at FROM session")
    await asyncio.gather(*(anna.client.get("/toy/alice/listing") for _ in range(20)))
    await recorded()
    [after] = await fetch("SELECT used_at FROM session")
    assert after["used_at"] > before["used_at"]
    await anna.whoami()
    await recorded()
    assert await fetch("SELECT used_at FROM session") == [after]


async def test_expired_sessions_and_forgotten_counts_are_collected(house: House, anna: Visitor) -> None:
    await anna.logs_in()
    other = visitor(house, "nobody")
    await other.guesses("wrong")
    storage = house.site.storage
    assert (await collect(storage)).sessions == 0
    await passes(15 * 24)
    planned = await collect(storage, dry_run=True)
    assert (planned.sessions, planned.throttles) == (1, 2)  # the count of `nobody`, and the address's
    assert len(await fetch("SELECT id FROM session")) == 1
    found = await collect(storage)
    assert (found.sessions, found.throttles) == (1, 2)
    assert await fetch("SELECT id FROM session") == []
    assert len(await fetch("SELECT key FROM login_failure")) == 1  # a place from where alice has logged in
    await passes(80 * 24)
    assert (await collect(storage)).throttles == 1


async def test_a_disabled_user_is_logged_out_at_once_and_cannot_come_back(house: House, anna: Visitor) -> None:
    await anna.logs_in()
    await users.set_disabled(name="alice", disabled=True)
    assert await anna.whoami() is None
    assert await anna.guesses(PASSWORD) == "PermissionDeniedError"
    await users.set_disabled(name="alice", disabled=False)
    assert await anna.whoami() is None  # tokens come back, sessions do not
    await anna.logs_in()


async def test_a_password_that_an_operator_sets_ends_all_sessions(anna: Visitor) -> None:
    await anna.logs_in()
    assert await users.set_password(name="Alice", password="another horse") == 1
    assert await anna.whoami() is None


async def test_a_user_has_a_hundred_sessions_and_the_one_not_used_for_longest_goes(house: House, bob: Person, anna: Visitor) -> None:
    await anna.logs_in()
    [row] = await fetch("SELECT user_id FROM session")
    await passes(1)
    await sessions.begin(user_id=bob.actor.namespace_id or 0, address="", agent="")
    for _ in range(99):
        await sessions.begin(user_id=row["user_id"], address="", agent="")
    assert await anna.again(house).whoami() == "alice"
    await recorded()
    await passes(1)
    await visitor(house).logs_in()
    assert await anna.whoami() == "alice"  # which was used just now
    assert len(await fetch("SELECT id FROM session WHERE user_id = $1", row["user_id"])) == 100
    assert len(await fetch("SELECT id FROM session")) == 101


async def test_the_viewer_sees_the_own_sessions_and_nobody_elses(house: House, alice: Person, bob: Person, anna: Visitor) -> None:
    phone = visitor(house, user_agent="Phone/1\x7f")
    await phone.logs_in()
    await anna.logs_in()
    query = "{ viewer { sessions { id createdAt usedAt expiresAt address agent current } } }"
    found = (await look(anna.client, query))["viewer"]["sessions"]
    assert sorted((one["agent"].partition("/")[0], one["current"], one["address"]) for one in found) == [
        ("Phone", False, "127.0.0.1"),
        ("python-httpx", True, "127.0.0.1"),
    ]
    others = 'query { namespace(name: "alice") { ... on User { sessions { id } } } }'
    for client in (bob.client, house.anyone, (await house.person("root", admin=True)).client):
        assert (await look(client, others))["namespace"] == {"sessions": None}
    assert len((await look(alice.client, others))["namespace"]["sessions"]) == 2


async def test_a_one_time_upload_dies_with_the_session_that_made_it(house: House, anna: Visitor) -> None:
    await anna.logs_in()
    wish = {"namespace": "alice", "basename": "ball.toy", "package": "ball", "type": "toy"}
    used, late = [(await done(anna.client, "createUpload", wish, "url"))["url"] for _ in range(2)]
    assert (await house.anyone.put(httpx.URL(used).path, content=BALL)).status_code == 201
    await anna.result("logout")
    assert (await house.anyone.put(httpx.URL(late).path, content=build_toy("ball", filling=b"more"))).status_code == 404


async def test_nothing_begins_to_write_once_the_end_of_its_session_is_answered(house: House, anna: Visitor) -> None:
    """Each transaction that writes asks again whether the credential stands: the request may have come before."""
    await anna.logs_in()
    [row] = await fetch("SELECT id, user_id FROM session")
    early = Actor(name="alice", namespace_id=row["user_id"], session_id=row["id"], scopes=frozenset({"all"}))
    assert (await confirmed(early)).name == "alice"
    thief = anna.again(house)
    wishes = [thief.client.post("/graphql", json={"query": MAKE, "variables": {"n": f"t{number}"}}) for number in range(6)]
    await asyncio.gather(anna.result("changePassword", oldPassword=PASSWORD, newPassword="another horse"), *wishes)
    with pytest.raises(Unauthenticated, match="has ended meanwhile"):
        await confirmed(early)
    answer = await ask(thief.client, MAKE, n="late")
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert await fetch("SELECT id FROM token WHERE name = 'late'") == []


MAKE = 'mutation ($n: String!) { createToken(input: {name: $n, scopes: ["all"]}) { __typename } }'


async def test_sessions_in_the_service_are_listed_newest_use_first(house: House, anna: Visitor) -> None:
    for _ in range(3):
        await visitor(house).logs_in()
        await passes(1)
    await anna.logs_in()
    [row] = await fetch("SELECT id FROM namespace WHERE name_key = 'alice'")
    listed = await sessions.list_sessions(house.people["alice"].actor)
    assert [one.used_at for one in listed] == sorted((one.used_at for one in listed), reverse=True)
    assert len(listed) == 4
    assert row["id"] == house.people["alice"].actor.namespace_id
