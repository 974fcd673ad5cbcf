"""What was taken away is gone with the next request, in each of two worker processes, though both had everything in memory.

Each request here is a connection of its own, which either worker may take; there are enough of them for both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import msgpack
import pytest
import zstandard
from conda_builder import build_conda
from entrepot.db.connection import database
from entrepot.registry import Registry
from entrepot.services.tokens import create_token
from entrepot.services.users import create_user
from entrepot.settings import Settings
from entrepot_process import serving
from ground import Ground
from pypi_builder import build_wheel

CONNECTIONS = 10
"""For each address, of which there are many: in all, that one worker takes none of them does not happen."""
CONDA, WHEEL = build_conda("secret", "1.0"), build_wheel("secret", "1.0")
PEOPLE = ("root", "member", "named", "helper", "gone", "revoked")


@dataclass
class Service:
    """A server with two workers, and everybody's tokens."""

    client: httpx.Client
    tokens: dict[str, str]
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def request(self, method: str, path: str, by: str = "", **more: Any) -> httpx.Response:
        """On a connection of its own."""
        headers = {"Connection": "close"} | ({"Authorization": f"Bearer {self.tokens[by]}"} if by else {})
        return self.client.request(method, path, headers=headers, follow_redirects=True, **more)

    def ask(self, text: str, by: str = "root", **variables: Any) -> Any:
        """The data of a query or mutation, which must have none of the typed errors."""
        answer = self.request("POST", "/graphql", by, json={"query": text, "variables": variables}).json()
        assert not answer.get("errors"), answer
        assert "message" not in answer["data"].get("done", {}), answer
        return answer["data"]

    def mutate(self, field: str, ask: str = "__typename", by: str = "root", **given: Any) -> Any:
        """What a mutation answers."""
        kind = field[0].upper() + field[1:]
        text = f"mutation ($input: {kind}Input!) {{ done: {field}(input: $input) {{ ... on {kind}Payload {{ {ask} }} ... on Error {{ message }} }} }}"
        return self.ask(text, by, input=given)["done"]


@dataclass
class Secret:
    """A private package of an organization of its own, and where to look for it."""

    service: Service
    namespace: str
    package: str
    addresses: list[str]

    def shown_to(self, by: str, *, in_path: bool = False) -> set[str]:
        """The addresses that show it on any of many connections; `in_path`: of those that take a token there."""
        addresses = self.for_installers if in_path else self.addresses
        return {address for address in addresses for _ in range(CONNECTIONS) if self._shows(address, by, in_path)}

    @property
    def for_installers(self) -> list[str]:
        """The addresses but for that of the API."""
        return [address for address in self.addresses if not address.startswith("/graphql")]

    def _shows(self, address: str, by: str, in_path: bool) -> bool:
        response = self.service.request("GET", f"/t/{self.service.tokens[by]}{address}" if in_path else address, "" if in_path else by)
        if response.status_code != 200:
            assert response.status_code in (401, 404), response.text
            return False
        body = response.content
        if "index" in address or address.endswith(("repodata.json", "shards.msgpack.zst", "simple/")):
            return b"secret" in (zstandard.ZstdDecompressor().decompressobj().decompress(body) if address.endswith("zst") else body)
        return b'"data":{"package":null}' not in body.replace(b" ", b"")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, lasting_ground: Ground) -> Iterator[Service]:
    """The server, with the built-in types."""
    data = lasting_ground.data(tmp_path_factory.mktemp("service") / "data")
    tokens = asyncio.run(people(data))
    with serving(data, "--workers", 2) as server, httpx.Client(base_url=server.url, timeout=30) as client:
        yield Service(client, tokens)


async def people(data: Path) -> dict[str, str]:
    """Users, and their tokens."""
    registry = Registry.built_in()
    async with database(Settings(data=data)):
        for name in PEOPLE:
            await create_user(registry, name=name, password=None, admin=name == "root")
        return {name: await create_token(registry, owner=name, name="test") for name in PEOPLE}


