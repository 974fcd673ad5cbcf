"""Everybody who can come to a site: one for each way in which somebody gets a level, or has a credential that narrows it.

The rows are put in by hand, so that a test of what they open does not rest on what puts them in.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count

import httpx
import orjson
from argon2 import PasswordHasher
from conda_builder import build_conda
from entrepot.clock import now
from entrepot.db.models import new_uuid
from entrepot.db.sql import execute, fetch_one, transaction
from entrepot.http.cookies import NAME as COOKIE
from entrepot.services import sessions
from entrepot.services.namespaces import add_namespace
from entrepot.services.tokens import create_token, digest_of
from entrepot.services.users import create_user
from entrepot_conda.packagetype import CondaType
from house import House
from oracle import Credential, Group, Level, Place, World

ALICE, ACME = "alice", "acme"
PASSWORD = "correct horse battery"
PASSWORD_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
OTHER = "other"
"""The package that those have to do with who have nothing to do with the one that is asked for."""
BOUND = {"bound to this": "olga", "organization's token, bound to this": ACME}
"""The roles whose tokens are bound to whatever package is asked for, and whose the tokens are."""
LEVELS = {"read": Level.READ, "write": Level.WRITE, "admin": Level.ADMIN}


@dataclass(frozen=True)
class Role:
    """Somebody with a credential."""

    name: str
    at: str
    """The namespace that the role is about."""
    credential: Credential
    secret: str = ""


@dataclass(frozen=True)
class Thing:
    """A package that was put in by hand, with the ids that are shown of it."""

    namespace: str
    name: str
    id: int
    uuid: str
    release: str
    file: str
    label: str

    @property
    def place(self) -> Place:
        return self.namespace, self.name


@dataclass
class Cast:
    """Everybody, and the oracle that knows them."""

    house: House
    world: World
    roles: dict[str, Role] = field(default_factory=dict)
    ids: dict[str, int] = field(default_factory=dict)
    """Namespaces' inner ids."""
    groups: dict[str, int] = field(default_factory=dict)
    other: int = 0
    """The inner id of the organization's package that is not the one that is asked for."""
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _clients: dict[str, httpx.AsyncClient] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """Another number each time, for names."""
        return next(self._numbers)

    def client(self, role: Role) -> httpx.AsyncClient:
        """A client that sends the role's credential."""
        if role.name not in self._clients:
            header = {"Authorization": f"Bearer {role.secret}"} if role.secret and not role.credential.session else {}
            client = self._clients[role.name] = self.house.client(**header)
            if role.credential.session:
                client.cookies.set(COOKIE, role.secret, domain="localhost.local")  # as the site's own answers set it
        return self._clients[role.name]

    def insider(self, namespace: str) -> httpx.AsyncClient:
        """A client of who administers a namespace."""
        return self.client(self.roles["owner" if namespace == ALICE else "organization owner"])

    async def thing(self, namespace: str, name: str, *, private: bool, granted: bool = False) -> Thing:
        """A package with one conda file; `granted`: those whose role says "this package" are given it."""
        made = Thing(namespace, name, 0, *(new_uuid() for _ in range(4)))
        async with transaction():
            label = await fetch_one("SELECT uuid FROM label WHERE namespace_id = $1 AND name = 'main'", self.ids[namespace])
            package = await self._rows(made, private)
            if granted:
                await self.grant(package, namespace, "this")
        self.world.private[made.place] = private
        return replace(made, id=package, label=label["uuid"] if label else "")

    async def _rows(self, thing: Thing, private: bool) -> int:
        namespace, at = self.ids[thing.namespace], now()
        package = await inserted(
            "package",
            uuid=thing.uuid,
            namespace_id=namespace,
            name=thing.name,
            name_key=thing.name,
            private=private,
            summary="",
            description="",
            created_at=at,
            updated_at=at,
        )
        binding = await inserted("binding", namespace_id=namespace, package_id=package, type="conda", name=thing.name, state="{}")
        await execute(
            "INSERT INTO blob (sha256, size, state, touched_at, incarnation) VALUES ($1, 1, 'stored', $2, 1) ON CONFLICT (sha256) DO NOTHING",
            digest_of(thing.name),
            at,
        )
        release = await inserted(
            "release", uuid=thing.release, package_id=package, version="1.0", canonical_version="1.0", version_key=b"1", created_at=at
        )
        basename = f"{thing.name}-1.0-0.conda"
        file = await inserted(
            "file",
            uuid=thing.file,
            namespace_id=namespace,
            package_id=package,
            release_id=release,
            binding_id=binding,
            type="conda",
            version="1.0",
            path=f"noarch/{basename}",
            basename=basename,
            platform="noarch",
            summary="",
            license="",
            size=1,
            sha256=digest_of(thing.name),
            md5="0" * 32,
            blake2b="0" * 64,
            attributes=attributes(),
            state="{}",
            entry_version=1,
            uploaded_at=at,
        )
        await execute(
            "INSERT INTO file_label (file_id, label_id) SELECT $1, id FROM label WHERE namespace_id = $2 AND name = 'main'", file, namespace
        )
        return package

    async def grant(self, package: int, namespace: str, which: str) -> None:
        """Give a package to everybody whose role says so: `this` or `other`."""
        user = self.ids["collaborator" if which == "this" else "collaborator-elsewhere"]
        await inserted("collaborator", package_id=package, user_id=user, added_at=now())
        if namespace == ACME:
            for level in LEVELS:
                await inserted("group_package", group_id=self.groups[f"{level} {which}"], package_id=package)

    def knows(self, place: Place) -> None:
        """Tell the oracle what `grant` gives for "this package"."""
        namespace, _ = place
        self.world.collaborators.add(("collaborator", place))
        for level in LEVELS if namespace == ACME else ():
            packages = self.world.groups[ACME, f"{level} this"].packages
            assert packages is not None
            packages.add(place)

    async def bind(self, name: str, thing: Thing) -> None:
        """Give a role another token, which is bound to a package."""
        role = self.roles[name]
        secret = await create_token(self.house.site.registry, owner=role.credential.owner, name=name)
        await execute("UPDATE token SET package_id = $1 WHERE digest = $2", thing.id, digest_of(secret))
        self.roles[name] = replace(role, credential=replace(role.credential, bound_to=thing.place), secret=secret)
        self._clients.pop(name, None)


