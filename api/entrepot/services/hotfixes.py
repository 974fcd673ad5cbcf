"""Hotfixes: what indexes say of a file instead of what the file says of itself. Kept beside it, never in it, and so undone at any time.

They are for who administers the namespace. What a hotfix may say, the file's type decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from entrepot.errors import ValidationError
from entrepot.services import states
from entrepot.services.filestates import FileChange, change_files
from entrepot.services.selections import FileSelection

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site

KEY = "hotfix"
"""In the state of a file."""
LARGEST = 64 << 10
"""Of a hotfix, in bytes of JSON: each file of the selection keeps it."""


async def set_hotfix(site: Site, *, actor: Actor, selection: FileSelection, hotfix: Mapping[str, Any]) -> list[str]:
    """Let indexes say something else of files, in place of what an earlier hotfix has said; answers the ids of those that changed.

    All of them or none. Raises NotFound, Unauthenticated, PermissionDenied, ValidationError for what the type of a file does not take.
    """
    _check(hotfix)
    change = FileChange(action="hotfix.set", key=KEY, say=lambda type, file: type.hotfix(file, hotfix), by_administrators=True)
    return await change_files(site, actor=actor, selection=selection, change=change)


async def remove_hotfix(site: Site, *, actor: Actor, selection: FileSelection) -> list[str]:
    """Let indexes say again what files say of themselves; answers the ids of those that changed: a file without a hotfix stays as it is.

    All of them or none. Raises NotFound, Unauthenticated, PermissionDenied, ValidationError.
    """
    change = FileChange(action="hotfix.remove", key=KEY, say=lambda type, file: None, by_administrators=True)
    return await change_files(site, actor=actor, selection=selection, change=change)


def without_hotfix(state: str) -> str:
    """The state of a file in another namespace: what its administrators did not say, a mere writer shall not bring along."""
    return states.merged(state, {KEY: None})


def _check(hotfix: Mapping[str, Any]) -> None:
    """What needs no type to be judged. Raises ValidationError."""
    if not hotfix:
        raise ValidationError("The hotfix names no field. To undo one, remove it.", field="hotfix")
    try:
        size = len(orjson.dumps(hotfix))
    except TypeError as error:
        raise ValidationError("The hotfix holds a number beyond 64 bits, or half of a character.", field="hotfix") from error
    if size > LARGEST:
        raise ValidationError(f"The hotfix takes more than {LARGEST:,} bytes as JSON.", field="hotfix")
