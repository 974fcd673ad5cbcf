"""Throttling: who guesses passwords has to wait, longer and longer, on whichever worker and through restarts.

What is counted, and when there are pauses:

- an *account*, by its name, whether anybody has it or not: 5 attempts are free, then each failure doubles the pause, up to a quarter of an hour;
- an *address* (of IPv6 the /64, which one customer has): 20 attempts are free, then the same. Registrations count too;
- a *known place*, an account at an address from where somebody has logged in to it in the last 90 days: it has a count of its own, and neither of
  the two others is asked. So nobody can keep somebody out who is where they usually are, whatever happens to the account elsewhere.

An attempt is counted before its password is looked at, in a transaction of its own: a hundred guesses at once are a hundred, not one. Success takes
back what was counted, and so does a server that is too busy to look. An attempt during a pause is not counted, for else a pause would never end. One
failure is forgotten per hour.

Who locks several counts locks them in the order of their keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple

from entrepot.clock import now
from entrepot.db.sql import Row, execute, fetch, marks, transact, transaction
from entrepot.errors import TooManyRequests
from entrepot.services.namespaces import name_key

FREE = {"account": 5, "address": 20, "known": 5}
FIRST_PAUSE = 5_000
LONGEST_PAUSE = 900_000
FORGOTTEN_AFTER = 3_600_000
KNOWN_FOR = timedelta(days=90) // timedelta(milliseconds=1)
KEPT = timedelta(days=2) // timedelta(milliseconds=1)
"""How long a count stays that nobody adds to; by then all of it is forgotten."""
LONGEST_KEY, HALF = 64, 28
"""Characters: of a key, and of each of the two digests that are in one key."""


class Counted(NamedTuple):
    """What a count is with an attempt, and was before it."""

    failures: int
    at: int
    failures_before: int
    at_before: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt to log in that was counted."""

    name: str
    known: str
    """The key of the place, whether it is known or not."""
    counted: Mapping[str, Counted]
    """By key: of the place alone where it is known, else of the account and of the address."""
    failures: int
    """How many there are of the account, should this one fail."""
    pause: int
    """The milliseconds of pause that it begins, should it fail; 0 where it is one of the free ones."""


async def attempt(*, name: str, address: str) -> Attempt:
    """Count an attempt to log in, before its password is looked at. Raises TooManyRequests during a pause."""
    account, address_key, known = _account(name), _address(address), _known(name, address)
    usual = await fetch("SELECT key FROM login_failure WHERE key = $1 AND last_at > $2", known, now() - KNOWN_FOR)
    counted = await _count((known,) if usual else (account, address_key))
    failures = counted[known if usual else account].failures
    return Attempt(name, known, counted, failures, max(_pause(key, one.failures) for key, one in counted.items()))


async def registration(*, address: str) -> Mapping[str, Counted]:
    """Count a registration; answers what was counted. Raises TooManyRequests during a pause of the address."""
    return await _count((_address(address),))


async def take_back(counted: Mapping[str, Counted]) -> None:
    """Take back, in a transaction of its own, what was counted for an attempt that nobody has looked at. Raises Unavailable."""

    async def subtract() -> None:
        for key, one in sorted(counted.items()):
            alone = "UPDATE login_failure SET failures = $1, last_at = $2 WHERE key = $3 AND failures = $4 AND last_at = $5"
            if not await execute(alone, one.failures_before, one.at_before, key, one.failures, one.at):
                await _subtract_one(key)

    await transact(subtract, durable=False)


async def succeeded(attempt: Attempt, *, only_here: bool = False) -> None:
    """Take back, in the running transaction, what was counted: of the address this attempt, of the account everything. Its place is known now, and
    with `only_here` no other one any more. The user must be locked.
    """
    await execute("DELETE FROM login_failure WHERE key = $1", _account(attempt.name))
    for key in attempt.counted:
        if key.startswith("address:"):
            await _subtract_one(key)
    if only_here:
        await _forget_places(attempt.name)
    statement = "INSERT INTO login_failure (key, failures, last_at) VALUES ($1, 0, $2) ON CONFLICT (key) DO UPDATE SET failures = 0, last_at = $2"
    await execute(statement, attempt.known, now())


async def forget(*, name: str) -> None:
    """Forget, in the running transaction, the failures of an account, and the places that are known of it. The user must be locked."""
    await execute("DELETE FROM login_failure WHERE key = $1", _account(name))
    await _forget_places(name)


