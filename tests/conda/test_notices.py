"""`createNotice` and `deleteNotice`, and what conda reads of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from changes import change, done, events, look, refused
from entrepot.clock import now
from entrepot.db.sql import execute, fetch
from entrepot.registry import Registry
from ground import Ground
from house import House, Person, open_house, sentence

URL = "/conda/alice/notices.json"
NOTICES = '{ namespace(name: "alice") { notices { id level message createdAt expiresAt namespace { name } } } }'


def said(message: str, *, level: str = "INFO", days: float = 1) -> dict[str, Any]:
    return {"namespace": "Alice", "message": message, "level": level, "expiresAt": (datetime.now(UTC) + timedelta(days=days)).isoformat()}


async def test_a_notice_is_told_to_everybody_until_it_is_deleted_or_expires(depot: House, owner: Person) -> None:
    anyone = depot.anyone
    assert "no notice" in sentence(await anyone.get(URL), 404)
    first = (await done(owner.client, "createNotice", said("  Down on Sunday.\nBack on Monday. "), "notice { id level message }"))["notice"]
    assert (first["level"], first["message"]) == ("INFO", "Down on Sunday.\nBack on Monday.")
    second = (await done(owner.client, "createNotice", said("Update ball now.", level="CRITICAL", days=2), "notice { id }"))["notice"]

    response = await anyone.get(URL)
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["access-control-allow-origin"] == "*"
    told = response.json()["notices"]
    assert [(one["level"], one["message"]) for one in told] == [("critical", "Update ball now."), ("info", "Down on Sunday.\nBack on Monday.")]
    assert datetime.fromisoformat(told[0]["created_at"]) <= datetime.now(UTC) < datetime.fromisoformat(told[0]["expires_at"])
    assert (await depot.client(if_none_match=response.headers["etag"]).get(URL)).status_code == 304
    same = [
        f"/t/{owner.token}{URL}",
        f"/conda/t/{owner.token}/alice/notices.json",
        "/conda/alice/label/dev/notices.json",
        "/conda/ALICE/notices.json",
    ]
    for url in same:
        assert (await anyone.get(url)).content == response.content
    assert (await anyone.head(URL)).headers["content-length"] == str(len(response.content))
    shown = (await look(anyone, NOTICES))["namespace"]["notices"]
    assert [(one["id"], one["level"], one["namespace"]["name"]) for one in shown] == [
        (second["id"], "CRITICAL", "alice"),
        (first["id"], "INFO", "alice"),
    ]
    node = "query ($id: ID!) { node(id: $id) { ... on Notice { message } } }"
    assert (await look(anyone, node, id=second["id"]))["node"] == {"message": "Update ball now."}

    gone = await done(owner.client, "deleteNotice", {"noticeId": second["id"]}, "notice { message }")
    assert gone == {"notice": {"message": "Update ball now."}}
    assert [one["message"] for one in (await anyone.get(URL)).json()["notices"]] == ["Down on Sunday.\nBack on Monday."]
    assert (await refused(owner.client, "deleteNotice", {"noticeId": second["id"]}))[0] == "NotFoundError"
    await execute("UPDATE notice SET expires_at = $1", now())
    assert (await anyone.get(URL)).status_code == 404
    assert (await look(anyone, NOTICES))["namespace"]["notices"] == []
    assert (await look(anyone, node, id=first["id"]))["node"] is None
    await done(owner.client, "createNotice", said("Back."))
    assert len(await fetch("SELECT id FROM notice")) == 1, "what has expired goes"

    [(_, _, details), *_] = made = await events("notice.create")
    assert [(actor, subject) for actor, subject, _ in made] == [("alice", "alice")] * 3
    assert (details["level"], details["message"]) == ("info", "Down on Sunday.\nBack on Monday.")
    assert [details["message"] for _, _, details in await events("notice.delete")] == ["Update ball now."]


async def test_what_should_not_be_written_on_a_terminal_or_for_ever_is_refused(depot: House, owner: Person) -> None:
    for given, field in (
        (said(" \n "), "message"),
        (said("x" * 1001), "message"),
        (said("\x1b[2Jgone"), "message"),
        (said("a\0b"), "message"),
        (said("a\rb"), "message"),
        (said("turned \u202e around"), "message"),
        (said("late", days=-1), "expiresAt"),
        (said("for ever", days=400), "expiresAt"),
        ({**said("far"), "expiresAt": "9999-12-31T23:59:59Z"}, "expiresAt"),
    ):
        answer = await change(owner.client, "createNotice", given)
        assert (answer["__typename"], answer["field"]) == ("ValidationError", field), answer
    assert (await refused(owner.client, "createNotice", {**said("a"), "namespace": "nobody"}))[0] == "NotFoundError"
    bob = await depot.person("bob")
    assert (await refused(bob.client, "createNotice", said("Send me money.")))[0] == "PermissionDeniedError"
    for number in range(20):
        await done(owner.client, "createNotice", said(f"{number}"))
    kind, message = await refused(owner.client, "createNotice", said("one more"))
    assert (kind, message) == ("ConflictError", "alice has 20 notices, which is the most. Delete one that matters less.")
    [row] = await fetch("SELECT uuid FROM notice ORDER BY id LIMIT 1")
    [notice] = [one for one in (await look(bob.client, NOTICES))["namespace"]["notices"] if one["message"] == "0"]
    assert (await refused(bob.client, "deleteNotice", {"noticeId": notice["id"]}))[0] == "PermissionDeniedError"
    assert row["uuid"] in {one["uuid"] for one in await fetch("SELECT uuid FROM notice")}
    assert len((await depot.anyone.get(URL)).json()["notices"]) == 20
    assert (await depot.anyone.get("/conda/nobody/notices.json")).status_code == 404


async def test_on_a_closed_site_a_notice_takes_a_token_that_may_read(tmp_path: Path, ground: Ground) -> None:
    async with open_house(ground.data(tmp_path / "closed"), Registry.built_in(), anonymous_read=False) as house:
        alice = await house.person("alice")
        await done(alice.client, "createNotice", said("For us."))
        assert (await house.anyone.get(URL)).status_code == 401
        answer = await house.anyone.get(f"/t/{alice.token}{URL}")
        assert answer.json()["notices"][0]["message"] == "For us."
        assert answer.headers["cache-control"].startswith("private")
        assert "access-control-allow-origin" not in answer.headers
        async with await alice.scoped("pypi") as other:
            assert (await other.get(URL)).status_code == 403


@pytest.mark.parametrize("ground", ["folder"], indirect=True)
async def test_notices_go_with_their_organization(depot: House, owner: Person) -> None:
    made = await done(owner.client, "createOrganization", {"name": "acme"}, "organization { id }")
    await done(owner.client, "createNotice", {**said("Hello."), "namespace": "acme"})
    assert (await depot.anyone.get("/conda/acme/notices.json")).status_code == 200
    await done(owner.client, "deleteOrganization", {"organizationId": made["organization"]["id"], "confirmation": "acme"})
    assert (await depot.anyone.get("/conda/acme/notices.json")).status_code == 404
    assert await fetch("SELECT id FROM notice") == []
