"""dist-tags: words that point at versions and move. Kept in the package's state, one key each, so that two moves at once do not undo each other."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from entrepot.plugin import Actor, NotFound, PermissionDenied, Services, ValidationError

from entrepot_npm.models import NpmTagMove
from entrepot_npm.names import canonical_version, tag_name

SCOPE = "npm:tag"
"""What a token needs, besides `npm:upload`, to move a tag by itself. Publishing sets the tags of what it publishes without it."""

_prefix = "dist-tag:"


def dist_tags_of(state: Mapping[str, Any]) -> dict[str, str]:
    """The dist-tags in a package's state: version by tag, in the order of tags."""
    return {key.removeprefix(_prefix): state[key] for key in sorted(state) if key.startswith(_prefix)}


async def dist_tags(services: Services, actor: Actor, *, namespace: str, package: str) -> dict[str, str]:
    """The dist-tags of a package. Raises NotFound."""
    files = await services.files(actor, namespace=namespace, type="npm", name=package)
    present = {file.version for file in files}
    state = files[0].package_state if files else {}
    return {tag: version for tag, version in dist_tags_of(state).items() if version in present}


async def move(services: Services, actor: Actor, *, namespace: str, package: str, changes: Mapping[str, str | None]) -> None:
    """Point tags at versions, or remove them (None), and remember that: all of it or nothing.

    Raises ValidationError, NotFound, PermissionDenied.
    """
    changes = {tag_name(tag): version and canonical_version(version) for tag, version in changes.items()}
    async with services.transaction():
        files = await services.files(actor, namespace=namespace, type="npm", name=package)
        spelled = {canonical_version(file.version): file.version for file in files}
        unknown = next((version for version in changes.values() if version is not None and version not in spelled), None)
        if unknown is not None:
            raise ValidationError(f"There is no version {unknown} of {package}; publish it before you tag it.")
        at = time.time_ns() // 1_000_000
        for tag, version in changes.items():
            await NpmTagMove.create(
                namespace=namespace.lower(), package=package, tag=tag, version=version and spelled[version], at=at, actor=actor.name
            )
        state = {_prefix + tag: version and spelled[version] for tag, version in changes.items()}
        # Last in the transaction: it ends with the locks that every other writer of this index waits for.
        await services.set_state(actor, namespace=namespace, type="npm", name=package, action="npm.dist-tag", package_state=state)


def require_tag_scope(actor: Actor) -> None:
    """Whether the token may move tags. Whose package it is, is the core's to judge."""
    if not actor.allows(SCOPE):
        raise PermissionDenied(f"This token lacks the scope {SCOPE}. Make one with `npm`, or with `npm:upload` and `{SCOPE}`.")


def require_tag(tags: Mapping[str, str], tag: str, package: str) -> None:
    """Raises NotFound for a tag that is not there."""
    if tag not in tags:
        raise NotFound(f"{package} has no dist-tag {tag}.")
