"""How much a namespace insists on of what package types ask of files."""

from __future__ import annotations

from entrepot.errors import InvalidPackage
from entrepot.packagetype import Inspection, Strictness

_most_told = 3


def strictness_of(text: str | None) -> Strictness:
    """As `namespace.strictness` has it; nothing said: private."""
    return Strictness.PRIVATE if text is None else Strictness(text)


def check_objections(inspection: Inspection, strictness: Strictness) -> None:
    """Let pass a file that breaks no rule on which this strictness insists. Raises InvalidPackage, with what would let it pass."""
    insisted = [objection for objection in inspection.objections if strictness.insists_on(objection)]
    if not insisted:
        return
    said = " ".join(objection.message for objection in insisted[:_most_told])
    if any(Strictness.PRIVATE.insists_on(objection) for objection in insisted):
        raise InvalidPackage(f"{said} (`entrepot import` takes such files.)")
    raise InvalidPackage(f"{said} (The namespace insists on it because its strictness is PUBLIC; `updateNamespace` changes that.)")
