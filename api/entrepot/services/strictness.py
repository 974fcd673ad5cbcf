"""How much a namespace insists on of what package types ask of files."""

from __future__ import annotations

from collections.abc import Sequence

from entrepot.errors import Conflict, InvalidPackage
from entrepot.inspection import Inspection, Objection, Strictness

_most_told = 3


def strictness_of(text: str | None) -> Strictness:
    """As `namespace.strictness` has it; nothing said: private."""
    return Strictness.PRIVATE if text is None else Strictness(text)


def check_objections(inspection: Inspection, strictness: Strictness) -> None:
    """Let pass a file that breaks no rule on which this strictness insists. Raises InvalidPackage, with what would let it pass."""
    if sentence := _refusal(inspection.objections, strictness):
        raise InvalidPackage(sentence)


def check_admission(objections: Sequence[Objection], strictness: Strictness) -> Sequence[str]:
    """As `check_objections`, of a file beside others. Raises Conflict; answers what an import tells of a file that passes."""
    if sentence := _refusal(objections, strictness):
        raise Conflict(sentence)
    return forgiven(objections)


def forgiven(objections: Sequence[Objection]) -> Sequence[str]:
    """What an import tells of a file that it takes."""
    return [objection.message for objection in objections if Strictness.PRIVATE.insists_on(objection)]


def _refusal(objections: Sequence[Objection], strictness: Strictness) -> str:
    """Why a file is refused, with what would let it pass; empty where it is not."""
    insisted = [objection for objection in objections if strictness.insists_on(objection)]
    if not insisted:
        return ""
    said = " ".join(objection.message for objection in insisted[:_most_told])
    if forgiven(insisted):
        return f"{said} (`entrepot import` takes such files, and so does a namespace whose strictness is IMPORT.)"
    return f"{said} (The namespace insists on it because its strictness is PUBLIC; `updateNamespace` changes that.)"
