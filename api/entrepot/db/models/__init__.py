"""The tables. Used for writing and as the source of migrations; hot paths and GraphQL read by SQL.

Every time is an integer: milliseconds since 1970 in UTC. Every id that is shown outside is a random UUID in `uuid`; the integer ids stay inside
and are never used twice (AUTOINCREMENT, bigserial). JSON columns are text, written by orjson: nothing filters on them.
"""

from __future__ import annotations

from entrepot.db.models.indexes import Change, Entry, Head, PastChange, SavedStore, Shard
from entrepot.db.models.packages import Binding, Download, Extra, File, FileLabel, FreedPackage, Label, Package, Release, StagedUpload, Tombstone
from entrepot.db.models.people import (
    Collaborator,
    FreedNamespace,
    Group,
    GroupMember,
    GroupPackage,
    LoginFailure,
    Namespace,
    Notice,
    Session,
    Token,
    User,
)
from entrepot.db.models.records import AuditEvent, Blob
from entrepot.db.models.table import Named, Table, new_uuid

__all__ = [
    "AuditEvent",
    "Binding",
    "Blob",
    "Change",
    "Collaborator",
    "Download",
    "Entry",
    "Extra",
    "File",
    "FileLabel",
    "FreedNamespace",
    "FreedPackage",
    "Group",
    "GroupMember",
    "GroupPackage",
    "Head",
    "Label",
    "LoginFailure",
    "Named",
    "Namespace",
    "Notice",
    "Package",
    "PastChange",
    "Release",
    "SavedStore",
    "Session",
    "Shard",
    "StagedUpload",
    "Table",
    "Token",
    "Tombstone",
    "User",
    "new_uuid",
]