@cache
def attributes() -> str:
    """What the database remembers of a conda file, whichever it is."""
    basename, body = build_conda("any", "1.0")
    return orjson.dumps(CondaType().inspect(io.BytesIO(body), basename).attributes).decode()


async def inserted(table: str, **values: object) -> int:
    """Insert a row; answers its id."""
    marks = ", ".join(f"${number}" for number in range(1, len(values) + 1))
    row = await fetch_one(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks}) RETURNING id", *values.values())
    assert row is not None
    return int(row["id"])


async def cast(house: House) -> Cast:
    """Everybody, on a site without anybody."""
    found = Cast(house, World(open=house.site.settings.anonymous_read, organizations={ACME}, admins={"root"}, disabled={"gone"}))
    people = [ALICE, "bob", "olga", "ines", "dora", "bruno", "root", "gone", "collaborator", "collaborator-elsewhere"]
    people += [f"{level}er-of-{which}" for level in LEVELS for which in ("all", "this", "other")]
    for name in people:
        found.ids[name] = (await create_user(house.site.registry, name=name, password=None, admin=name == "root"))["id"]
    async with transaction():
        found.ids[ACME] = (await add_namespace(name=ACME, kind="organization"))["id"]
        await _groups(found)
    await _credentials(found)
    for namespace in (ALICE, ACME):
        other = await found.thing(namespace, OTHER, private=True)
        await found.grant(other.id, namespace, "other")
        found.world.collaborators.add(("collaborator-elsewhere", other.place))
    found.other = other.id
    await found.bind("bound to other", other)
    return found


async def _groups(found: Cast) -> None:
    await _group(found, "owners", "admin", ["olga", "ines", "gone"], everything=True)
    for level in LEVELS:
        await _group(found, f"{level} all", level, [f"{level}er-of-all"], everything=True)
        for which in ("this", "other"):
            await _group(found, f"{level} {which}", level, [f"{level}er-of-{which}"], everything=False)
            packages = found.world.groups[ACME, f"{level} {which}"].packages
            assert packages is not None
            if which == "other":
                packages.add((ACME, OTHER))


async def _group(found: Cast, name: str, level: str, members: list[str], *, everything: bool) -> None:
    values = {"uuid": new_uuid(), "name": name, "name_key": name, "permission": level, "everything": everything, "created_at": now()}
    group = found.groups[name] = await inserted("member_group", namespace_id=found.ids[ACME], **values)
    for member in members:
        await inserted("group_member", group_id=group, user_id=found.ids[member], added_at=now())
    found.world.groups[ACME, name] = Group(LEVELS[level], None if everything else set(), set(members))


async def _credentials(found: Cast) -> None:
    async def role(name: str, owner: str, at: str = ACME, scopes: Iterable[str] = ("all",), *, ended: bool = False) -> None:
        secret = await create_token(found.house.site.registry, owner=owner, name=name, scopes=list(scopes))
        found.roles[name] = Role(name, at, Credential(owner=owner, scopes=frozenset(scopes), ended=ended), secret)

    found.roles["anonymous"] = Role("anonymous", ACME, Credential())
    await role("owner", ALICE, ALICE)
    await role("stranger", "bob")
    await role("stranger to a user", "bob", ALICE)
    await role("organization owner", "olga")
    for level in LEVELS:
        for which in ("all", "this", "other"):
            await role(f"group {level} on {which}", f"{level}er-of-{which}")
    await role("collaborator", "collaborator")
    await role("collaborator of a user", "collaborator", ALICE)
    await role("collaborator elsewhere", "collaborator-elsewhere")
    await role("disabled user", "gone")
    await role("expired token", "olga", ended=True)
    await role("revoked token", "olga", ended=True)
    await role("organization's token", ACME)
    await role("organization's token that downloads", ACME, scopes=["conda:download", "pypi:download"])
    await role("organization's token of another", ACME, ALICE)
    await role("bound to other", "olga")
    for name, owner in BOUND.items():
        await role(name, owner)
    await role("site administrator", "root")
    await role("site administrator that reads", "root", scopes=["api:read"])
    for scope in found.house.site.registry.scopes():
        await role(f"only {scope}", "olga", scopes=[scope])
    async with transaction():
        opened = await sessions.begin(user_id=found.ids["ines"], address="", agent="")
    found.roles["owner who has logged in"] = Role("owner who has logged in", ACME, Credential(owner="ines", session=True), opened.secret)
    await role("group write on all, only conda", "writeer-of-all", scopes=["conda"])
    await role("collaborator, only pypi:upload", "collaborator", scopes=["pypi:upload"])
    await role("reads the API and uploads conda", "olga", scopes=["api:read", "conda:upload"])
    ended = now() - 1000
    await execute("UPDATE token SET expires_at = $1 WHERE name = 'expired token'", ended)
    await execute("UPDATE token SET revoked_at = $1 WHERE name = 'revoked token'", ended)
    await execute('UPDATE "user" SET disabled_at = $1 WHERE namespace_id = $2', ended, found.ids["gone"])
