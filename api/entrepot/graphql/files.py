"""Making the files of an answer: instances of the types' own classes, with the core's fields at once and the rest when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import strawberry

from entrepot.db.sql import Row
from entrepot.graphql.connection import Connection
from entrepot.graphql.interfaces import File
from entrepot.inspection import StoredExtra
from entrepot.services.files import stored_file

if TYPE_CHECKING:
    from entrepot.graphql.context import Context
    from entrepot.packagetype import PackageType


@strawberry.type(description="A file of a package type that says no more of it than the core does.")
class PlainFile(File):
    """For types without a GraphQL type of their own."""


@strawberry.type(description="A page of files.")
class FileConnection(Connection[File]):
    """Files, newest first."""


PLAIN = ("type", "path", "basename", "version", "platform", "size", "sha256", "md5", "uploaded_at")
"""The fields of every file that are columns."""
NAMES = ("id", *PLAIN)
values_of = itemgetter("uuid", *PLAIN)


def file_of(context: Context, row: Row, binding: Row, extras: Mapping[str, StoredExtra]) -> File:
    """The file of a row of the catalog.

    Its class belongs to a plugin and its `__init__` wants every field: so it is made without, and `File.__getattr__` gets what is missing. Parsing
    the attributes of 500 files whose own fields nobody asked for would take a third of the whole request.
    """
    package_type = context.site.registry.types[row["type"]]
    kind = package_type.graphql_type or PlainFile
    fill = partial(_late_fields, context, package_type, row, binding, extras)
    own: dict[str, Any] = dict(zip(NAMES, values_of(row), strict=True))
    own["_row"], own["_fill"] = row, fill
    file: File = object.__new__(kind)
    file.__dict__ = {**fill(), **own} if _has_defaults(kind) else own
    return file


def _late_fields(context: Context, package_type: PackageType, row: Row, binding: Row, extras: Mapping[str, StoredExtra]) -> dict[str, Any]:
    """The fields of the type, and the download URL."""
    stored = stored_file({**row, **dict(binding)}, extras)
    channel = context.channel_url(type=package_type.name, namespace=stored.namespace)
    return {**package_type.graphql_fields(stored), "download_url": f"{channel}/{package_type.location(stored)}"}


@cache
def _has_defaults(kind: type) -> bool:
    """Whether a field of the class has a default: as a class attribute it would hide that the file's own value is still missing."""
    fields = kind.__strawberry_definition__.fields  # type: ignore[attr-defined]  # Strawberry's mark
    return any(field.base_resolver is None and hasattr(kind, field.python_name) for field in fields)
