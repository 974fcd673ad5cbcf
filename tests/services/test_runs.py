"""Runs: where a document is cut, what a change costs, and that nobody can tell from the cuts what is hidden from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from entrepot.services.partstores import HeldPart, PartStore
from entrepot.services.runs import RUN_SIZE, Runs, StoredRun
from hypothesis import given, settings
from hypothesis import strategies as st

SIZE = RUN_SIZE // 4  # so that about every fourth part ends a run
names = st.integers(0, 60).map(lambda number: f"part{number}")
parts_of_a_store = st.dictionaries(names, st.tuples(st.integers(0, SIZE), st.booleans()), max_size=25)


def held(parts: dict[str, tuple[int, bool]]) -> dict[str, HeldPart]:
    return {name: HeldPart(bytes(size), at, private) for at, (name, (size, private)) in enumerate(parts.items())}


def cut(parts: dict[str, HeldPart]) -> Runs:
    return Runs.of(sorted(parts), parts, private(parts))


def private(parts: dict[str, HeldPart]) -> frozenset[str]:
    return frozenset(name for name, part in parts.items() if part.private)


def shape(runs: Iterable[StoredRun]) -> list[tuple[list[str], list[bytes]]]:
    return [(list(run.names()), list(run.bodies())) for run in runs]


def joined(bodies: Sequence[bytes]) -> list[bytes]:
    return [b"".join(bodies)]


@settings(max_examples=100)
@given(parts_of_a_store, parts_of_a_store, st.sets(names))
def test_a_store_that_has_advanced_is_cut_as_one_that_was_read_whole(
    before: dict[str, tuple[int, bool]], changes: dict[str, tuple[int, bool]], gone: set[str]
) -> None:
    old, fresh = held(before), held(changes)
    new = {name: part for name, part in {**old, **fresh}.items() if name not in gone}
    advanced = cut(old).advanced(sorted(new), new, private(new), {*fresh, *gone})
    assert shape(advanced.runs) == shape(cut(new).runs)
    assert [name for run in advanced.runs for name in run.names()] == sorted(new)


@settings(max_examples=100)
@given(parts_of_a_store)
def test_who_does_not_see_a_part_sees_the_cuts_that_were_there_without_it(parts: dict[str, tuple[int, bool]]) -> None:
    every = held(parts)
    visible = {name: part for name, part in every.items() if not part.private}
    assert shape(cut(every).without(private(every))) == shape(cut(visible).runs)


def test_a_change_makes_one_run_of_many_anew() -> None:
    parts = held({f"part{number:03}": (SIZE, False) for number in range(200)})
    before = cut(parts)
    assert len(before.runs) > 20
    for run in before.runs:
        run.made("sum", joined)
    changed = {**parts, "part100": HeldPart(b"other", 1, False)}
    after = before.advanced(sorted(changed), changed, (), {"part100"})
    assert len([run for run in after.runs if run not in before.runs]) in (1, 2)
    assert sum(run.cost == 0 for run in after.runs) in (1, 2)


def test_what_is_made_of_a_run_is_made_once_and_hashed_once() -> None:
    calls: list[int] = []

    def make(bodies: Sequence[bytes]) -> list[bytes]:
        calls.append(len(bodies))
        return joined(bodies)

    [run] = cut({"a": HeldPart(b"x", 1, False), "b": HeldPart(b"y", 2, True)}).runs
    assert run.made("both", make) is run.made("both", make)
    assert (run.made("both", make).pieces, run.made("both", make).size, calls) == ((b"xy",), 2, [2])
    [narrow] = Runs.of(["a", "b"], {"a": HeldPart(b"x", 1, False), "b": HeldPart(b"y", 2, True)}, {"b"}).without(frozenset(["b"]))
    assert narrow.made("both", make).pieces == (b"x",)


def test_readers_of_the_same_parts_share_what_is_made_for_them() -> None:
    runs = cut({"a": HeldPart(b"x", 1, False), "b": HeldPart(b"y", 2, True)})
    assert runs.without(frozenset(["b"]))[0] is runs.without(frozenset(["b"]))[0]
    runs.without(frozenset(["b"]))[0].made("sum", joined)
    assert runs.cost > 0


def test_a_store_that_is_too_large_lets_go_of_what_can_be_made_again() -> None:
    parts = held({f"part{number}": (SIZE, False) for number in range(9)})
    store = PartStore(1, parts, sorted(parts), frozenset(), sum(len(part.body) for part in parts.values()))
    for run in store.shown(()).runs():
        run.made("copy", lambda bodies: [b"".join(bodies)])
    whole = store.cost
    assert store.shrink()
    assert store.cost < whole - 8 * SIZE
    assert not store.shrink()
