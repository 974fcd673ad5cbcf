"""Passwords: argon2id, with memory modest enough that a handful of sign-ins at once do not fill a small server."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher

from entrepot.errors import ValidationError

SHORTEST, LONGEST = 8, 1024

# OWASP's second choice of parameters: 19 MiB, two passes, one lane.
hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


async def hash_password(password: str) -> str:
    """The argon2id hash, in the usual encoded form. Raises ValidationError for a password that is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise ValidationError(f"A password needs at least {SHORTEST} characters, and may have {LONGEST}. Choose another one.")
    return await asyncio.to_thread(hasher.hash, password)
