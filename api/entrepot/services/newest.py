"""The newest file of a package: what a URL without a version means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.db.sql import Row, fetch_one
from entrepot.services import files
from entrepot.services.permissions import API_READ, On, sees

if TYPE_CHECKING:
    from entrepot.inspection import StoredFile
    from entrepot.services.actors import Actor
    from entrepot.site import Site


async def newest_file(*, namespace: str, type: str, label: str, name: str, basename: str | None) -> Row | None:
    """The file of a canonical name that has the label, of the highest version, then of the last upload, as `files.COLUMNS`.

    Whoever asks must see to it that its package may be read. `namespace` is lower-cased.
    """
    return await fetch_one(
        f"""SELECT {files.COLUMNS} FROM {files.TABLES} JOIN release ON release.id = file.release_id
        JOIN file_label ON file_label.file_id = file.id JOIN label ON label.id = file_label.label_id
        WHERE namespace.name_key = $1 AND binding.type = $2 AND binding.name = $3 AND label.name = $4
            {"" if basename is None else "AND file.basename = $5"}
        ORDER BY release.version_key DESC, file.id DESC LIMIT 1""",
        namespace,
        type,
        name,
        label,
        *(() if basename is None else (basename,)),
    )


async def newest_stored_file(site: Site, *, actor: Actor, namespace: str, type: str, label: str, name: str) -> StoredFile | None:
    """The same for a type, with its extras; None also where the actor may not read the package."""
    row = await newest_file(namespace=namespace.lower(), type=type, label=label, name=name, basename=None)
    if row is None or not sees(site, actor, On.package_of(row), needs=(f"{type}:download", *API_READ)):
        return None
    [file] = await files.stored_files([row])
    return file
