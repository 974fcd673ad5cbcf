"""Random people do random things to two namespaces; after each of them everybody is shown, everywhere, what the oracle says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import pytest
from entrepot.registry import Registry
from ground import Ground
from house import House, open_house
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from .walk import GROUPS, LABELS, NAMES, TYPES, VERSIONS, Asker, Town

several = st.integers(0, 100)
"""Which one of several things, however many there are."""


class Walk(RuleBasedStateMachine):
    """Towns of one site, one after the other."""

    run: ClassVar[Callable[[Coroutine[Any, Any, Any]], Any]]
    house: ClassVar[House]
    numbers: ClassVar[Iterator[int]]

    def __init__(self) -> None:
        super().__init__()
        self.town = Town(self.house, next(self.numbers))
        type(self).run(self.town.open())

    @initialize(private=st.lists(st.booleans(), min_size=4, max_size=4), users=st.permutations(range(1, 4)))
    def stock(self, private: list[bool], users: list[int]) -> None:
        """Something is there from the first, and people were given some of it: of the user's packages one, of the organization's another."""
        self.do(self.town.stock(private))
        self.entrust(0, to_group=False, user=users[0], entrusted=True)
        self.entrust(2, to_group=True, user=users[1], entrusted=True)
        self.group(users[1], "some", stays=True)

    def asker(self, which: int) -> Asker:
        return list(self.town.askers.values())[which % len(self.town.askers)]

    def do(self, step: Coroutine[Any, Any, None]) -> None:
        type(self).run(step)

    @rule(
        by=several,
        at=st.booleans(),
        name=st.sampled_from(range(len(NAMES))),
        type_=st.sampled_from(TYPES),
        version=st.sampled_from(VERSIONS),
        private=st.sampled_from([None, True, False]),
        label=st.sampled_from(LABELS),
    )
    def upload(self, by: int, at: bool, name: int, type_: str, version: str, private: bool | None, label: str) -> None:
        place = self.town.namespaces[at], self.town.names[name]
        self.do(self.town.upload(self.asker(by), place, type_, version, private=private, label=label))

    @precondition(lambda self: self.town.packages)
    @rule(by=several, package=several, private=st.booleans())
    def show(self, by: int, package: int, private: bool) -> None:
        self.do(self.town.show(self.asker(by), picked(self.town.packages, package), private=private))

    @precondition(lambda self: self.town.files)
    @rule(by=several, file=several, label=st.sampled_from(LABELS), on=st.booleans())
    def label(self, by: int, file: int, label: str, on: bool) -> None:
        self.do(self.town.label(self.asker(by), self.town.files[picked(self.town.files, file)], label, on=on))

    @precondition(lambda self: self.town.files)
    @rule(by=several, file=several)
    def remove(self, by: int, file: int) -> None:
        self.do(self.town.remove(self.asker(by), self.town.files[picked(self.town.files, file)]))

    @precondition(lambda self: self.town.packages)
    @rule(by=several, package=several)
    def delete(self, by: int, package: int) -> None:
        self.do(self.town.delete(self.asker(by), picked(self.town.packages, package)))

    @precondition(lambda self: self.town.packages)
    @rule(by=several, package=several)
    def transfer(self, by: int, package: int) -> None:
        self.do(self.town.transfer(self.asker(by), picked(self.town.packages, package)))

    @precondition(lambda self: self.town.packages)
    @rule(package=several)
    def transfer_by_who_may(self, package: int) -> None:
        """Few may: else hardly one transfer of a walk would be made."""
        self.do(self.town.transfer(self.town.askers[self.town.root], picked(self.town.packages, package)))

    @rule(user=several, group=st.sampled_from(GROUPS), stays=st.booleans())
    def group(self, user: int, group: str, stays: bool) -> None:
        member = self.town.people[user % len(self.town.people)]
        self.do(self.town.join(group, member) if stays else self.town.leave(group, member))

    @precondition(lambda self: self.town.packages)
    @rule(package=several, to_group=st.booleans(), user=several, entrusted=st.booleans())
    def entrust(self, package: int, to_group: bool, user: int, entrusted: bool) -> None:
        member = self.town.people[user % len(self.town.people)]
        self.do(self.town.entrust(picked(self.town.packages, package), to_group=to_group, user=member, entrusted=entrusted))

    @rule(user=several, disabled=st.booleans())
    def disable(self, user: int, disabled: bool) -> None:
        self.do(self.town.disable(self.town.people[user % len(self.town.people)], disabled=disabled))

    @rule(user=several)
    def revoke(self, user: int) -> None:
        self.do(self.town.revoke_tokens(self.town.people[user % len(self.town.people)]))

    @rule(user=several)
    def renew(self, user: int) -> None:
        member = self.town.people[user % len(self.town.people)]
        if member not in self.town.world.disabled:  # a disabled user gets no token
            self.do(self.town.new_token(member))

    @invariant()
    def everybody_is_shown_what_the_oracle_says(self) -> None:
        self.do(self.town.check())


def picked(some: dict[str, Any], which: int) -> str:
    """One of the keys."""
    return list(some)[which % len(some)]


@pytest.fixture
def machine(ground: Ground, tmp_path: Path) -> Iterator[type[Walk]]:
    """The machine on a running site."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        house = runner.run(stack.enter_async_context(open_house(ground.data(tmp_path / "walk"), Registry.built_in())))
        try:
            yield type("Walk", (Walk,), {"run": runner.run, "house": house, "numbers": count(1)})
        finally:
            runner.run(stack.aclose())


def test_everybody_is_shown_what_the_oracle_says_whatever_happened(machine: type[Walk]) -> None:
    bounds = settings(
        max_examples=10,
        stateful_step_count=10,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.reuse, Phase.generate),  # to shrink takes minutes, and a dozen steps can be read
    )
    run_state_machine_as_test(machine, settings=bounds)
