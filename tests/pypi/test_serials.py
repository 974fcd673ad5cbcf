"""`X-PyPI-Last-Serial`: when what an index shows was last changed. It moves with nothing else, and never falls."""

from __future__ import annotations

from changes import done, look
from entrepot.db.sql import fetch
from entrepot.services.cache import ByteCache
from entrepot.services.collection.changes import prune_changes
from entrepot.services.collection.report import Report
from house import House, Person
from pypi_builder import build_wheel

JSON = {"accept": "application/vnd.pypi.simple.v1+json"}


async def serial(depot: House, path: str = "") -> int:
    """What a stranger is told, who asks a worker that has nothing at hand."""
    depot.site.indexes.parts, depot.site.indexes.stores = ByteCache(1 << 20), ByteCache(1 << 20)
    answer = await depot.anyone.get(f"/pypi/alice/simple/{path}", headers=JSON)
    assert answer.status_code == 200
    return int(answer.headers["x-pypi-last-serial"])


async def id_of(owner: Person, name: str) -> str:
    found = await look(owner.client, 'query ($name: String!) { package(namespace: "alice", name: $name) { id } }', name=name)
    return str(found["package"]["id"])


async def prune() -> None:
    await prune_changes(Report(), before=1 << 60)
    assert await fetch("SELECT 1 FROM change") == []


async def test_it_is_the_same_when_the_log_is_pruned_and_a_package_is_described_anew(depot: House, owner: Person) -> None:
    for name in ("foo", "bar"):
        await owner.has(*build_wheel(name, "1.0"))
    foo, root = await serial(depot, "foo/"), await serial(depot)
    assert foo < root == await serial(depot, "bar/")
    await prune()
    await done(owner.client, "updatePackage", {"packageId": await id_of(owner, "foo"), "summary": "Foos", "description": "It foos."})
    assert (await serial(depot, "foo/"), await serial(depot)) == (foo, root)
    await owner.has(*build_wheel("foo", "2.0"))
    later = await serial(depot, "foo/")
    assert later == await serial(depot) > root
    await owner.has(*build_wheel("foo", "3.0"), labels=["dev"])
    for _ in range(2):
        assert (await serial(depot, "foo/"), await serial(depot, "bar/"), await serial(depot)) == (later, root, later)
        await prune()


async def test_it_does_not_fall_when_a_package_goes_out_of_sight(depot: House, owner: Person) -> None:
    for name in ("stays", "hides", "goes", "moves"):
        await owner.has(*build_wheel(name, "1.0"))
    await done(owner.client, "createOrganization", {"name": "acme"})
    told = [await serial(depot)]
    await done(owner.client, "updatePackage", {"packageId": await id_of(owner, "hides"), "visibility": "PRIVATE"})
    told.append(await serial(depot))
    await done(owner.client, "deletePackage", {"packageId": await id_of(owner, "goes"), "confirmation": "alice/goes"})
    told.append(await serial(depot))
    await done(owner.client, "transferPackage", {"packageId": await id_of(owner, "moves"), "namespace": "acme"})
    told.append(await serial(depot))
    assert told == sorted(set(told))
    await prune()
    await done(owner.client, "createPackage", {"namespace": "alice", "name": "goes"})
    assert await serial(depot) == told[-1]


async def test_it_tells_nothing_of_what_is_private(depot: House, owner: Person) -> None:
    await owner.has(*build_wheel("shown", "1.0"))
    basename, body = build_wheel("hidden", "1.0")
    await owner.client.put(f"/upload/alice/{basename}", params={"private": "true"}, content=body)
    told = await serial(depot)
    assert told == await serial(depot, "shown/")
    await owner.has(*build_wheel("hidden", "2.0"))
    await prune()
    await done(owner.client, "deletePackage", {"packageId": await id_of(owner, "hidden"), "confirmation": "alice/hidden"})
    assert await serial(depot) == told
