"""What the index documents in a folder say of the files there."""

from __future__ import annotations

import logging
import posixpath
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from entrepot.errors import EntrepotError
from entrepot.packagetype import Listed

if TYPE_CHECKING:
    from entrepot.packagetype import PackageType
    from entrepot.services.imports.folders import Folder, FoundFile

log = logging.getLogger(__name__)


def read_listings(
    folder: Folder, companions: Iterable[FoundFile], types: Iterable[PackageType], stopped: Callable[[], bool]
) -> tuple[dict[str, Listed], dict[str, str]]:
    """What is said of each file, by its path; and the sentences on companions that cannot be read, by theirs. Reads files: call it in a thread."""
    known = list(types)
    listed: dict[str, Listed] = {}
    failed: dict[str, str] = {}
    for companion in companions:
        for package_type in () if stopped() else known:
            if package_type.is_companion(companion.basename):
                try:
                    _join(listed, companion, _read(folder, companion, package_type))
                except EntrepotError as error:
                    failed[companion.path] = f"{error.message} What it says was not looked at."
    return listed, failed


def _read(folder: Folder, companion: FoundFile, package_type: PackageType) -> Mapping[str, Listed]:
    try:
        with folder.open(companion) as opened:
            return package_type.read_companion(opened.file, companion.basename)
    except EntrepotError:
        raise
    except Exception as error:  # a plugin's code: whatever it raises is this listing's trouble alone
        log.debug("The package type %r failed to read %s.", package_type.name, companion.path, exc_info=True)
        raise EntrepotError(f"It cannot be read ({type(error).__name__}).") from error


def _join(listed: dict[str, Listed], companion: FoundFile, said: Mapping[str, Listed]) -> None:
    """Add what a companion says, by the path in the whole folder; what leads out of the folder matches no file."""
    home = companion.path.rpartition("/")[0]
    for relative, one in said.items():
        path = posixpath.normpath(posixpath.join(home, relative))
        other = listed.get(path)
        listed[path] = one if other is None else _both(other, one)


def _both(first: Listed, second: Listed) -> Listed:
    return Listed(
        digests={**first.digests, **second.digests},
        record={**first.record, **second.record},
        state={**first.state, **second.state},
        removed=first.removed or second.removed,
    )
