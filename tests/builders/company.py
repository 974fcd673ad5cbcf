"""An organization with groups and members, made through GraphQL by its owner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from changes import done, look
from house import House, Person

ORGANIZATION = """query ($name: String!) { namespace(name: $name) { id ... on Organization { groups(first: 100) { nodes { id name } } } } }"""


@dataclass
class Company:
    """An organization, as its owner handles it."""

    house: House
    owner: Person
    name: str
    id: str
    owners: str
    """The id of the group `owners`."""

    async def group(self, name: str, permission: str, *members: Person, everything: bool = False, packages: Mapping[str, str] | None = None) -> str:
        """The id of a new group with these members, about everything or about packages, given by their names and ids."""
        input = {"organization": self.name, "name": name, "permission": permission, "everything": everything}
        group = str((await done(self.owner.client, "createGroup", input, "group { id }"))["group"]["id"])
        for member in members:
            await self.join(group, member)
        for package in (packages or {}).values():
            await done(self.owner.client, "addGroupPackage", {"groupId": group, "packageId": package})
        return group

    async def join(self, group: str, person: Person, *, by: Person | None = None) -> bool:
        """Add a person to a group; answers whether that changed anything."""
        made = await done((by or self.owner).client, "addGroupMember", {"groupId": group, "user": person.name}, "changed")
        return bool(made["changed"])

    async def leave(self, group: str, person: Person, *, by: Person | None = None) -> bool:
        """Take a person out of a group, which the person does who is not told; answers whether that changed anything."""
        made = await done((by or person).client, "removeGroupMember", {"groupId": group, "user": person.name}, "changed")
        return bool(made["changed"])

    async def package(self, name: str, visibility: str = "PRIVATE") -> str:
        """The id of a new package without files."""
        input = {"namespace": self.name, "name": name, "visibility": visibility}
        return str((await done(self.owner.client, "createPackage", input, "package { id }"))["package"]["id"])

    async def members(self, group: str) -> list[str]:
        """The names of the members of a group, as its owner sees them."""
        query = "query ($id: ID!) { node(id: $id) { ... on Group { members(first: 100) { nodes { name } } } } }"
        found: Any = await look(self.owner.client, query, id=group)
        return [one["name"] for one in found["node"]["members"]["nodes"]]


async def found_company(house: House, owner: Person, name: str = "acme") -> Company:
    """A new organization of somebody's."""
    wanted = "organization { id groups { nodes { id } } }"
    made = (await done(owner.client, "createOrganization", {"name": name}, wanted))["organization"]
    return Company(house, owner, name, made["id"], made["groups"]["nodes"][0]["id"])
