"""`entrepot token list|revoke` and `entrepot user list|disable|enable`: what they print, and what running servers make of it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from entrepot_process import Running

if TYPE_CHECKING:
    from .conftest import Entrepot, Serve

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
TIME = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"


def listed(entrepot: Entrepot, *arguments: object) -> list[dict[str, Any]]:
    """What a command prints as JSON, and nothing else."""
    done = entrepot(*arguments, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def answers(server: Running, token: str) -> set[int]:
    """What each of many new connections, which any worker may take, is answered."""
    headers = {"Authorization": f"Bearer {token}", "Connection": "close"}
    with httpx.Client(base_url=server.url, headers=headers) as client:
        return {client.get("/conda/alice/noarch/repodata.json").status_code for _ in range(30)}


def test_tokens_are_a_table_for_people_and_json_for_scripts(entrepot: Entrepot, with_alice: Path, token: str) -> None:
    entrepot(
        "token", "create", "alice", "--name", "[red]ci", "--scope", "repos", "--scope", "api:read", "--expires-in", "never", "--data", with_alice
    )
    done = entrepot("token", "list", "alice", "--data", with_alice)
    assert (done.returncode, done.stderr) == (0, "")
    head, newer, older = done.stdout.splitlines()
    assert head.split() == ["id", "name", "scopes", "package", "created", "last", "used", "expires", "state"]
    assert re.fullmatch(rf"{UUID}  \[red\]ci  repos api:read  any  +[-\d]+ [:\d]+ UTC  never      never +valid *", newer)
    assert re.fullmatch(rf"{UUID}  laptop   all +any +[-\d]+ [:\d]+ UTC  never      [-\d]+ [:\d]+ UTC  valid *", older)
    assert token not in done.stdout
    second, first = listed(entrepot, "token", "list", "Alice", "--data", with_alice)
    assert (second["name"], second["scopes"], second["expires_at"], second["last_used_at"]) == ("[red]ci", ["repos", "api:read"], None, None)
    assert set(first) == {"id", "name", "scopes", "package", "created_at", "last_used_at", "expires_at", "revoked_at"}
    assert re.fullmatch(TIME, first["created_at"])
    assert re.fullmatch(TIME, first["expires_at"])
    assert first["revoked_at"] is None


def test_a_token_is_revoked_by_its_id(entrepot: Entrepot, with_alice: Path) -> None:
    [token] = listed(entrepot, "token", "list", "alice", "--data", with_alice)
    done = entrepot("token", "revoke", "alice", token["id"], "--data", with_alice)
    assert (done.returncode, done.stdout) == (0, "")
    assert re.fullmatch(rf"The token laptop \({token['id']}\) of alice is revoked since [-\d]+ [:\d]+ UTC\.\n", done.stderr)
    [revoked] = listed(entrepot, "token", "list", "alice", "--data", with_alice)
    assert re.fullmatch(TIME, revoked["revoked_at"])
    again = entrepot("token", "revoke", "alice", token["id"], "--data", with_alice)
    assert (again.returncode, again.stderr) == (0, done.stderr)
    assert re.search(r"revoked [-\d]+ [:\d]+ UTC", entrepot("token", "list", "alice", "--data", with_alice).stdout)


def test_a_name_that_two_tokens_have_is_refused_with_their_ids(entrepot: Entrepot, with_alice: Path) -> None:
    entrepot("token", "create", "alice", "--name", "laptop", "--data", with_alice)
    ids = [token["id"] for token in listed(entrepot, "token", "list", "alice", "--data", with_alice)]
    done = entrepot("token", "revoke", "alice", "--name", "laptop", "--data", with_alice)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"alice has 2 tokens of the name 'laptop'. Say which one by its id: {', '.join(ids)}.\n"
    assert entrepot("token", "revoke", "alice", ids[0], "--data", with_alice).returncode == 0
    assert entrepot("token", "revoke", "alice", "--name", "laptop", "--data", with_alice).returncode == 0  # only one of them is left
    assert all(token["revoked_at"] for token in listed(entrepot, "token", "list", "alice", "--data", with_alice))


def test_what_names_no_token_is_refused(entrepot: Entrepot, with_alice: Path) -> None:
    done = entrepot("token", "revoke", "alice", "4f3c", "--data", with_alice)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "alice has no token with the id 4f3c.\n")


def test_a_token_is_named_in_one_way(entrepot: Entrepot) -> None:
    for arguments in ([], ["4f3c", "--name", "laptop"]):
        done = entrepot("token", "revoke", "alice", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert "either its id, or its name" in done.stderr


def test_users_are_listed_for_people_and_for_scripts(entrepot: Entrepot, with_alice: Path) -> None:
    entrepot("user", "create", "Bob", "--admin", "--password-stdin", "--data", with_alice, stdin="correct horse\n")
    entrepot("user", "disable", "alice", "--data", with_alice)
    done = entrepot("user", "list", "--data", with_alice)
    head, alice, bob = done.stdout.splitlines()
    assert head.split() == ["name", "administrator", "password", "created", "disabled"]
    assert re.fullmatch(r"alice +[-\d]+ [:\d]+ UTC  [-\d]+ [:\d]+ UTC *", alice)
    assert re.fullmatch(r"Bob +yes +yes +[-\d]+ [:\d]+ UTC *", bob)
    first, second = listed(entrepot, "user", "list", "--data", with_alice)
    assert (second["name"], second["admin"], second["password"], second["disabled_at"]) == ("Bob", True, True, None)
    assert re.fullmatch(TIME, first["disabled_at"])
    assert set(first) == {"name", "admin", "password", "created_at", "disabled_at"}


def test_disabling_whom_nobody_knows_is_a_sentence(entrepot: Entrepot, with_alice: Path) -> None:
    done = entrepot("user", "disable", "bob", "--data", with_alice)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "There is no user bob.\n")


def said(done: subprocess.CompletedProcess[str]) -> str:
    assert (done.returncode, done.stdout) == (0, "")
    return done.stderr


def test_a_disabled_users_tokens_stop_at_once_in_every_worker(entrepot: Entrepot, serve: Serve, with_alice: Path, token: str) -> None:
    server = serve("--workers", 2)
    assert answers(server, token) == {200}
    assert said(entrepot("user", "disable", "alice", "--data", with_alice)) == "alice is disabled. Every token of alice has stopped.\n"
    assert answers(server, token) == {401}
    assert said(entrepot("user", "disable", "alice", "--data", with_alice)) == "alice was disabled already; nothing changed.\n"
    assert said(entrepot("user", "enable", "alice", "--data", with_alice)) == "alice is enabled.\n"
    assert answers(server, token) == {200}
    assert said(entrepot("user", "enable", "alice", "--data", with_alice)) == "alice was not disabled; nothing changed.\n"


def test_a_revoked_token_stops_at_once_in_every_worker_and_others_go_on(entrepot: Entrepot, serve: Serve, with_alice: Path, token: str) -> None:
    other = entrepot("token", "create", "alice", "--name", "ci", "--data", with_alice).stdout.strip()
    server = serve("--workers", 2)
    assert answers(server, token) == answers(server, other) == {200}
    entrepot("token", "revoke", "alice", "--name", "laptop", "--data", with_alice)
    assert answers(server, token) == {401}
    assert answers(server, other) == {200}


PASSWORD = "correct horse battery"
LOGIN = 'mutation ($p: String!) { login(input: {name: "alice", password: $p}) { __typename } }'


def login(server: Running, password: str = PASSWORD) -> httpx.Cookies | None:
    """Log in; answers the cookies of the session."""
    answer = httpx.post(f"{server.url}/graphql", json={"query": LOGIN, "variables": {"p": password}})
    result = answer.json()["data"]["login"]["__typename"]
    assert (result == "LoginPayload") == ("entrepot_session" in answer.cookies)
    return answer.cookies if result == "LoginPayload" else None


def viewers(server: Running, cookies: httpx.Cookies | None) -> set[str | None]:
    """For whom many new connections, which any worker may take, take the one with the cookies."""
    with httpx.Client(base_url=server.url, headers={"Connection": "close"}, cookies=cookies) as client:
        found = [client.post("/graphql", json={"query": "{ viewer { name } }"}).json()["data"]["viewer"] for _ in range(30)]
    return {viewer and viewer["name"] for viewer in found}


def test_a_password_is_set_and_ends_all_sessions_in_every_worker(entrepot: Entrepot, serve: Serve, with_alice: Path, token: str) -> None:
    def set_password(password: str) -> str:
        return said(entrepot("user", "password", "Alice", "--password-stdin", "--data", with_alice, stdin=f"{password}\n"))

    server = serve("--workers", 2)
    assert login(server) is None
    assert set_password(PASSWORD) == "Alice has a new password. Sessions that have ended: 0.\n"
    first, second = login(server), login(server)
    assert viewers(server, first) == viewers(server, second) == {"alice"}
    assert set_password("another horse") == "Alice has a new password. Sessions that have ended: 2.\n"
    assert viewers(server, first) == viewers(server, second) == {None}
    assert login(server) is None
    assert viewers(server, login(server, "another horse")) == {"alice"}
    assert answers(server, token) == {200}


def test_a_disabled_users_sessions_stop_at_once_in_every_worker(entrepot: Entrepot, serve: Serve, with_alice: Path) -> None:
    entrepot("user", "password", "alice", "--password-stdin", "--data", with_alice, stdin=f"{PASSWORD}\n")
    server = serve("--workers", 2)
    cookies = login(server)
    assert viewers(server, cookies) == {"alice"}
    entrepot("user", "disable", "alice", "--data", with_alice)
    assert viewers(server, cookies) == {None}
    assert login(server) is None
    entrepot("user", "enable", "alice", "--data", with_alice)
    assert viewers(server, cookies) == {None}
    assert viewers(server, login(server)) == {"alice"}


def test_guesses_are_counted_by_all_workers_together_and_through_a_restart(entrepot: Entrepot, serve: Serve, with_alice: Path) -> None:
    entrepot("user", "password", "alice", "--password-stdin", "--data", with_alice, stdin=f"{PASSWORD}\n")

    def guesses(server: Running, count: int) -> list[str]:
        """What comes of wrong passwords, over a new connection each."""
        question = {"query": LOGIN, "variables": {"p": "wrong"}}
        asked = (httpx.post(f"{server.url}/graphql", json=question, headers={"Connection": "close"}) for _ in range(count))
        return [answer.json()["data"]["login"]["__typename"] for answer in asked]

    server = serve("--workers", 2)
    assert guesses(server, 3) == ["PermissionDeniedError"] * 3
    server.process.terminate()
    server.process.wait(60)
    assert guesses(serve("--workers", 2), 5) == ["PermissionDeniedError"] * 2 + ["TooManyRequestsError"] * 3


@pytest.mark.parametrize(("password", "why"), [("short", "at least 8 characters"), ("", "no password on standard input"), ("alicealice", "")])
def test_a_password_that_can_be_none_is_refused(entrepot: Entrepot, with_alice: Path, password: str, why: str) -> None:
    done = entrepot("user", "password", "alice", "--password-stdin", "--data", with_alice, stdin=f"{password}\n")
    assert (done.returncode, done.stdout) == (1 if why else 0, "")
    assert why in done.stderr
    assert "alicealice" not in done.stderr


def test_nobody_is_asked_for_a_password_where_there_is_no_terminal(entrepot: Entrepot, with_alice: Path) -> None:
    done = entrepot("user", "password", "alice", "--data", with_alice)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("There is no terminal to ask for the password on.")
    done = entrepot("user", "password", "nobody", "--password-stdin", "--data", with_alice, stdin=f"{PASSWORD}\n")
    assert (done.returncode, done.stderr) == (1, "There is no user nobody.\n")
