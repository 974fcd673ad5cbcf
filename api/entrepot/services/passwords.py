"""Passwords: argon2id, with memory modest enough that a handful of logins at once do not fill a small server."""

from __future__ import annotations

import asyncio
import os
import secrets
import unicodedata
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from entrepot.errors import Unavailable, ValidationError

T = TypeVar("T")

SHORTEST, LONGEST = 8, 1024
AT_ONCE = 2
"""How many hashes a process works on at once; the others wait."""
MOST_WAITING = 64

# OWASP's second choice of parameters: 19 MiB, two passes, one lane.
hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def check_password(password: str, *, name: str) -> None:
    """Raises ValidationError for what can be no password of the user of that name."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise ValidationError(f"A password needs at least {SHORTEST} characters, and may have {LONGEST}. Choose another one.", field="password")
    if password.casefold() == name.casefold():
        raise ValidationError("A password must not be the user's name. Choose another one.", field="password")
    if not password.isascii() and any(unicodedata.category(character) == "Cs" for character in password):
        raise ValidationError("The password holds half a character (a lone surrogate). Choose another one.", field="password")


async def hash_password(password: str) -> str:
    """The argon2id hash, in the usual encoded form. The password must have passed `check_password`. Raises Unavailable."""
    return await _work.run(lambda: hasher.hash(_bytes(password)))


async def verify_password(stored: str | None, password: str) -> bool:
    """Whether a password is the one of a stored hash; without one it takes the same time, and is wrong. Raises Unavailable."""
    possible = len(password) <= LONGEST
    return await _work.run(lambda: _verify(stored if possible and stored else _nobodys, _bytes(password if possible else "")))


def outdated(stored: str) -> bool:
    """Whether a hash was made with other parameters than the present ones."""
    return hasher.check_needs_rehash(stored)


def _verify(stored: str, password: bytes) -> bool:
    try:
        return hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def _bytes(password: str) -> bytes:
    """One password, however a keyboard composes its letters."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


def _random(count: int) -> str:
    return b64encode(secrets.token_bytes(count)).decode().rstrip("=")


_nobodys = f"$argon2id$v=19$m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}${_random(hasher.salt_len)}${_random(hasher.hash_len)}"
"""The hash of no password, which costs as much to compare with as anybody's."""


class Work:
    """Threads of its own, so that a rush to log in neither fills the memory nor holds up what else threads do."""

    def __init__(self) -> None:
        self._waiting = 0
        self.forget_threads()
        os.register_at_fork(after_in_child=self.forget_threads)

    def forget_threads(self) -> None:
        """A forked process has none of its parent's."""
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="password")

    async def run(self, work: Callable[[], T]) -> T:
        """Wait for a turn, and for the result. Raises Unavailable where too many wait already."""
        if self._waiting >= MOST_WAITING + AT_ONCE:
            raise Unavailable("Too many are logging in just now. Try again in a moment.")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


_work = Work()
