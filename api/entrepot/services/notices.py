"""Notices: what plugins are told after a commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from entrepot.db.sql import after_commit
from entrepot.hooks import FileEvent, PackageEvent

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site


def file_event(file: Mapping[str, Any], labels: Sequence[str], actor: Actor) -> FileEvent:
    """What is told of a file."""
    return FileEvent(
        namespace=file["namespace"],
        package=file["package"],
        type=file["type"],
        version=file["version"],
        path=file["path"],
        sha256=file["sha256"],
        labels=labels,
        actor=actor.name,
    )


def tell_of_files(site: Site, hook: str, events: Sequence[FileEvent]) -> None:
    """`file_published` or `file_removed`, once the running transaction has committed."""
    for event in events:
        after_commit(partial(site.registry.notify, hook, event))


def tell_of_package(site: Site, actor: Actor, *, namespace: str, package: str, action: str, **details: Any) -> None:
    """`package_changed`, once the running transaction has committed."""
    event = PackageEvent(namespace=namespace, package=package, action=action, actor=actor.name, details=details)
    after_commit(partial(site.registry.notify, "package_changed", event))