async def _forget_places(name: str) -> None:
    places = _places(name)
    await execute("DELETE FROM login_failure WHERE key BETWEEN $1 AND $2", places + "0" * HALF, places + "f" * HALF)


async def expire(*, dry_run: bool = False) -> int:
    """Remove counts that are forgotten, and places that are known no more; answers how many."""
    where, ages = "last_at < $1 OR (last_at < $2 AND key NOT LIKE 'known:%')", (now() - KNOWN_FOR, now() - KEPT)
    if dry_run:
        return len(await fetch(f"SELECT key FROM login_failure WHERE {where}", *ages))
    async with transaction():
        # what somebody has locked is no longer that old: to wait for it, with others locked in whatever order, could hold up both for ever
        return await execute(f"DELETE FROM login_failure WHERE key IN (SELECT key FROM login_failure WHERE {where} {{skip}})", *ages)


def network(address: str) -> str:
    """What an address counts as: IPv4 by itself, IPv6 by its first 64 bits, whatever else there may be as it is written."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))
    return str(found)


async def _count(keys: Sequence[str]) -> Mapping[str, Counted]:
    """Add one to each count and answer what they are now. Raises TooManyRequests, and adds nothing, where one of them has a pause."""
    _require_no_pause(await fetch(f"SELECT key, failures, last_at FROM login_failure WHERE key IN ({marks(keys)})", *keys), now())

    async def add() -> tuple[list[Row], int, Mapping[str, Counted]]:
        rows = [await _locked(key) for key in sorted(keys)]
        at = now()  # others may have been waited for
        counted = {row["key"]: Counted(_remembered(row, at) + 1, at, row["failures"], row["last_at"]) for row in rows}
        if not any(_left(row, at) for row in rows):
            for key, one in counted.items():
                await execute("UPDATE login_failure SET failures = $1, last_at = $2 WHERE key = $3", one.failures, at, key)
        return rows, at, counted

    rows, at, counted = await transact(add, durable=False)
    _require_no_pause(rows, at)
    return counted


async def _locked(key: str) -> Row:
    """A count, which nobody removes before the transaction ends: found and locked by one statement, for others remove counts."""
    statement = """INSERT INTO login_failure (key, failures, last_at) VALUES ($1, 0, $2)
        ON CONFLICT (key) DO UPDATE SET failures = login_failure.failures RETURNING key, failures, last_at"""
    [row] = await fetch(statement, key, now())
    return row


async def _subtract_one(key: str) -> None:
    await execute("UPDATE login_failure SET failures = failures - 1 WHERE key = $1 AND failures > 0", key)


def _require_no_pause(rows: Sequence[Row], at: int) -> None:
    left = max((_left(row, at) for row in rows), default=0)
    if left:
        seconds = -(-left // 1000)
        raise TooManyRequests(f"There were too many attempts to log in. Try again in {seconds} seconds.", retry_after=seconds)


def _left(row: Row, at: int) -> int:
    """The milliseconds that are left of a count's pause; never more than all of it, whatever other hosts' clocks say."""
    pause = _pause(row["key"], row["failures"])
    return min(pause, max(0, int(row["last_at"]) + pause - at))


def _remembered(row: Row, at: int) -> int:
    return max(0, int(row["failures"]) - max(0, at - int(row["last_at"])) // FORGOTTEN_AFTER)


def _pause(key: str, failures: int) -> int:
    """The milliseconds that follow on so many failures."""
    over = failures - FREE[key.partition(":")[0]]
    return 0 if over < 0 else min(FIRST_PAUSE << min(over, 20), LONGEST_PAUSE)


def _account(name: str) -> str:
    return f"account:{_digest(name_key(name))}"[:LONGEST_KEY]


def _address(address: str) -> str:
    return f"address:{_digest(network(address))}"[:LONGEST_KEY]


def _known(name: str, address: str) -> str:
    return _places(name) + _digest(network(address))[:HALF]


def _places(name: str) -> str:
    """How the keys of all places begin that are known of an account: what follows are so many more hexadecimal digits, in whatever collation."""
    return f"known:{_digest(name_key(name))[:HALF]}:"


def _digest(counted: str) -> str:
    """Keys hold 112 bits and more of a digest, so that no names are in the table: some are passwords in the wrong field."""
    return hashlib.sha256(counted.encode("utf-8", "surrogatepass")).hexdigest()
