"""The parts of one document in one part representation, as a worker holds them between two generations."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from entrepot.services.runs import Runs, StoredRun

if TYPE_CHECKING:
    from entrepot.db.snapshot import DocumentRead
    from entrepot.services.renderings import Rendering

Audience = tuple[int, ...]
"""The ids of the private packages that a reader may see, sorted; empty for the public."""
PART_OVERHEAD = 200
"""What a held part costs beside its bytes, about."""


class HeldPart(NamedTuple):
    """One rendered part: its bytes, or the raw digest of an addressed one."""

    body: bytes
    package_id: int
    private: bool


@dataclass(slots=True)
class PartStore:
    """The parts of a document in one part representation, as of a generation, and the documents rendered from them."""

    generation: int
    parts: Mapping[str, HeldPart]
    names: Sequence[str]
    private: frozenset[str]
    """The names of the parts that not everybody sees."""
    size: int
    documents: dict[tuple[str, Audience, str], Rendering] = field(default_factory=dict)
    runs: Runs | None = None
    """Cut when a rendering first asks for them."""
    unsaved: int = 0
    """How many parts have changed since it was saved (`savedstores.py`)."""

    @classmethod
    def of(cls, generation: int, parts: Mapping[str, HeldPart]) -> PartStore:
        """A store that begins with some parts."""
        return cls(generation, parts, sorted(parts), frozenset(name for name, part in parts.items() if part.private), _cost(parts))

    @property
    def cost(self) -> int:
        """What it holds, about, in bytes."""
        made = self.runs.cost if self.runs else 0
        return self.size + made + sum(one.cost + PART_OVERHEAD for one in list(self.documents.values()))

    def shown(self, audience: Audience) -> StoredParts:
        """The parts that an audience sees."""
        return StoredParts(self, frozenset(name for name in self.private if self.parts[name].package_id not in audience))

    def cut(self) -> Runs:
        """The runs. Two threads that come at once both cut, and cut alike."""
        if self.runs is None:
            self.runs = Runs.of(self.names, self.parts, self.private)
        return self.runs

    def shrink(self) -> bool:
        """Let go of something that can be made again, the oldest document first; False if there is nothing."""
        if self.documents:
            del self.documents[next(iter(self.documents))]
            return True
        if self.runs is None or not self.runs.cost:
            return False
        for run in self.runs.runs:
            run.forget()
        return True


class StoredParts:
    """`representations.Parts` over a store."""

    def __init__(self, store: PartStore, hidden: frozenset[str]) -> None:
        self._store = store
        self._hidden = hidden
        self._names = [name for name in store.names if name not in hidden] if hidden else store.names

    def names(self) -> Sequence[str]:
        """See Parts."""
        return self._names

    def bodies(self) -> Iterator[bytes]:
        """See Parts."""
        parts = self._store.parts
        return (parts[name].body for name in self._names)

    digests = bodies

    def runs(self) -> Sequence[StoredRun]:
        """See Parts."""
        return self._store.cut().without(self._hidden)


def advanced(old: PartStore | None, read: DocumentRead, bodies: Mapping[str, bytes]) -> PartStore:
    """A new store; the old one stays as it is for those who still stream from it. What did not change, which may be much, is not looked at."""
    changed = {name: HeldPart(body, read.parts[name].package_id, read.parts[name].private) for name, body in bodies.items()}
    if read.whole or old is None:
        return PartStore.of(read.generation, changed)
    private = frozenset(name for name, part in changed.items() if part.private)
    differing = [name for name in read.parts if old.parts.get(name) != changed.get(name)]
    kept = _carried(old, read.generation, _held(old.parts, changed, differing), _held(old.parts, changed, read.parts))
    if not differing:
        return PartStore(read.generation, old.parts, old.names, old.private, old.size, kept, old.runs)
    parts, names = dict(old.parts), list(old.names)
    for name in read.parts:
        if name in parts and name not in changed:
            del parts[name]
            del names[bisect_left(names, name)]
        elif name in changed:
            if name not in parts:
                insort(names, name)
            parts[name] = changed[name]
    gone = {name: old.parts[name] for name in read.parts if name in old.parts}
    hidden = old.private.difference(read.parts) | private
    runs = old.runs and old.runs.advanced(names, parts, hidden, read.parts.keys())
    return PartStore(read.generation, parts, names, hidden, old.size - _cost(gone) + _cost(changed), kept, runs)


def _held(before: Mapping[str, HeldPart], now: Mapping[str, HeldPart], names: Iterable[str]) -> list[HeldPart]:
    """Parts as they were and as they are."""
    return [part for name in names for part in (before.get(name), now.get(name)) if part]


def _carried(
    old: PartStore, generation: int, differing: Sequence[HeldPart], touched: Sequence[HeldPart]
) -> dict[tuple[str, Audience, str], Rendering]:
    """The documents that a new generation did not change: their audiences see none of the parts that differ, neither as they were nor as they are.

    So the public, whose document is the most read, pays nothing for what happens to private packages, and cannot tell by the time that it did.
    """
    documents = dict(old.documents)  # a copy: this is a thread, and the event loop may add to them
    kept = {key: one for key, one in documents.items() if not _any_shown(differing, key[1])}
    for (_, audience, _), one in kept.items():
        one.header_outdated |= one.changed_header is not None and _any_shown(touched, audience)
        one.generation = max(one.generation, generation)
    return kept


def _any_shown(parts: Sequence[HeldPart], audience: Audience) -> bool:
    return any(not part.private or part.package_id in audience for part in parts)


def _cost(parts: Mapping[str, HeldPart]) -> int:
    return sum(len(name) + len(part.body) + PART_OVERHEAD for name, part in parts.items())
