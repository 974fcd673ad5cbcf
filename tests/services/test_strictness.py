"""What a namespace insists on."""

from __future__ import annotations

import pytest
from entrepot.plugin import Conflict, Inspection, InvalidPackage, Objection, Strictness
from entrepot.services.strictness import check_admission, check_objections, strictness_of

IMPORT, PRIVATE, PUBLIC = Strictness


@pytest.mark.parametrize(
    ("strictness", "since", "refused"),
    [
        (IMPORT, PRIVATE, False),
        (IMPORT, PUBLIC, False),
        (PRIVATE, PRIVATE, True),
        (PRIVATE, PUBLIC, False),
        (PUBLIC, PRIVATE, True),
        (PUBLIC, PUBLIC, True),
    ],
)
def test_a_strictness_insists_on_what_the_milder_ones_do(strictness: Strictness, since: Strictness, refused: bool) -> None:
    assert strictness.insists_on(Objection(since, "Odd.")) is refused


def test_a_namespace_of_which_nothing_was_said_is_a_private_house() -> None:
    assert strictness_of(None) is PRIVATE
    assert [strictness_of(one.value) for one in Strictness] == [*Strictness]


def test_a_refusal_says_what_is_wrong_and_who_takes_the_file() -> None:
    odd = Inspection(name="a", version="1", objections=[Objection(PUBLIC, "It is odd."), Objection(PRIVATE, "It is old.")])
    check_objections(odd, IMPORT)
    with pytest.raises(
        InvalidPackage, match=r"^It is old\. \(`entrepot import` takes such files, and so does a namespace whose strictness is IMPORT\.\)$"
    ):
        check_objections(odd, PRIVATE)
    with pytest.raises(InvalidPackage, match=r"^It is odd\. It is old\. \(`entrepot import`"):
        check_objections(odd, PUBLIC)
    with pytest.raises(InvalidPackage, match=r"^It is odd\. .*its strictness is PUBLIC"):
        check_objections(Inspection(name="a", version="1", objections=odd.objections[:1]), PUBLIC)


def test_what_speaks_against_a_file_beside_others_is_a_conflict_or_is_told_of_when_it_passes() -> None:
    odd, old = Objection(PUBLIC, "It is odd."), Objection(PRIVATE, "It is a second one.")
    assert check_admission([odd, old], IMPORT) == ["It is a second one."]
    assert check_admission([odd], PRIVATE) == []
    with pytest.raises(
        Conflict, match=r"^It is a second one\. \(`entrepot import` takes such files, and so does a namespace whose strictness is IMPORT\.\)$"
    ):
        check_admission([odd, old], PRIVATE)
    with pytest.raises(Conflict, match=r"^It is odd\. .*its strictness is PUBLIC"):
        check_admission([odd], PUBLIC)
