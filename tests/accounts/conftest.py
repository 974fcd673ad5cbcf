"""People who log in, with a browser or a program that keeps cookies."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher, _password_hasher
from changes import ask, mutation
from entrepot.db.sql import execute, fetch
from entrepot.services import passwords
from entrepot.services.users import set_password
from house import House, Person

PASSWORD = "correct horse battery"


@dataclass
class Visitor:
    """Somebody with a cookie jar."""

    client: httpx.AsyncClient
    name: str = ""

    async def result(self, name: str, wanted: str = "__typename", /, **input: Any) -> dict[str, Any]:
        """What a mutation answers, payload or typed error."""
        answer = await ask(self.client, mutation(name, wanted), input=input)
        assert "errors" not in answer, answer
        found: dict[str, Any] = answer["data"]["result"]
        return found

    async def logs_in(self, name: str = "", password: str = PASSWORD) -> None:
        """Log in, which must work."""
        result = await self.result("login", "viewer { name }", name=name or self.name, password=password)
        assert result == {"__typename": "LoginPayload", "viewer": {"name": self.name}}, result

    async def guesses(self, password: str, name: str = "") -> str:
        """Try a password; answers the type of what comes of it."""
        result = await self.result("login", name=name or self.name, password=password)
        return str(result["__typename"])

    async def whoami(self) -> str | None:
        """Who the site takes the visitor for."""
        answer = await ask(self.client, "{ viewer { name } }")
        assert "errors" not in answer, answer
        viewer: Mapping[str, str] | None = answer["data"]["viewer"]
        return viewer["name"] if viewer else None

    @property
    def secret(self) -> str:
        """The secret in the session cookie; empty without one."""
        return self.client.cookies.get("entrepot_session") or ""

    async def seen(self) -> list[dict[str, Any]]:
        """The own sessions, as they are shown."""
        answer = await ask(self.client, "{ viewer { sessions { id agent current } } }")
        found: list[dict[str, Any]] = answer["data"]["viewer"]["sessions"]
        return found

    def again(self, house: House) -> Visitor:
        """Somebody else who has copied the cookies."""
        copy = Visitor(house.anyone, self.name)
        for cookie in self.client.cookies.jar:
            copy.client.cookies.jar.set_cookie(cookie)
        return copy


def visitor(house: House, name: str = "alice", **headers: str) -> Visitor:
    """Somebody who has just come."""
    return Visitor(house.client(**headers), name)


@pytest.fixture(scope="module", autouse=True)
def quick_hashes() -> Iterator[None]:
    """argon2id with little work: what a hash costs is for tests/services to look at, and would be half of the time of this folder."""
    quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "hasher", quick)
        patch.setattr(passwords, "_nobodys", quick.hash(secrets.token_hex()))
        yield


@pytest.fixture
async def anna(house: House, alice: Person) -> Visitor:
    """Alice with a password and a browser, not logged in."""
    await set_password(name="alice", password=PASSWORD)
    return visitor(house)


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What argon2 has worked on since: `hash` or `verify`, for each time."""
    done: list[str] = []

    def counted(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def count(*arguments: Any, **named: Any) -> Any:
            done.append(name)
            return work(*arguments, **named)

        return count

    for name, function in (("hash", "hash_secret"), ("verify", "verify_secret")):
        monkeypatch.setattr(_password_hasher, function, counted(name, getattr(_password_hasher, function)))
    return done


async def passes(hours: float) -> None:
    """Let time pass for sessions and for what is counted."""
    span = round(hours * 3_600_000)
    await execute("UPDATE login_failure SET last_at = last_at - $1", span)
    moments = ("created_at", "used_at", "expires_at", "given_at", "rotated_at")
    await execute(f"UPDATE session SET {', '.join(f'{moment} = {moment} - $1' for moment in moments)}", span)


async def told(action: str) -> list[tuple[str, str, str]]:
    """Who did it, to what, from where, as the audit log has it."""
    rows = await fetch("SELECT actor, subject, address FROM audit_event WHERE action = $1 ORDER BY id", action)
    return [(row["actor"], row["subject"], row["address"]) for row in rows]
