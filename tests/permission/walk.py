"""A small site whose people act at random. What each of them is shown of it is for `shown.py` to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx
from cast import LEVELS, inserted
from conda_builder import build_conda
from entrepot.clock import now
from entrepot.db.models import new_uuid
from entrepot.db.sql import execute, fetch, transaction
from entrepot.services.namespaces import add_namespace
from entrepot.services.tokens import create_token
from entrepot.services.users import create_user
from house import House
from oracle import Answer, Credential, Group, Level, Place, World
from pypi_builder import build_wheel

from .mutations import changed
from .operations import uploading
from .queries import gid

TYPES = ("conda", "pypi")
NAMES = ("red", "blue")
VERSIONS = ("1", "2")
LABELS = ("main", "dev")
GROUPS = ("readers", "writers", "masters", "some")
KINDS = {"conda": "CondaFile", "pypi": "PypiFile"}


@cache
def built(type: str, name: str, version: str) -> tuple[str, bytes]:
    """A file, always the same."""
    return build_conda(name, version) if type == "conda" else build_wheel(name, version)


@dataclass
class File:
    """A published file, as the walk remembers it."""

    id: str
    type: str
    place: Place
    path: str
    url: str
    labels: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Asker:
    """One credential."""

    name: str
    credential: Credential
    client: httpx.AsyncClient


class Town:
    """Two namespaces, a user's and an organization's, the people around them, and the oracle that knows all of it.

    Names end in a number that no other town of the site has.
    """

    def __init__(self, house: House, number: int) -> None:
        self.house = house
        self.number = number
        self.alice, self.acme = f"alice{number}", f"acme{number}"
        self.people = [self.alice, *(f"{name}{number}" for name in ("olga", "bob", "carol"))]
        self.root = f"root{number}"
        self.world = World(organizations={self.acme}, admins={self.root})
        self.ids: dict[str, int] = {}
        self.groups: dict[str, int] = {}
        self.askers: dict[str, Asker] = {"anonymous": Asker("anonymous", Credential(), house.anyone)}
        self.files: dict[str, File] = {}
        """By the URL's path."""
        self.shards: dict[str, str] = {}
        """The URLs of shards that were ever in an index, and the ids of the packages that they are of."""
        self.packages: dict[str, Place] = {}
        """Packages that are there, by their ids."""
        self.freed: dict[Place, str] = {}
        """Places that were left, and the ids of the packages that have gone from there to somewhere else."""
        self.hidden: set[Place] = set()
        """Those of them that a private package has left: what takes its name is private too, unless somebody says otherwise."""
        self.ever: set[str] = set()
        """URLs that any file ever had."""
        self.left: dict[str, str] = {}
        """URLs of files that have moved, and the files' ids."""
        self.done: Counter[str] = Counter()
        """What has changed anything, and how often."""

    @property
    def namespaces(self) -> tuple[str, str]:
        return self.alice, self.acme

    @property
    def names(self) -> list[str]:
        return [f"{name}{self.number}x" for name in NAMES]

    @property
    def free(self) -> list[Place]:
        """Names of packages that were deleted or have moved, and that nobody has taken since."""
        return sorted(place for place in self.freed if place not in self.world.private)

    @property
    def trusted(self) -> list[tuple[str, bool, str]]:
        """Packages that were given to somebody: their ids, whether to the group `some`, or to which user."""
        ids = {place: id for id, place in self.packages.items()}
        packages = self.world.groups[self.acme, "some"].packages or set()
        return [(ids[place], True, "") for place in sorted(packages)] + [(ids[at], False, user) for user, at in sorted(self.world.collaborators)]

    async def open(self) -> None:
        """Put the people in."""
        for name in (*self.people, self.root):
            self.ids[name] = (await create_user(self.house.site.registry, name=name, password=None, admin=name == self.root))["id"]
        async with transaction():
            self.ids[self.acme] = (await add_namespace(name=self.acme, kind="organization"))["id"]
        for name, level, everything in (
            ("owners", "admin", True),
            *zip(GROUPS, ("read", "write", "admin", "write"), (True, True, True, False), strict=True),
        ):
            self.groups[name] = await inserted(
                "member_group",
                uuid=new_uuid(),
                namespace_id=self.ids[self.acme],
                name=name,
                name_key=name,
                permission=level,
                everything=everything,
                created_at=now(),
            )
            self.world.groups[self.acme, name] = Group(LEVELS[level], None if everything else set())
        await self.join("owners", self.people[1])
        for name in (*self.people, self.root, self.acme):
            await self.new_token(name)
        await self.new_token(self.people[1], "conda:download")

    async def stock(self, private: Sequence[bool]) -> None:
        """A conda file and a wheel of one name in each namespace, private or not: so that there is room for what moves."""
        by = self.askers[self.root]
        for place, hidden in zip(zip(self.namespaces, self.names, strict=True), private, strict=True):
            for type in TYPES:
                await self.upload(by, place, type, VERSIONS[0], private=hidden, label=LABELS[0])

    def able(self, place: tuple[str, str | None] | None, level: Level) -> list[str]:
        """The names of those who have a level on a package, on a namespace or (None) on both, with a credential that changes something."""
        places: list[tuple[str, str | None]] = [(namespace, None) for namespace in self.namespaces] if place is None else [place]
        return [
            name for name, asker in self.askers.items() if all(self.world.changes(asker.credential, *one, level) is Answer.DONE for one in places)
        ]

    # -- people -------------------------------------------------------------------------------------------------------

    async def new_token(self, owner: str, *scopes: str) -> None:
        """A token, in the place of the one that the owner had with these scopes."""
        secret = await create_token(self.house.site.registry, owner=owner, name="walk", scopes=scopes or ("all",))
        name = " ".join((owner, *scopes))
        client = self.house.client(Authorization=f"Bearer {secret}")
        self.askers[name] = Asker(name, Credential(owner=owner, scopes=frozenset(scopes or ("all",))), client)

    async def revoke_tokens(self, owner: str) -> None:
        """End the tokens of somebody."""
        self.done["revoke"] += 1
        await execute("UPDATE token SET revoked_at = $1 WHERE namespace_id = $2 AND revoked_at IS NULL", now(), self.ids[owner])
        for name, asker in self.askers.items():
            if asker.credential.owner == owner:
                ended = Credential(owner=owner, scopes=asker.credential.scopes, ended=True)
                self.askers[name] = Asker(name, ended, asker.client)

    async def disable(self, user: str, *, disabled: bool) -> None:
        if (user in self.world.disabled) != disabled:
            self.done["disable" if disabled else "enable"] += 1
        await execute('UPDATE "user" SET disabled_at = $1 WHERE namespace_id = $2', now() if disabled else None, self.ids[user])
        (self.world.disabled.add if disabled else self.world.disabled.discard)(user)

    async def join(self, group: str, user: str) -> None:
        members = self.world.groups[self.acme, group].members
        if user not in members:
            self.done["join"] += 1
            await inserted("group_member", group_id=self.groups[group], user_id=self.ids[user], added_at=now())
            members.add(user)

    async def leave(self, group: str, user: str) -> None:
        self.done["leave"] += user in self.world.groups[self.acme, group].members
        await execute("DELETE FROM group_member WHERE group_id = $1 AND user_id = $2", self.groups[group], self.ids[user])
        self.world.groups[self.acme, group].members.discard(user)

    async def entrust(self, package: str, *, to_group: bool, user: str) -> None:
        """Give a package to a collaborator or to the group `some`, or take it away from who has it."""
        place = self.packages[package]
        [row] = await fetch("SELECT id FROM package WHERE uuid = $1", package)
        if to_group and place[0] != self.acme:
            return
        packages = self.world.groups[self.acme, "some"].packages
        assert packages is not None
        entrusted = place not in packages if to_group else (user, place) not in self.world.collaborators
        self.done[f"{'give' if entrusted else 'take'} {'group' if to_group else 'collaborator'}"] += 1
        if to_group:
            await execute("DELETE FROM group_package WHERE package_id = $1", row["id"])
            packages.discard(place)
        else:
            await execute("DELETE FROM collaborator WHERE package_id = $1 AND user_id = $2", row["id"], self.ids[user])
            self.world.collaborators.discard((user, place))
        if entrusted and to_group:
            await inserted("group_package", group_id=self.groups["some"], package_id=row["id"])
            packages.add(place)
        elif entrusted:
            await inserted("collaborator", package_id=row["id"], user_id=self.ids[user], added_at=now())
            self.world.collaborators.add((user, place))

    # -- what they do -------------------------------------------------------------------------------------------------

    async def upload(self, asker: Asker, place: Place, type: str, version: str, *, private: bool | None, label: str) -> None:
        """Upload a file, and remember it if that was right."""
        namespace, name = place
        basename, body = built(type, name, version)
        query = {"label": label} | ({} if private is None else {"private": str(private).lower()})
        response = await asker.client.put(f"/upload/{namespace}/{basename}", params=query, content=body)
        expected = self._of_upload(asker.credential, place, type, private)
        assert uploading(response).startswith(expected), (asker.name, place, expected, response.text)
        if response.status_code not in (200, 201):
            return
        made = response.json()
        path = made["url"].removeprefix(self.house.address)
        assert (response.status_code == 201) == (path not in self.files)
        self.done["upload"] += path not in self.files
        if place not in self.world.private:
            self.done["upload to a freed name"] += place in self.freed
            self.world.private[place] = place in self.hidden if private is None else private
            self._take(place)
            [row] = await fetch("SELECT uuid FROM package WHERE namespace_id = $1 AND name = $2", self.ids[namespace], name)
            self.packages[row["uuid"]] = place
        self.left.pop(path, None)
        self.ever.add(path)
        self.files.setdefault(path, File(gid(KINDS[type], made["id"]), type, place, made["path"], path, {label}))

    def _of_upload(self, who: Credential, place: Place, type: str, private: bool | None) -> str:
        answer = self.world.uploads(who, place, type)
        if answer is not Answer.DONE:
            return answer
        if place not in self.world.private:
            if self.freed.get(place):
                return "409: "  # it has moved
            return Answer.DENIED if place in self.freed and self.world.given(who, place[0]) < Level.ADMIN else Answer.DONE
        there = self.world.private[place]
        if private not in (None, there):
            return "409: "
        return answer

    async def mutate(self, asker: Asker, name: str, place: Place, level: Level, **given: Any) -> bool:
        """Run a mutation on a package, whose answer must be right; whether it has changed anything."""
        kind = name[0].upper() + name[1:]
        text = f"mutation ($input: {kind}Input!) {{ found: {name}(input: $input) {{ __typename ... on Error {{ message }} }} }}"
        response = await asker.client.post("/graphql", json={"query": text, "variables": {"input": given}})
        expected = self.world.changes(asker.credential, *place, level)
        assert changed(response) == expected, (asker.name, name, place)
        return expected is Answer.DONE

    async def show(self, asker: Asker, package: str, *, private: bool) -> None:
        place = self.packages[package]
        if await self.mutate(
            asker, "updatePackage", place, Level.ADMIN, packageId=gid("Package", package), visibility="PRIVATE" if private else "PUBLIC"
        ):
            if self.world.private[place] != private:
                self.done["hide" if private else "publish"] += 1
            self.world.private[place] = private

    async def label(self, asker: Asker, file: File, label: str, *, on: bool) -> None:
        if await self.mutate(asker, "addLabel" if on else "removeLabel", file.place, Level.WRITE, files={"ids": [file.id]}, label=label):
            if (label in file.labels) != on:
                self.done["label" if on else "unlabel"] += 1
            (file.labels.add if on else file.labels.discard)(label)

    async def remove(self, asker: Asker, file: File) -> None:
        if await self.mutate(asker, "removeFiles", file.place, Level.WRITE, files={"ids": [file.id]}):
            self.done["remove"] += 1
            self._lose([file])

    async def delete(self, asker: Asker, package: str) -> None:
        place = self.packages[package]
        if await self.mutate(asker, "deletePackage", place, Level.ADMIN, packageId=gid("Package", package), confirmation="/".join(place)):
            self.done["delete"] += 1
            self._lose([file for file in self.files.values() if file.place == place])
            self._forget(place)
            self.world.collaborators = {one for one in self.world.collaborators if one[1] != place}
            self._hide(place, self.world.private.pop(place))
            del self.packages[package]
            self.freed = {one: "" if moved_to == package else moved_to for one, moved_to in self.freed.items()} | {place: ""}

    async def transfer(self, asker: Asker, package: str) -> None:
        """Send a package to the other namespace."""
        place = self.packages[package]
        target = next(namespace for namespace in self.namespaces if namespace != place[0]), place[1]
        kind = "mutation ($input: TransferPackageInput!) { found: transferPackage(input: $input) { __typename ... on Error { message } } }"
        given = {"packageId": gid("Package", package), "namespace": target[0]}
        response = await asker.client.post("/graphql", json={"query": kind, "variables": {"input": given}})
        expected = self.world.changes(asker.credential, *place, Level.ADMIN)
        if expected is Answer.DONE and self.world.given(asker.credential, target[0]) < Level.ADMIN:
            expected = Answer.DENIED
        if expected is Answer.DONE and target in self.world.private:
            assert changed(response).startswith("ConflictError"), (asker.name, place)
            return
        assert changed(response) == expected, (asker.name, place)
        if expected is Answer.DONE:
            self._move(package, place, target)

    def _move(self, package: str, place: Place, target: Place) -> None:
        self.done["transfer"] += 1
        self._take(target)
        self._forget(place)
        self.packages[package] = target
        self.world.private[target] = self.world.private.pop(place)
        self._hide(place, self.world.private[target])
        self.world.collaborators = {(user, target if one == place else one) for user, one in self.world.collaborators} - {(target[0], target)}
        self.freed[place] = package
        for file in [file for file in self.files.values() if file.place == place]:
            del self.files[file.url]
            self.left[file.url] = file.id
            file.place, file.url = target, file.url.replace(f"/{place[0]}/", f"/{target[0]}/")
            self.left.pop(file.url, None)
            self.files[file.url] = file
            self.ever.add(file.url)

    def _take(self, place: Place) -> None:
        """Give a place to another package: nothing leads from there to the one that had it."""
        self.hidden.discard(place)
        moved_to = self.freed.pop(place, "")
        theirs = {file.id for file in self.files.values() if moved_to and file.place == self.packages[moved_to]}
        self.left = {url: id for url, id in self.left.items() if not (id in theirs and f"/{place[0]}/" in url)}

    def _hide(self, place: Place, private: bool) -> None:
        """Remember of a place that is left whether it was a private package's."""
        (self.hidden.add if private else self.hidden.discard)(place)

    def _lose(self, files: Iterable[File]) -> None:
        """Files that are no more, and what led to them."""
        for file in list(files):
            del self.files[file.url]
            self.left = {url: id for url, id in self.left.items() if id != file.id}

    def _forget(self, place: Place) -> None:
        """What groups have to do with a place ends."""
        for group in self.world.groups.values():
            if group.packages is not None:
                group.packages.discard(place)
