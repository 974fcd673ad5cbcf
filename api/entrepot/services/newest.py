"""The newest file of a package: what a URL without a version means."""

from __future__ import annotations

from entrepot.db.sql import Row, fetch_one
from entrepot.services import files


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