@pytest.fixture
def secret(service: Service) -> Secret:
    """The package, which all but the stranger may read: by a group on everything, by a group on it, as a collaborator."""
    name = f"acme{next(service.numbers)}"
    service.mutate("enableUser", name="gone")
    service.mutate("createOrganization", name=name)
    for basename, body in (CONDA, WHEEL):
        done = service.request("PUT", f"/upload/{name}/{basename}", "root", params={"private": "true"}, content=body)
        assert done.status_code == 201, done.text
    package = service.ask(f'{{ package(namespace: "{name}", name: "secret") {{ id }} }}')["package"]["id"]
    for group, everything, members in (("all", True, ("member", "gone", "revoked")), ("some", False, ("named",))):
        id = service.mutate("createGroup", "group { id }", organization=name, name=group, permission="READ", everything=everything)["group"]["id"]
        for member in members:
            service.mutate("addGroupMember", groupId=id, user=member)
        if not everything:
            service.mutate("addGroupPackage", groupId=id, packageId=package)
    service.mutate("addCollaborator", packageId=package, user="helper")
    bound = service.mutate("createToken", "secret", by="helper", name=name, scopes=["all"], packageId=package)
    service.tokens["bound"] = bound["secret"]
    index = service.request("GET", f"/conda/{name}/noarch/repodata_shards.msgpack.zst", "root").content
    shard = msgpack.unpackb(zstandard.ZstdDecompressor().decompressobj().decompress(index))["shards"]["secret"].hex()
    addresses = [
        f"/conda/{name}/noarch/repodata.json",
        f"/conda/{name}/noarch/repodata_shards.msgpack.zst",
        f"/conda/{name}/noarch/shards/{shard}.msgpack.zst",
        f"/conda/{name}/noarch/{CONDA[0]}",
        f"/pypi/{name}/simple/",
        f"/pypi/{name}/simple/secret/",
        f"/pypi/{name}/files/{WHEEL[0]}",
        f"/pypi/{name}/files/{WHEEL[0]}.metadata",
        f'/graphql?query={{package(namespace:"{name}",name:"secret"){{id}}}}',
    ]
    return Secret(service, name, package, addresses)


def group_id(secret: Secret, name: str) -> str:
    """The id of a group of the organization."""
    groups = secret.service.ask(f'{{ namespace(name: "{secret.namespace}") {{ ... on Organization {{ groups {{ nodes {{ id name }} }} }} }} }}')
    return str(next(group["id"] for group in groups["namespace"]["groups"]["nodes"] if group["name"] == name))


def token_id(secret: Secret, user: str) -> str:
    """The id of the only token of a user."""
    tokens = secret.service.ask(f'{{ namespace(name: "{user}") {{ ... on User {{ tokens {{ nodes {{ id }} }} }} }} }}')
    return str(tokens["namespace"]["tokens"]["nodes"][0]["id"])


ENDS: dict[str, tuple[str, Callable[[Secret], Any]]] = {
    "a member is removed": (
        "member",
        lambda secret: secret.service.mutate("removeGroupMember", groupId=group_id(secret, "all"), user="member"),
    ),
    "a group is deleted": ("member", lambda secret: secret.service.mutate("deleteGroup", groupId=group_id(secret, "all"))),
    "a group is about less": (
        "member",
        lambda secret: secret.service.mutate("updateGroup", groupId=group_id(secret, "all"), everything=False),
    ),
    "a package leaves a group": (
        "named",
        lambda secret: secret.service.mutate("removeGroupPackage", groupId=group_id(secret, "some"), packageId=secret.package),
    ),
    "a collaborator is removed": (
        "helper",
        lambda secret: secret.service.mutate("removeCollaborator", packageId=secret.package, user="helper"),
    ),
    "who made a bound token is removed": (
        "bound",
        lambda secret: secret.service.mutate("removeCollaborator", packageId=secret.package, user="helper"),
    ),
    "a token is revoked": ("revoked", lambda secret: secret.service.mutate("revokeToken", tokenId=token_id(secret, "revoked"))),
    "a user is disabled": ("gone", lambda secret: secret.service.mutate("disableUser", name="gone")),
}
IN_PATHS = ("a member is removed", "who made a bound token is removed", "a token is revoked")
"""Where the reader's token is tried in the path too."""


