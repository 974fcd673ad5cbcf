"""What is said, and counted, when a part that the server needs does not do its work."""

from __future__ import annotations

from entrepot.errors import Unavailable
from entrepot.metrics import UNAVAILABLE


def database_unavailable(message: str) -> Unavailable:
    """The error to raise where the database is away, full or locked."""
    UNAVAILABLE.add_in_thread("database")
    return Unavailable(message)


def storage_unavailable(message: str) -> Unavailable:
    """The error to raise where the storage of the files is away or full."""
    UNAVAILABLE.add_in_thread("storage")
    return Unavailable(message)
