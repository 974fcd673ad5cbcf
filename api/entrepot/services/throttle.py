"""Throttling: who guesses passwords has to wait, longer and longer, on whichever worker and through restarts.

What is counted, and when there are pauses:

- an *account*, by its name, whether anybody has it or not: 5 attempts are free, then each failure doubles the pause, up to a quarter of an hour;
- an *address* (of IPv6 the /64, which one customer has): 20 attempts are free, then the same. Registrations count too;
- a *known place*, an account at an address from where somebody has logged in to it in the last 90 days: it has a count of its own, and neither of
  the two others is asked. So nobody can keep somebody out who is where they usually are, whatever happens to the account elsewhere.

An attempt is counted before its password is looked at, in a transaction of its own: a hundred guesses at once are a hundred, not one. Success takes
back what was counted. An attempt during a pause is not counted, for else a pause would never end. One failure is forgotten per hour.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address

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


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt to log in that was counted."""

    account: str
    address: str
    known: str
    failures: int
    """How many there are of the account, should this one fail."""
    pause: int
    """The milliseconds of pause that it begins, should it fail; 0 where it is one of the free ones."""


async def attempt(*, name: str, address: str) -> Attempt:
    """Count an attempt to log in, before its password is looked at. Raises TooManyRequests during a pause."""
    place = network(address)
    account, known, shared = _key("account", name_key(name)), _key("known", f"{place} {name_key(name)}"), _key("address", place)
    usual = await fetch("SELECT key FROM login_failure WHERE key = $1 AND last_at > $2", known, now() - KNOWN_FOR)
    counts = await _count((known,) if usual else (account, shared))
    failures = counts[known] if usual else counts[account]
    return Attempt(account, shared, known, failures, max(_pause(key, counted) for key, counted in counts.items()))


async def registration(*, address: str) -> None:
    """Count a registration. Raises TooManyRequests during a pause of the address."""
    await _count((_key("address", network(address)),))


async def succeeded(attempt: Attempt) -> None:
    """Take back, in the running transaction, what was counted: of the address this attempt, of the account everything. Its place is known now."""
    await execute("DELETE FROM login_failure WHERE key = $1", attempt.account)  # in the order of the keys, as they are locked elsewhere
    await execute("UPDATE login_failure SET failures = failures - 1 WHERE key = $1 AND failures > 0", attempt.address)
    statement = "INSERT INTO login_failure (key, failures, last_at) VALUES ($1, 0, $2) ON CONFLICT (key) DO UPDATE SET failures = 0, last_at = $2"
    await execute(statement, attempt.known, now())


async def forget(*, name: str) -> None:
    """Forget, in the running transaction, the failures of an account."""
    await execute("DELETE FROM login_failure WHERE key = $1", _key("account", name_key(name)))


async def expire(*, dry_run: bool = False) -> int:
    """Remove counts that are forgotten, and places that are known no more; answers how many."""
    where, ages = "last_at < $1 OR (last_at < $2 AND key NOT LIKE 'known:%')", (now() - KNOWN_FOR, now() - KEPT)
    if dry_run:
        return len(await fetch(f"SELECT key FROM login_failure WHERE {where}", *ages))
    async with transaction():
        return await execute(f"DELETE FROM login_failure WHERE {where}", *ages)


def network(address: str) -> str:
    """What an address counts as: IPv4 by itself, IPv6 by its first 64 bits, whatever else there may be as it is written."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))
    return str(found)


async def _count(keys: Sequence[str]) -> dict[str, int]:
    """Add one to each count and answer what they are now. Raises TooManyRequests, and adds nothing, where one of them has a pause."""
    _require_no_pause(await fetch(f"SELECT key, failures, last_at FROM login_failure WHERE key IN ({marks(keys)})", *keys), now())

    async def add() -> tuple[list[Row], int, dict[str, int]]:
        for key in sorted(keys):
            await execute("INSERT INTO login_failure (key, failures, last_at) VALUES ($1, 0, $2) ON CONFLICT (key) DO NOTHING", key, now())
        rows = await fetch(f"SELECT key, failures, last_at FROM login_failure WHERE key IN ({marks(keys)}) ORDER BY key {{lock}}", *keys)
        at = now()  # others may have been waited for
        counts = {row["key"]: _remembered(row, at) + 1 for row in rows}
        if not any(_left(row, at) for row in rows):
            for key, failures in counts.items():
                await execute("UPDATE login_failure SET failures = $1, last_at = $2 WHERE key = $3", failures, at, key)
        return rows, at, counts

    rows, at, counts = await transact(add, durable=False)
    _require_no_pause(rows, at)
    return counts


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


def _key(kind: str, counted: str) -> str:
    """Where a count is: 200 bits and more of a digest, so that no names are in the table: some are passwords in the wrong field."""
    return f"{kind}:{hashlib.sha256(counted.encode('utf-8', 'surrogatepass')).hexdigest()}"[:64]