@pytest.mark.parametrize("end", ENDS)
def test_what_was_taken_away_is_gone_everywhere(secret: Secret, end: str) -> None:
    reader, take_away = ENDS[end]
    assert secret.shown_to(reader) == set(secret.addresses)
    assert end not in IN_PATHS or secret.shown_to(reader, in_path=True) == set(secret.for_installers)
    take_away(secret)
    assert secret.shown_to(reader) == set()
    assert end not in IN_PATHS or secret.shown_to(reader, in_path=True) == set()
    assert secret.shown_to("root") == set(secret.addresses)


def test_a_package_that_is_made_private_is_gone_for_strangers_and_back_when_it_is_public(secret: Secret) -> None:
    assert secret.shown_to("") == set()
    for visibility, shown in (("PUBLIC", set(secret.addresses)), ("PRIVATE", set()), ("PUBLIC", set(secret.addresses))):
        secret.service.mutate("updatePackage", packageId=secret.package, visibility=visibility)
        assert secret.shown_to("") == shown


def test_a_package_that_is_deleted_is_gone_everywhere(secret: Secret) -> None:
    for reader in ("member", "root"):
        assert secret.shown_to(reader) == set(secret.addresses)
    secret.service.mutate("deletePackage", packageId=secret.package, confirmation=f"{secret.namespace}/secret")
    for reader in ("member", "root"):
        assert secret.shown_to(reader) == set()


def test_a_package_that_is_transferred_is_gone_for_those_who_had_it_by_a_group(secret: Secret) -> None:
    """What its collaborators and new owners are led to is the files and the package, and no index."""
    for reader in ("member", "named", "helper"):
        assert secret.shown_to(reader) == set(secret.addresses)
    target = f"{secret.namespace}-new"
    secret.service.mutate("createOrganization", name=target)
    secret.service.mutate("transferPackage", packageId=secret.package, namespace=target)
    for reader in ("member", "named"):
        assert secret.shown_to(reader) == set()
    led = {address for address in secret.addresses if address.endswith((CONDA[0], WHEEL[0], ".metadata")) or address.startswith("/graphql")}
    for reader in ("helper", "root"):
        assert secret.shown_to(reader) == led


def test_uploads_of_a_member_whose_group_was_lowered_are_refused(secret: Secret) -> None:
    secret.service.mutate("updateGroup", groupId=group_id(secret, "all"), permission="WRITE")
    basename, body = build_conda("secret", "2.0")
    assert secret.service.request("PUT", f"/upload/{secret.namespace}/{basename}", "member", content=body).status_code == 201
    secret.service.mutate("updateGroup", groupId=group_id(secret, "all"), permission="READ")
    basename, body = build_conda("secret", "3.0")
    refused = {
        secret.service.request("PUT", f"/upload/{secret.namespace}/{basename}", "member", content=body).status_code for _ in range(CONNECTIONS)
    }
    assert refused == {403}


def test_uploads_of_a_collaborator_who_was_removed_are_refused(secret: Secret) -> None:
    basename, body = build_conda("secret", "2.0")
    assert secret.service.request("PUT", f"/upload/{secret.namespace}/{basename}", "helper", content=body).status_code == 201
    secret.service.mutate("removeCollaborator", packageId=secret.package, user="helper")
    basename, body = build_conda("secret", "3.0")
    refused = {
        secret.service.request("PUT", f"/upload/{secret.namespace}/{basename}", "helper", content=body).status_code for _ in range(CONNECTIONS)
    }
    assert refused == {403}
