"""Rows that tests of transactions write and look for: of blobs, because nothing refers to them."""

from __future__ import annotations

from entrepot.db.sql import execute, fetch


async def insert(name: str) -> None:
    """Add a row."""
    await execute("INSERT INTO blob (sha256, size, state, touched_at) VALUES ($1, 1, 'stored', 0)", name)


async def names() -> set[str]:
    """The rows that are there."""
    return {row["sha256"] for row in await fetch("SELECT sha256 FROM blob")}
