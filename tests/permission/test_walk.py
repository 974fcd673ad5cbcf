"""Random people do random things to two namespaces; after each of them people are shown, everywhere, what the oracle says."""

from __future__ import annotations

import asyncio
from collections import Counter
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
from oracle import Level

from .shown import check
from .walk import GROUPS, LABELS, NAMES, TYPES, VERSIONS, Asker, Town

several = st.integers(0, 100)
"""Which one of several things, however many there are."""
CHANGES = (
    *("upload", "upload to a freed name", "hide", "publish", "label", "unlabel", "remove", "delete", "transfer"),
    *("join", "leave", "give group", "take group", "give collaborator", "take collaborator", "disable", "enable", "revoke"),
)
"""Each of them is made in every run: a walk that is refused everything shows little."""


class Walk(RuleBasedStateMachine):
    """Towns of one site, one after the other."""

    run: ClassVar[Callable[[Coroutine[Any, Any, Any]], Any]]
    house: ClassVar[House]
    numbers: ClassVar[Iterator[int]]
    made: ClassVar[Counter[str]]

    def __init__(self) -> None:
        super().__init__()
        self.town = Town(self.house, next(self.numbers))
        type(self).run(self.town.open())
        self.concerned: set[str] = set()
        """Those whom the step was about: they are looked at whoever's turn it is."""
        self.turn = 0

    @initialize(private=st.lists(st.booleans(), min_size=2, max_size=2), users=st.permutations(range(1, 4)))
    def stock(self, private: list[bool], users: list[int]) -> None:
        """Something is there from the first, and people were given some of it: the user's package, and the organization's."""
        self.do(self.town.stock(private))
        self.entrust(0, to_group=False, user=users[0])
        self.entrust(1, to_group=True, user=users[1])
        self.group(users[1], "some")

    def asker(self, which: int, able: bool, place: tuple[str, str | None] | None, level: Level) -> Asker:
        """Somebody; `able`: somebody who may."""
        names = self.town.able(place, level) if able else list(self.town.askers)
        self.concerned.add(name := names[which % len(names)])
        return self.town.askers[name]

    def member(self, user: int) -> str:
        """One of the people."""
        self.concerned.add(name := self.town.people[user % len(self.town.people)])
        return name

    def do(self, step: Coroutine[Any, Any, None]) -> None:
        type(self).run(step)

    @rule(
        by=several,
        able=st.booleans(),
        at=st.booleans(),
        name=st.sampled_from(range(len(NAMES))),
        type_=st.sampled_from(TYPES),
        version=st.sampled_from(VERSIONS),
        private=st.sampled_from([None, True, False]),
        label=st.sampled_from(LABELS),
    )
    def upload(self, by: int, able: bool, at: bool, name: int, type_: str, version: str, private: bool | None, label: str) -> None:
        place = self.town.namespaces[at], self.town.names[name]
        asker = self.asker(by, able, (place[0], None), Level.ADMIN)
        self.do(self.town.upload(asker, place, type_, version, private=private, label=label))

    @precondition(lambda self: self.town.packages)
    @rule(by=several, able=st.booleans(), package=several)
    def show(self, by: int, able: bool, package: int) -> None:
        """To more people, or to fewer."""
        id = picked(self.town.packages, package)
        place = self.town.packages[id]
        self.do(self.town.show(self.asker(by, able, place, Level.ADMIN), id, private=not self.town.world.private[place]))

    @precondition(lambda self: self.town.files)
    @rule(by=several, able=st.booleans(), file=several, label=st.sampled_from(LABELS))
    def label(self, by: int, able: bool, file: int, label: str) -> None:
        one = self.town.files[picked(self.town.files, file)]
        self.do(self.town.label(self.asker(by, able, one.place, Level.WRITE), one, label, on=label not in one.labels))

    @precondition(lambda self: self.town.files)
    @rule(by=several, able=st.booleans(), file=several)
    def remove(self, by: int, able: bool, file: int) -> None:
        one = self.town.files[picked(self.town.files, file)]
        self.do(self.town.remove(self.asker(by, able, one.place, Level.WRITE), one))

    @precondition(lambda self: self.town.packages)
    @rule(by=several, able=st.booleans(), package=several)
    def delete(self, by: int, able: bool, package: int) -> None:
        id = picked(self.town.packages, package)
        self.do(self.town.delete(self.asker(by, able, self.town.packages[id], Level.ADMIN), id))

    @precondition(lambda self: self.town.packages)
    @rule(by=several, able=st.booleans(), package=several)
    def transfer(self, by: int, able: bool, package: int) -> None:
        """Few may: who administers the site may always."""
        self.do(self.town.transfer(self.asker(by, able, None, Level.ADMIN), picked(self.town.packages, package)))

    @precondition(lambda self: self.town.free)
    @rule(by=several, able=st.booleans(), at=several, type_=st.sampled_from(TYPES), private=st.sampled_from([None, True, False]))
    def take(self, by: int, able: bool, at: int, type_: str, private: bool | None) -> None:
        """A name that was freed."""
        place = self.town.free[at % len(self.town.free)]
        asker = self.asker(by, able, (place[0], None), Level.ADMIN)
        self.do(self.town.upload(asker, place, type_, VERSIONS[0], private=private, label=LABELS[0]))

    @rule(user=several, group=st.sampled_from(GROUPS))
    def group(self, user: int, group: str) -> None:
        """Somebody joins, or leaves."""
        member = self.member(user)
        inside = member in self.town.world.groups[self.town.acme, group].members
        self.do(self.town.leave(group, member) if inside else self.town.join(group, member))

    @precondition(lambda self: self.town.packages)
    @rule(package=several, to_group=st.booleans(), user=several)
    def entrust(self, package: int, to_group: bool, user: int) -> None:
        """Give a package to a collaborator or a group, or take it away."""
        id = picked(self.town.packages, package)
        self.do(self.town.entrust(id, to_group=to_group, user=self.member(user)))

    @precondition(lambda self: self.town.trusted)
    @rule(which=several)
    def distrust(self, which: int) -> None:
        """Take a package away from who was given it."""
        id, to_group, user = self.town.trusted[which % len(self.town.trusted)]
        self.concerned.update({user} if user else set(self.town.world.groups[self.town.acme, "some"].members))
        self.do(self.town.entrust(id, to_group=to_group, user=user or self.town.people[0]))

    @rule(user=several)
    def disable(self, user: int) -> None:
        """Or enable."""
        member = self.member(user)
        self.do(self.town.disable(member, disabled=member not in self.town.world.disabled))

    @rule(user=several)
    def revoke(self, user: int) -> None:
        self.do(self.town.revoke_tokens(self.member(user)))

    @rule(user=several)
    def renew(self, user: int) -> None:
        member = self.member(user)
        if member not in self.town.world.disabled:  # a disabled user gets no token
            self.do(self.town.new_token(member))

    @invariant()
    def some_are_shown_what_the_oracle_says(self) -> None:
        """Strangers, those whom the step was about, and one more, in turn."""
        names = list(self.town.askers)
        self.turn += 1
        some = {"anonymous", names[self.turn % len(names)], *self.concerned}
        self.concerned.clear()
        self.do(check(self.town, (self.town.askers[name] for name in names if name in some)))

    def teardown(self) -> None:
        """In the end everybody is asked."""
        self.do(check(self.town, self.town.askers.values()))
        type(self).made.update(self.town.done)


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
            yield type("Walk", (Walk,), {"run": runner.run, "house": house, "numbers": count(1), "made": Counter()})
        finally:
            runner.run(stack.aclose())


def test_everybody_is_shown_what_the_oracle_says_whatever_happened(machine: type[Walk]) -> None:
    bounds = settings(
        max_examples=7,
        stateful_step_count=25,
        deadline=None,
        derandomize=True,  # else what a run shows, and whether it shows each change at all, would be luck
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate,),  # to shrink takes minutes, and a dozen steps can be read
    )
    run_state_machine_as_test(machine, settings=bounds)
    assert {change for change in CHANGES if not machine.made[change]} == set()
