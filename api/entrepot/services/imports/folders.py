"""A folder of packages, as a stranger may have left it: what lies in it, and its files, opened so that no link leads out of it."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from entrepot.errors import ValidationError
from entrepot.services.imports.outcomes import Line, Outcome, Why, shown

PIECE = 1 << 20
LABELS = "label"
"""`label/<name>/…` holds what a channel shows under that label, as in URLs."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A regular file in the folder, or a link to one."""

    path: str
    """In the folder; as the system has it, which may be no UTF-8."""
    real: str
    """Where its bytes lie, in the folder; another path for a link alone."""
    size: int

    @property
    def basename(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def label(self) -> str | None:
        """The label in whose folder it lies."""
        parts = self.path.split("/", 2)
        return parts[1] if len(parts) == 3 and parts[0] == LABELS else None

    @property
    def folders(self) -> tuple[str, ...]:
        """The names of the folders above it."""
        return tuple(self.path.split("/")[:-1])


class Unreadable(ValidationError):
    """A file of the folder cannot be read, or not safely."""


class OpenFile:
    """A file of the folder while it is read; a context manager. Its methods wait for the disk."""

    def __init__(self, descriptor: int) -> None:
        self.file: BinaryIO = os.fdopen(descriptor, "rb", buffering=0)
        self._before = os.fstat(descriptor)
        self._read = 0
        self.ended = False
        """Whether all of it was read, and nobody had changed it by then."""
        if not stat.S_ISREG(self._before.st_mode):
            self.close()
            raise Unreadable("It is no regular file.")

    def __enter__(self) -> OpenFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self.file.close()

    def read(self, size: int) -> bytes:
        """The next bytes; none at the end. Raises Unreadable where they cannot be read, or have changed since the file was opened."""
        pieces: list[bytes] = []
        left = size
        try:
            while left and (piece := self.file.read(left)):
                pieces.append(piece)
                left -= len(piece)
            self._read += size - left
            if left:
                self._end()
        except OSError as error:
            raise unreadable(error) from error
        return b"".join(pieces)

    def _end(self) -> None:
        after = os.fstat(self.file.fileno())
        if self._read != after.st_size or (after.st_size, after.st_mtime_ns) != (self._before.st_size, self._before.st_mtime_ns):
            raise Unreadable("It changed while it was read. Import the folder again when nobody writes to it.")
        self.ended = True

    def rewind(self) -> None:
        """Begin to read anew."""
        self.file.seek(0)
        self._read, self.ended = 0, False

    def sha256(self) -> str:
        """The digest of the whole file."""
        self.rewind()
        digest = hashlib.sha256()
        while not self.ended:
            digest.update(self.read(PIECE))
        return digest.hexdigest()


def unreadable(error: OSError) -> Unreadable:
    """What to tell of a file or folder that the system does not let us read."""
    return Unreadable(f"It cannot be read: {os.strerror(error.errno) if error.errno else error}.")


class Folder:
    """A folder to import. `apart` are folders that belong to the server and are never looked into."""

    def __init__(self, path: Path, *, exclude: Sequence[str] = (), apart: Sequence[Path] = ()) -> None:
        self._root = os.path.realpath(path)
        self._apart = {os.path.realpath(each) for each in apart}
        self._exclude = tuple(exclude)
        try:
            self._descriptor = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            os.listdir(self._descriptor)
        except OSError as error:
            raise ValidationError(f"The folder {path} cannot be read: {error.strerror}.") from error
        if any(self._root == each or self._root.startswith(each + os.sep) for each in self._apart):
            self.close()
            raise ValidationError(f"{path} is the server's own data. Name the folder that the packages are in.")

    @property
    def name(self) -> str:
        """The folder's own name."""
        return os.path.basename(self._root)

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._descriptor)

    # -- what lies in it ----------------------------------------------------------------------------------------------

    def walk(self, stopped: Callable[[], bool] = lambda: False) -> Iterator[FoundFile | Line]:
        """Every file, or a line for what can be none. Bounded in memory by one folder's names and the folders that wait."""
        waiting = [""]
        while waiting and not stopped():
            folder = waiting.pop()
            try:
                with os.scandir(os.path.join(self._root, folder)) as entries:
                    found = sorted(entries, key=lambda entry: os.fsencode(entry.name))
            except OSError as error:
                yield refused(folder, Why.UNREADABLE, unreadable(error).message)
                continue
            for entry in found:
                path = f"{folder}/{entry.name}" if folder else entry.name
                one = self._look(entry, path)
                if one is None:
                    waiting.append(path)
                else:
                    yield one

    def _look(self, entry: os.DirEntry[str], path: str) -> FoundFile | Line | None:
        """What an entry is; None: a folder to go into."""
        if any(fnmatchcase(path, pattern) or fnmatchcase(entry.name, pattern) for pattern in self._exclude):
            return skipped(path, Why.EXCLUDED, "It is excluded.")
        if entry.name.startswith("."):
            return skipped(path, Why.HIDDEN, "It is hidden: its name begins with a dot.")
        try:
            if entry.is_symlink():
                return self._follow(path)
            if entry.is_dir():
                apart = os.path.join(self._root, path) in self._apart
                return skipped(path, Why.OWN_DATA, "It is the server's own data folder.") if apart else None
            return self._file(path, path, entry.stat(follow_symlinks=False))
        except OSError as error:
            return refused(path, Why.UNREADABLE, unreadable(error).message)

    def _follow(self, path: str) -> FoundFile | Line:
        """A link: to a file in the folder it is that file under another name."""
        try:
            target = os.path.realpath(os.path.join(self._root, path), strict=True)
        except OSError:
            return refused(path, Why.UNREADABLE, "It is a link that leads nowhere.")
        if any(target == each or target.startswith(each + os.sep) for each in self._apart):
            return skipped(path, Why.OWN_DATA, "It is a link into the server's own data folder.")
        if target != self._root and not target.startswith(self._root.rstrip(os.sep) + os.sep):
            return refused(path, Why.UNREADABLE, "It is a link that leads out of the folder. Copy the file into the folder if it belongs there.")
        if os.path.isdir(target):
            return skipped(path, Why.LINK, "It is a link to another folder in here, whose files are imported where they lie.")
        return self._file(path, os.path.relpath(target, self._root), os.stat(target))

    def _file(self, path: str, real: str, found: os.stat_result) -> FoundFile | Line:
        if not stat.S_ISREG(found.st_mode):
            return refused(path, Why.UNREADABLE, "It is no regular file.")
        try:
            path.rpartition("/")[2].encode()
        except UnicodeEncodeError:
            return refused(path, Why.UNREADABLE, "Its name is no UTF-8. Rename it.")
        return FoundFile(path, real, found.st_size)

    # -- one file -----------------------------------------------------------------------------------------------------

    def open(self, file: FoundFile) -> OpenFile:
        """Open a file to read, step by step and following no link: what was looked at before may have been replaced. Raises Unreadable."""
        *folders, basename = file.real.split("/")
        at = self._descriptor
        try:
            for folder in folders:
                below = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
                self._leave(at)
                at = below
            return OpenFile(os.open(basename, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=at))
        except OSError as error:
            raise unreadable(error) from error
        finally:
            self._leave(at)

    def _leave(self, descriptor: int) -> None:
        if descriptor != self._descriptor:
            with suppress(OSError):
                os.close(descriptor)


def skipped(file: FoundFile | str, why: Why, reason: str) -> Line:
    """The line of a file that is passed over."""
    return _line(file, Outcome.SKIPPED, why, reason)


def refused(file: FoundFile | str, why: Why, reason: str) -> Line:
    """The line of a file that somebody should look after."""
    return _line(file, Outcome.REFUSED, why, reason)


def _line(file: FoundFile | str, outcome: Outcome, why: Why, reason: str) -> Line:
    path, size = (file, 0) if isinstance(file, str) else (file.path, file.size)
    return Line(file=shown(path) or ".", outcome=outcome, why=why, reason=reason, size=size)
