"""The package that is asked for, as it is uploaded."""

from __future__ import annotations

from cast import ACME, BOUND, Cast, Thing
from entrepot.db.sql import fetch

from .operations import NAME, STOCK


async def stocked(everybody: Cast, namespace: str, *, private: bool) -> Thing:
    """The package, with a file of every type and a label that nothing else has; everybody has what their role says."""
    client = everybody.insider(namespace)
    for type, (basename, body) in STOCK.items():
        query = {"package": NAME, "version": "1.0", "type": type, "private": str(private).lower(), "label": ["main", "rare"]}
        done = await client.put(f"/upload/{namespace}/{basename}", params=query, content=body)
        assert done.status_code == 201, done.text
    [row] = await fetch(
        """SELECT package.id, package.uuid, label.uuid AS label, file.uuid AS file, release.uuid AS release
        FROM package JOIN label ON label.namespace_id = package.namespace_id JOIN file ON file.package_id = package.id
        JOIN release ON release.id = file.release_id
        WHERE label.name = 'rare' AND file.type = 'conda' AND package.namespace_id = $1 AND package.name = $2""",
        everybody.ids[namespace],
        NAME,
    )
    thing = Thing(namespace, NAME, row["id"], row["uuid"], row["release"], row["file"], row["label"])
    everybody.world.private[thing.place] = private
    await everybody.grant(thing.id, namespace, "this")
    everybody.knows(thing.place)
    if namespace == ACME:
        for name in BOUND:
            await everybody.bind(name, thing)
    return thing


async def shard_of(everybody: Cast, namespace: str, label: str = "") -> str:
    """The digest of the package's shard, in the channel of `main` or of a label: `/label/rare`."""
    await everybody.insider(namespace).get(f"/conda/{namespace}{label}/noarch/repodata_shards.msgpack.zst")
    [row] = await fetch(
        """SELECT DISTINCT sha256 FROM shard JOIN package ON package.id = shard.package_id JOIN head ON head.id = shard.head_id
        WHERE package.name = $1 AND package.namespace_id = $2 AND head.label = $3""",
        NAME,
        everybody.ids[namespace],
        label.rpartition("/")[2] or "main",
    )
    return str(row["sha256"])
