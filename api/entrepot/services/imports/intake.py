"""Taking one file of a folder in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from entrepot.errors import Conflict, DigestMismatch, EntrepotError, Unavailable, UnclaimedFile, ValidationError
from entrepot.inspection import Strictness
from entrepot.services import publishing, states, uploads
from entrepot.services.imports.folders import Folder, FoundFile, OpenFile, Unreadable, refused, skipped
from entrepot.services.imports.outcomes import Line, Outcome, Why, shown
from entrepot.services.imports.survey import NOTHING, named_as_package
from entrepot.services.labels import add_label, label_name
from entrepot.services.strictness import forgiven

if TYPE_CHECKING:
    from entrepot.db.lookup import NamespaceRow
    from entrepot.packagetype import Listed, PackageType
    from entrepot.services.drafts import Draft
    from entrepot.services.imports.present import PresentFile
    from entrepot.services.imports.request import Request
    from entrepot.services.imports.survey import Survey
    from entrepot.services.uploads import IncomingUpload
    from entrepot.site import Site

log = logging.getLogger(__name__)

PIECE = 1 << 20
VERIFIED = ("sha256", "md5", "blake2b")


class Misplaced(ValidationError):
    """The package is good, and lies where it cannot."""


@dataclass(frozen=True, slots=True)
class _Begun:
    """What a thread found when it opened a file."""

    opened: OpenFile | None = None
    """The file, read up to the end of `piece`; None: it is known already what becomes of it."""
    piece: bytes = b""
    type: str | None = None
    """What the file must be taken as; None: as the gate finds."""
    present: PresentFile | None = None
    """The file of the namespace that it is."""
    other_type: bool = False


class Intake:
    """Takes the files of a folder in, any number at a time."""

    def __init__(
        self,
        site: Site,
        request: Request,
        folder: Folder,
        namespace: NamespaceRow,
        types: Sequence[PackageType],
        labels: Sequence[str],
        survey: Survey,
    ) -> None:
        self._site = site
        self._request = request
        self._folder = folder
        self._namespace = namespace
        self._types = types
        self._labels = labels
        self._survey = survey
        self._foreseen: dict[tuple[str, str], str] = {}
        """The sha256 of what a dry run would have published, by type and path."""

    async def take(self, file: FoundFile, present: Sequence[PresentFile]) -> Line:
        """Publish a file, or say why not. Raises Unavailable, and then it may be taken again."""
        listed = self._survey.listed.get(file.path, NOTHING)
        try:
            begun = await asyncio.to_thread(self._begin, file, present, listed)
            if begun.present is not None:
                return await self._keep(file, begun.present, listed)
            if begun.opened is None:
                if begun.other_type:
                    return skipped(file, Why.OTHER_TYPE, "It is no package of the types that are imported.")
                return self._strange(file)
            with begun.opened:
                return await self._pass(file, begun.opened, begun.piece, begun.type, listed)
        except Unavailable:
            raise
        except UnclaimedFile:
            return self._strange(file)
        except EntrepotError as error:
            return refused(file, why(error), reason(error))

    # -- in a thread --------------------------------------------------------------------------------------------------

    def _begin(self, file: FoundFile, present: Sequence[PresentFile], listed: Listed) -> _Begun:
        """Open a file, and read it as far as it must be."""
        for one in present:
            if listed.digests.get("sha256") == one.sha256 and self._is_kept(one):
                return _Begun(present=one)
        opened = self._folder.open(file)
        try:
            begun = self._look(opened, file, present)
        except BaseException:  # a cancelled import closes its files too
            opened.close()
            raise
        if begun.opened is None:
            opened.close()
        return begun

    def _look(self, opened: OpenFile, file: FoundFile, present: Sequence[PresentFile]) -> _Begun:
        if present:
            digest = opened.sha256()
            for one in present:
                if one.sha256 == digest and self._is_kept(one):
                    return _Begun(present=one)
        type_name = None
        if self._request.types:
            type_name = self._wanted_type(opened, file.basename)
            if type_name is None:
                return _Begun(other_type=True)
        elif not named_as_package(file.basename, self._types) and not self._claimed(opened, file.basename):
            return _Begun()
        opened.rewind()
        return _Begun(opened, opened.read(PIECE), type_name)

    def _wanted_type(self, opened: OpenFile, basename: str) -> str | None:
        """The first of the wanted types that claims the file."""
        for package_type in self._types:
            try:
                return self._site.registry.detect(opened.file, basename, package_type.name).name
            except UnclaimedFile:
                continue
        return None

    def _claimed(self, opened: OpenFile, basename: str) -> bool:
        """Whether a file of a strange name is a package: asked before it is copied, for there may be large strangers in a folder."""
        try:
            self._site.registry.detect(opened.file, basename)
        except UnclaimedFile:
            return False
        return True

    def _is_kept(self, present: PresentFile) -> bool:
        """Whether the namespace has a file as it should: with its bytes, and as private as is asked for. If not, the gate has the words."""
        return (present.private or not self._request.private) and self._site.storage.size(present.sha256) == present.size

    # -- through the gate ---------------------------------------------------------------------------------------------

    async def _pass(self, file: FoundFile, opened: OpenFile, piece: bytes, type_name: str | None, listed: Listed) -> Line:
        async with uploads.incoming(
            self._site, actor=self._request.actor, namespace=self._namespace.name, type=type_name, declared_size=file.size
        ) as upload:
            while piece:
                await upload.write(piece)
                piece = await asyncio.to_thread(opened.read, PIECE) if not opened.ended else b""
            draft, notes = await self._inspect(file, upload, type_name, listed)
            if self._request.dry_run:
                return await self._foresee(file, draft, notes)
            published = await upload.publish_prepared(draft)
        missing = [] if published.created else [label for label in self._asked_labels(file) if label not in published.labels]
        await self._say(draft.type, draft.canonical_name, draft.path, missing, listed.state)
        outcome, notes = Outcome.IMPORTED if published.created else Outcome.PRESENT, [*notes, *published.forgiven]
        return self._line(file, outcome, type=draft.type, path=draft.path, sha256=draft.sha256, labels=[*published.labels, *missing], notes=notes)

    async def _inspect(self, file: FoundFile, upload: IncomingUpload, type_name: str | None, listed: Listed) -> tuple[Draft, Sequence[str]]:
        """What would be published, and notes on it. A package type that breaks on a file must not stop the run."""
        digests = {name: digest for name, digest in listed.digests.items() if name in VERIFIED}
        private = True if self._request.private else None
        try:
            draft = await upload.prepare(
                basename=file.basename,
                type=type_name,
                labels=self._labels_of(file),
                private=private,
                digests=digests,
                strictness=Strictness.IMPORT,
            )
            return draft, [*forgiven(draft.inspection.objections), *self._check_place(file, draft, listed)]
        except (EntrepotError, OSError, MemoryError):
            raise
        except Exception as error:  # a plugin's code: whatever it raises is this file's trouble alone
            log.debug("The inspection of %s failed.", shown(file.path), exc_info=True)
            raise ValidationError(
                f"Its inspection failed ({type(error).__name__}: {str(error)[:200]}). ENTREPOT_LOG_LEVEL=debug shows where."
            ) from error

    def _check_place(self, file: FoundFile, draft: Draft, listed: Listed) -> Sequence[str]:
        try:
            return draft.package_type.check_place(draft.inspection, (self._folder.name, *file.folders), None if listed is NOTHING else listed)
        except EntrepotError as error:
            raise Misplaced(error.message) from error

    async def _foresee(self, file: FoundFile, draft: Draft, notes: Sequence[str]) -> Line:
        """What would become of a file, other files of the folder considered."""
        same = await publishing.foresee(draft)
        other = self._foreseen.setdefault((draft.type, draft.path), draft.sha256)
        if other != draft.sha256:
            raise Conflict(f"Another file of this folder would be published as {draft.path}, with other bytes (sha256 {other[:12]}…).")
        outcome = Outcome.IMPORTED if same is None else Outcome.PRESENT
        return self._line(file, outcome, type=draft.type, path=draft.path, sha256=draft.sha256, labels=draft.labels, notes=notes)

    # -- what is there already ----------------------------------------------------------------------------------------

    async def _keep(self, file: FoundFile, present: PresentFile, listed: Listed) -> Line:
        missing = [label for label in self._asked_labels(file) if label not in present.labels]
        state = {key: value for key, value in listed.state.items() if present.state.get(key) != value}
        if not self._request.dry_run:
            await self._say(present.type, present.name, present.path, missing, state)
        labels = sorted({*present.labels, *missing})
        return self._line(file, Outcome.PRESENT, type=present.type, path=present.path, sha256=present.sha256, labels=labels)

    async def _say(self, type_name: str, name: str, path: str, labels: Sequence[str], state: Mapping[str, Any]) -> None:
        """Put labels on a file that is published, and say of it what its index says."""
        actor, namespace = self._request.actor, self._namespace.name
        for label in labels:
            await add_label(self._site, actor=actor, namespace=namespace, type=type_name, path=path, label=label)
        if state:
            await states.set_state(
                self._site, actor=actor, namespace=namespace, type=type_name, name=name, action="file.import", file_states={path: state}
            )

    # -- labels and lines ---------------------------------------------------------------------------------------------

    def _labels_of(self, file: FoundFile) -> Sequence[str]:
        return [label_name(file.label)] if file.label is not None else self._labels

    def _asked_labels(self, file: FoundFile) -> Sequence[str]:
        """The labels that a file gets though it is there already: those that somebody asked for, by an option or by a folder of that name."""
        return self._labels_of(file) if self._request.labels or self._survey.has_labels else ()

    def _strange(self, file: FoundFile) -> Line:
        if named_as_package(file.basename, self._types):
            return refused(
                file, Why.INVALID, "It is named as a package is, but by its content it is none: it may be damaged. Fetch it again, or delete it."
            )
        return skipped(file, Why.STRANGER, "It is no package.")

    def _line(self, file: FoundFile, outcome: Outcome, **more: Any) -> Line:
        return Line(file=shown(file.path), outcome=outcome, size=file.size, **more)


def why(error: EntrepotError) -> Why:
    """Under which heading a refusal belongs."""
    match error:
        case Conflict():
            return Why.CONFLICT
        case DigestMismatch():
            return Why.DIGEST
        case Misplaced():
            return Why.PLACE
        case Unreadable():
            return Why.UNREADABLE
    return Why.INVALID


def reason(error: EntrepotError) -> str:
    """The sentence of a refusal."""
    if isinstance(error, DigestMismatch):
        return "Its bytes are not those that the index beside it lists: they are damaged, or the index is another one's. Fetch both again."
    return error.message
