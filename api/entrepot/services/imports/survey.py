"""Looking through a folder before its files are taken: which of them need not be opened, and what its indexes say of the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from entrepot.errors import ValidationError
from entrepot.packagetype import Listed
from entrepot.services.imports.folders import Folder, FoundFile, refused, skipped
from entrepot.services.imports.listings import read_listings
from entrepot.services.imports.outcomes import Line, Outcome, Why, shown
from entrepot.services.labels import label_name

if TYPE_CHECKING:
    from entrepot.packagetype import PackageType

UNFINISHED = (".part", ".partial", ".crdownload", ".download", ".filepart", ".incomplete", ".tmp", ".aria2")
NOTHING = Listed()


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What lies in a folder."""

    wanted: Sequence[FoundFile]
    """What is to be opened."""
    lines: Sequence[Line]
    """The others."""
    listed: Mapping[str, Listed]
    """What indexes say, by path."""
    has_labels: bool
    """Whether some of the files lie in the folders of labels: then lying outside of them means the label `main`."""


def survey(folder: Folder, types: Sequence[PackageType], stopped: Callable[[], bool]) -> Survey:
    """Look through a folder. Reads it: call it in a thread."""
    found: list[FoundFile] = []
    companions: list[FoundFile] = []
    lines: list[Line] = []
    for one in folder.walk(stopped):
        if isinstance(one, Line):
            lines.append(one)
        elif any(package_type.is_companion(one.basename) for package_type in types):
            companions.append(one)
        else:
            found.append(one)
    listed, failed = read_listings(folder, companions, types, stopped)
    lines += [_companion_line(companion, failed.get(companion.path)) for companion in companions]
    wanted: list[FoundFile] = []
    for file in found:
        line = _sort_out(file, listed.get(file.path, NOTHING), types)
        if line is None:
            wanted.append(file)
        else:
            lines.append(line)
    return Survey(wanted=wanted, lines=lines, listed=listed, has_labels=any(file.label is not None for file in wanted))


def _companion_line(companion: FoundFile, failed: str | None) -> Line:
    return Line(
        file=shown(companion.path),
        outcome=Outcome.SKIPPED,
        why=Why.COMPANION,
        reason="It is an index, a signature or a sidecar.",
        notes=[failed] if failed else [],
        size=companion.size,
    )


def _sort_out(file: FoundFile, listed: Listed, types: Sequence[PackageType]) -> Line | None:
    """The line of a file that need not be opened; None for all others."""
    unfinished = next((ending for ending in UNFINISHED if file.basename.endswith(ending)), None)
    if unfinished is not None and named_as_package(file.basename.removesuffix(unfinished), types):
        return refused(file, Why.INVALID, "It looks like a download that did not end. Fetch it again, or delete it.")
    if not file.size:
        if named_as_package(file.basename, types):
            return refused(file, Why.INVALID, "It is empty, as after a download that failed. Fetch it again, or delete it.")
        return skipped(file, Why.STRANGER, "It is empty.")
    if listed.removed:
        return skipped(
            file, Why.REMOVED, "Its index hides it from installers (`removed`), so it is not brought back. Upload it by hand if it should be."
        )
    if file.label is not None:
        try:
            label_name(file.label)
        except ValidationError as error:
            return refused(file, Why.PLACE, f"It lies in the folder of a label that cannot be. {error.message}")
    return None


def named_as_package(basename: str, types: Sequence[PackageType]) -> bool:
    """Whether a file is named as packages of the types are."""
    return any(basename.endswith(tuple(package_type.filename_endings)) for package_type in types)
