"""One running server with people on it, and real clients."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from ground import Ground
from installed_server import Server, serving
from real_client import Client

numbers = count(1)
PASSWORD = "correct horse battery"


@dataclass
class Someone:
    """A person at a keyboard."""

    name: str
    server: Server
    secret: str
    browser: httpx.Client | None = None
    """Who has one has logged in, and sends the session's cookie in place of the token."""

    def token(self, *scopes: str) -> str:
        """Another token."""
        return self.server.token(*scopes, user=self.name)

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """A request with the token that is good for all, or with the session of who has logged in."""
        if self.browser is not None:
            return self.browser.request(method, path, **more)
        return httpx.request(method, self.server.url + path, headers={"Authorization": f"Bearer {self.secret}"}, timeout=60, **more)

    def upload(self, built: tuple[str, bytes], to: str = "", **query: Any) -> httpx.Response:
        """Put a file into the own namespace, or another one."""
        return self.request("PUT", f"/upload/{to or self.name}/{built[0]}", params=query, content=built[1])

    def has(self, built: tuple[str, bytes], to: str = "", **query: Any) -> dict[str, Any]:
        """The same; it must be taken."""
        response = self.upload(built, to, **query)
        assert response.status_code == 201, response.text
        made: dict[str, Any] = response.json()
        return made

    def ask(self, text: str, **variables: Any) -> dict[str, Any]:
        """The data of a query."""
        answer = self.request("POST", "/graphql", json={"query": text, "variables": variables}).json()
        assert not answer.get("errors"), answer
        data: dict[str, Any] = answer["data"]
        return data

    def does(self, field: str, wanted: str = "__typename", **given: Any) -> dict[str, Any]:
        """A mutation, which must do what it says; answers of its payload what is wanted."""
        kind = field[0].upper() + field[1:]
        answer = f"kind: __typename ... on {kind}Payload {{ {wanted} }} ... on Error {{ message }}"
        text = f"mutation ($input: {kind}Input!) {{ done: {field}(input: $input) {{ {answer} }} }}"
        done: dict[str, Any] = self.ask(text, input=given)["done"]
        assert done["kind"] == f"{kind}Payload", done
        return done

    def package(self, namespace: str, name: str) -> dict[str, Any] | None:
        """What the API shows of a package."""
        text = "query ($of: String!, $name: String!) { package(namespace: $of, name: $name) { id visibility releases { nodes { id version } } } }"
        found: dict[str, Any] | None = self.ask(text, of=namespace, name=name)["package"]
        return found

    def sees(self, namespace: str, name: str) -> bool:
        """Whether a package is there, in the API and in its conda channel alike."""
        channel = self.request("GET", f"/conda/{namespace}/noarch/repodata.json").json()
        listed = any(record["name"] == name for record in channel["packages.conda"].values())
        assert listed == (self.package(namespace, name) is not None)
        return listed


@dataclass
class Town:
    """People by the dozen: each story has its own."""

    server: Server

    def someone(self, name: str, *options: str) -> Someone:
        """A new user."""
        name = f"{name}{next(numbers)}"
        done = self.server.entrepot("user", "create", name, *options)
        assert done.returncode == 0, done.stderr
        return Someone(name, self.server, self.server.token("all", user=name))

    def logged_in(self, name: str) -> Someone:
        """A new user with a password, and no token, who has logged in with it."""
        name = f"{name}{next(numbers)}"
        self.someone("root", "--admin").does("createUser", name=name, password=PASSWORD)
        found = Someone(name, self.server, "", httpx.Client(base_url=self.server.url, timeout=60))
        found.does("login", name=name, password=PASSWORD)
        return found

    def organization(self, owner: Someone) -> str:
        """A new organization; answers its name."""
        name = f"acme{next(numbers)}"
        owner.does("createOrganization", name=name)
        return name

    def group(self, owner: Someone, organization: str, permission: str, *members: Someone, everything: bool = True) -> str:
        """A new group; answers its id."""
        name = f"group{next(numbers)}"
        made = owner.does("createGroup", "group { id }", organization=organization, name=name, permission=permission, everything=everything)
        for member in members:
            owner.does("addGroupMember", groupId=made["group"]["id"], user=member.name)
        id: str = made["group"]["id"]
        return id


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, lasting_ground: Ground) -> Iterator[Town]:
    """A server of its own."""
    with serving(tmp_path_factory.mktemp("server"), None) as running:
        yield Town(running)


@pytest.fixture
def alice(town: Town) -> Someone:
    return town.someone("alice")


@pytest.fixture
def bob(town: Town) -> Someone:
    return town.someone("bob")


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tools' own environments are kept for the session."""
    return tmp_path_factory.mktemp("tools")


@pytest.fixture
def client(tools: Path) -> Client:
    """Real clients with an empty home."""
    return Client(Path(tempfile.mkdtemp(prefix="home-", dir=tools)))
