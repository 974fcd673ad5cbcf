"""Runs: a large document cut into stretches of neighbouring parts, so that a change costs one stretch.

Where one run ends and the next begins is decided part by part, from the part's name and size alone. So two workers cut alike, whatever each has
seen, a change of one part moves no cut but its own, and who does not see a part sees no cut where it ends.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING
from zlib import crc32

from entrepot.representations import Pieces

if TYPE_CHECKING:
    from entrepot.services.partstores import HeldPart

RUN_SIZE = 256 << 10
"""What a run holds on average, in bytes. Larger ones compress a little better, and a change of one costs more."""
SMALLEST = 200
"""What a part counts for beside its bytes, that runs of very small parts hold no more than a thousand."""
MOST_JOINED = 32
"""Forms of a run for different readers that are remembered."""
_all = 1 << 32
_piece_overhead = 48


class StoredRun:
    """`representations.Run`, with what was made of it."""

    __slots__ = ("_bodies", "_joined", "_made", "_names", "after", "cost", "private")

    def __init__(self, names: Sequence[str], bodies: Sequence[bytes], private: frozenset[str], after: str | None) -> None:
        self.private = private
        """The names in it that not everybody sees."""
        self.after = after
        """The last name of the run before it; None for the first run."""
        self.cost = 0
        """The memory that takes what was made of it, about, in bytes."""
        self._names = names
        self._bodies = bodies
        self._made: dict[str, Pieces] = {}
        self._joined: dict[tuple[tuple[StoredRun, ...], frozenset[str]], StoredRun] = {}

    def names(self) -> Sequence[str]:
        """See Run."""
        return self._names

    def bodies(self) -> Sequence[bytes]:
        """See Run."""
        return self._bodies

    def made(self, what: str, make: Callable[[Sequence[bytes]], Iterable[bytes]]) -> Pieces:
        """See Run. Two threads that come at once both make it, and make the same."""
        found = self._made.get(what)
        if found is None:
            found = pieces_of(make(self._bodies))
            held = set(map(id, self._bodies))
            self.cost += sum(8 if id(piece) in held else _piece_overhead + len(piece) for piece in found.pieces)
            self._made[what] = found
        return found

    def joined(self, before: Sequence[StoredRun], hidden: frozenset[str]) -> StoredRun:
        """This run with some that stand before it, as those see them who do not see some of their parts; remembered, for there are many of them."""
        key = (tuple(before), hidden)
        found = self._joined.get(key)
        if found is None:
            if len(self._joined) >= MOST_JOINED:
                self._joined.clear()
            kept = [pair for run in (*before, self) for pair in zip(run.names(), run.bodies(), strict=True) if pair[0] not in hidden]
            found = StoredRun([name for name, _ in kept], [body for _, body in kept], frozenset(), None)
            self._joined[key] = found
        return found

    @property
    def whole_cost(self) -> int:
        """Its cost with that of its other forms."""
        return self.cost + sum(one.cost for one in list(self._joined.values()))

    def forget(self) -> None:
        """Let go of what was made."""
        self._made.clear()
        self._joined.clear()
        self.cost = 0


class Runs:
    """All runs of a store."""

    def __init__(self, ends: Sequence[str], runs: Sequence[StoredRun]) -> None:
        self.runs = runs
        self._ends = ends
        """The names of the parts behind which a run ends, sorted; behind the last of them there may be one more run."""

    @classmethod
    def of(cls, names: Sequence[str], parts: Mapping[str, HeldPart], private: Collection[str]) -> Runs:
        """Cut from scratch."""
        ends = [name for name in names if _ends_run(name, parts[name].body)]
        return cls(ends, _cut(ends, names, parts, frozenset(private), {}, frozenset()))

    def advanced(self, names: Sequence[str], parts: Mapping[str, HeldPart], private: Collection[str], changed: Collection[str]) -> Runs:
        """The runs after a change of some parts; those that hold none of them are the same objects."""
        ends = list(self._ends)
        for name in changed:
            at = bisect_left(ends, name)
            if at < len(ends) and ends[at] == name:
                del ends[at]
            if name in parts and _ends_run(name, parts[name].body):
                insort(ends, name)
        touched = {ends[at] if (at := bisect_left(ends, name)) < len(ends) else "" for name in changed}
        old = {run.names()[-1] if at < len(self._ends) else "": run for at, run in enumerate(self.runs)}
        return Runs(ends, _cut(ends, names, parts, frozenset(private), old, touched))

    @property
    def cost(self) -> int:
        """The memory that takes what was made of them, about, in bytes."""
        return sum(run.whole_cost for run in self.runs)

    def without(self, hidden: frozenset[str]) -> Sequence[StoredRun]:
        """The runs as those see them who do not see some parts."""
        if not hidden:
            return self.runs
        shown: list[StoredRun] = []
        waiting: list[StoredRun] = []
        for run in self.runs:
            gone = run.private & hidden
            if not gone and not waiting:
                shown.append(run)
            elif run.names()[-1] in gone:  # they see no end here: what is left goes on
                waiting.append(run)
            else:
                shown.append(run.joined(waiting, gone.union(*(one.private & hidden for one in waiting))))
                waiting = []
        if waiting:
            last = waiting.pop()
            shown.append(last.joined(waiting, hidden.intersection(last.private.union(*(one.private for one in waiting)))))
        return [run for run in shown if run.names()]


def _ends_run(name: str, body: bytes) -> bool:
    """By chance, but the same name and size always have the same luck: the larger a part, the likelier."""
    return crc32(name.encode()) * RUN_SIZE < (len(name) + len(body) + SMALLEST) * _all


def _cut(
    ends: Sequence[str],
    names: Sequence[str],
    parts: Mapping[str, HeldPart],
    private: frozenset[str],
    old: Mapping[str, StoredRun],
    touched: Collection[str],
) -> list[StoredRun]:
    """Runs up to each end, and one more behind the last end under the name "". Old ones are kept that begin and end where they did, untouched."""
    runs: list[StoredRun] = []
    start, after = 0, None
    for end in [*ends, ""]:
        stop = bisect_right(names, end) if end else len(names)
        if start < stop:
            run = old.get(end)
            if run is None or run.after != after or end in touched:
                some = names[start:stop]
                run = StoredRun(some, [parts[name].body for name in some], private.intersection(some) if private else private, after)
            runs.append(run)
        start, after = stop, end
    return runs


def pieces_of(pieces: Iterable[bytes]) -> Pieces:
    """Pieces, measured and hashed."""
    digest = hashlib.blake2b(digest_size=32)
    held = tuple(piece for piece in pieces if piece)
    for piece in held:
        digest.update(piece)
    return Pieces(held, sum(map(len, held)), digest.digest())
