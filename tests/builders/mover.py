"""What tests of moving packages have in common: organizations and grants put in by hand, and all that a client sees of a namespace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
import orjson
from changes import look
from entrepot.clock import now
from entrepot.db.models import new_uuid
from entrepot.db.sql import execute, fetch, fetch_one
from entrepot.services.checks import check
from house import House, Person
from msgpack import unpackb
from zstandard import ZstdDecompressor

JSON = "application/vnd.pypi.simple.v1+json"


@dataclass(frozen=True)
class Organization:
    """A namespace that belongs to nobody alone."""

    name: str
    id: int


async def organization(name: str, owner: Person) -> Organization:
    """An organization whose owner is this one."""
    await execute(
        """INSERT INTO namespace (uuid, name, name_key, kind, display_name, description, "replace", created_at)
        VALUES ($1, $2, $3, 'organization', '', '', 'after-removal', $4)""",
        new_uuid(),
        name,
        name.lower(),
        now(),
    )
    row = await fetch_one("SELECT id FROM namespace WHERE name_key = $1", name.lower())
    assert row is not None
    made = Organization(name, row["id"])
    await member(made, owner, "admin", group="owners")
    return made


async def member(of: Organization, person: Person, permission: str, *, group: str, package: str | None = None) -> None:
    """Put somebody in a new group of an organization, on everything or on one package there."""
    await execute(
        "INSERT INTO member_group (uuid, namespace_id, name, name_key, permission, everything, created_at) VALUES ($1, $2, $3, $3, $4, $5, $6)",
        new_uuid(),
        of.id,
        group,
        permission,
        package is None,
        now(),
    )
    row = await fetch_one("SELECT id FROM member_group WHERE namespace_id = $1 AND name_key = $2", of.id, group)
    assert row is not None
    await execute("INSERT INTO group_member (group_id, user_id, added_at) VALUES ($1, $2, $3)", row["id"], person.actor.namespace_id, now())
    if package is not None:
        found = await fetch_one("SELECT id FROM package WHERE namespace_id = $1 AND name_key = $2", of.id, package)
        assert found is not None
        await execute("INSERT INTO group_package (group_id, package_id) VALUES ($1, $2)", row["id"], found["id"])


async def collaborate(person: Person, package: str, namespace: str = "alice") -> None:
    """Let somebody write to one package."""
    await execute(
        """INSERT INTO collaborator (package_id, user_id, added_at) SELECT package.id, $1, $2
        FROM package JOIN namespace ON namespace.id = package.namespace_id WHERE namespace.name_key = $3 AND package.name_key = $4""",
        person.actor.namespace_id,
        now(),
        namespace,
        package,
    )


async def conda_names(client: httpx.AsyncClient, namespace: str, subdir: str = "noarch", label: str = "main") -> list[str]:
    """The files in a conda channel: repodata.json, its compressed form and the shards must agree. Empty where it is not there."""
    base = f"/conda/{namespace}" + ("" if label == "main" else f"/label/{label}") + f"/{subdir}"
    plain = await client.get(f"{base}/repodata.json")
    packed = await client.get(f"{base}/repodata.json.zst")
    index = await client.get(f"{base}/repodata_shards.msgpack.zst")
    assert plain.status_code == packed.status_code == index.status_code, (plain.text, index.text)
    if plain.status_code == 404:
        return []
    document = plain.json()
    assert orjson.loads(inflated(packed.content)) == document
    names = sorted([*document["packages"], *document["packages.conda"]])
    shards = unpackb(inflated(index.content))["shards"]
    sharded: list[str] = []
    for name, digest in shards.items():
        answer = await client.get(f"{base}/shards/{digest.hex()}.msgpack.zst")
        assert answer.status_code == 200, (name, answer.text)
        shard = unpackb(inflated(answer.content))
        sharded += [*shard["packages"], *shard["packages.conda"]]
    assert sorted(sharded) == names
    return names


async def shard_url(client: httpx.AsyncClient, namespace: str, name: str, subdir: str = "noarch") -> str:
    """Where a name's shard is."""
    index = await client.get(f"/conda/{namespace}/{subdir}/repodata_shards.msgpack.zst")
    return f"/conda/{namespace}/{subdir}/shards/{unpackb(inflated(index.content))['shards'][name].hex()}.msgpack.zst"


async def pypi_files(client: httpx.AsyncClient, namespace: str, project: str, label: str = "main") -> list[str]:
    """The files on a project's page, in both representations alike; the root list must know the project where the page is there."""
    base = f"/pypi/{namespace}" + ("" if label == "main" else f"/label/{label}")
    page = await client.get(f"{base}/simple/{project}/", headers={"accept": JSON})
    html = await client.get(f"{base}/simple/{project}/", headers={"accept": "text/html"})
    root = await client.get(f"{base}/simple/", headers={"accept": JSON})
    listed = root.status_code == 200 and project in [one["name"] for one in root.json()["projects"]]
    assert listed == (page.status_code == html.status_code == 200), (root.text, page.text)
    if not listed:
        return []
    names = sorted(one["filename"] for one in page.json()["files"])
    assert all(name in html.text for name in names)
    return names


async def shelf_files(client: httpx.AsyncClient, type: str, namespace: str) -> list[str]:
    """What the list of a shelf shows."""
    answer = await client.get(f"/{type}/{namespace}/index.json")
    if answer.status_code == 404:
        return []
    return sorted(file["path"] for package in answer.json()["packages"] for file in package["files"])


async def found(client: httpx.AsyncClient, words: str) -> list[str]:
    """The full names of what a search finds."""
    query = "query ($words: String) { packages(search: $words) { totalCount nodes { name namespace { name } } } }"
    packages = (await look(client, query, words=words))["packages"]
    names = sorted(f"{one['namespace']['name']}/{one['name']}" for one in packages["nodes"])
    assert packages["totalCount"] == len(names)
    return names


async def sound(house: House) -> bool:
    """Whether `entrepot check` finds nothing wrong, and each row is in the namespace of its package."""
    report = await check(house.site.storage, house.site.registry)
    assert report.problems == []
    for table in ("file", "entry", "binding"):
        strayed = await fetch(
            f"SELECT {table}.id FROM {table} JOIN package ON package.id = {table}.package_id WHERE package.namespace_id <> {table}.namespace_id"
        )
        assert not strayed, (table, len(strayed))
    foreign = await fetch(
        """SELECT file.id FROM file JOIN file_label ON file_label.file_id = file.id JOIN label ON label.id = file_label.label_id
        WHERE label.namespace_id <> file.namespace_id"""
    )
    assert not foreign
    lost = await fetch("SELECT id FROM entry WHERE NOT EXISTS (SELECT 1 FROM file WHERE file.id = entry.file_id)")
    assert not lost
    return True


def inflated(body: bytes) -> bytes:
    """Of a zstd frame, or several."""
    return ZstdDecompressor().decompressobj().decompress(body)


def nodes(package: Any) -> list[str]:
    """The paths of a package's files."""
    return sorted(package["files"])
