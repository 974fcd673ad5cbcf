"""What `entrepot import` tells: a bar while it runs, a summary for people at its end, and a line of JSON for each file."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO

import orjson
from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, ProgressColumn, TaskID, TextColumn, TimeRemainingColumn

from entrepot.errors import ValidationError
from entrepot.services.imports.outcomes import Line, Outcome, Tally, Why

if TYPE_CHECKING:
    from entrepot.services.imports.request import Request

PER_FILE = 200_000
"""How many bytes take as long as what a file takes whatever its size; for a bar that moves evenly."""
HARMLESS = (Why.COMPANION, Why.HIDDEN, Why.EXCLUDED)
"""What is counted and not listed on the terminal."""


class ImportReport:
    """Watches an import; a context manager, which holds the report's file."""

    def __init__(self, path: Path | None, request: Request) -> None:
        self._path = path
        self._request = request
        self._tally = Tally()
        self._console = Console(stderr=True, highlight=False)
        self._bar = Bar(self._console)
        self._file: BinaryIO | None = None
        self._began = time.monotonic()

    @property
    def refused(self) -> int:
        """How many files were refused."""
        return self._tally.files[Outcome.REFUSED]

    def __enter__(self) -> ImportReport:
        if self._path is not None:
            try:
                self._file = sys.stdout.buffer if str(self._path) == "-" else self._path.open("wb")
            except OSError as error:
                raise ValidationError(f"The report cannot be written to {self._path}: {error.strerror}. Choose another file.") from error
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bar.stop()
        if self._file is not None and self._file is not sys.stdout.buffer:
            self._file.close()

    # -- while it runs ------------------------------------------------------------------------------------------------

    def begin(self, *, files: int, size: int) -> None:
        """See Watcher."""
        self._began = time.monotonic()
        self._bar.start(files, size, "Inspecting" if self._request.dry_run else "Importing")

    def line(self, line: Line) -> None:
        """See Watcher."""
        self._tally.add(line)
        self._write(line.as_json())
        self._bar.advance(line)

    def waiting(self, sentence: str) -> None:
        """See Watcher."""
        self._bar.say(sentence)

    def _write(self, document: object) -> None:
        if self._file is not None:
            self._file.write(orjson.dumps(document) + b"\n")
            self._file.flush()

    # -- at the end ---------------------------------------------------------------------------------------------------

    def end(self, *, whole: bool) -> None:
        """Print the summary; `whole` says that nothing was left out."""
        self._bar.stop()
        self._write({"summary": {**self._tally.as_json(), "dry run": self._request.dry_run, "whole": whole}})
        counts, seconds = self._tally.files, max(time.monotonic() - self._began, 0.001)
        imported = counts[Outcome.IMPORTED]
        done = "Would import" if self._request.dry_run else "Imported"
        size, rate = decimal(self._tally.size[Outcome.IMPORTED]), (imported + counts[Outcome.PRESENT]) / seconds
        self._say(f"{done} into {self._request.namespace}: {files_of(imported)}, {size}, in {seconds:.1f} s ({rate:.0f} files a second).")
        if counts[Outcome.PRESENT]:
            self._say(f"Already there: {files_of(counts[Outcome.PRESENT])}.")
        for outcome, title in ((Outcome.SKIPPED, "Skipped"), (Outcome.REFUSED, "Refused")):
            if counts[outcome]:
                self._say(f"{title}: {files_of(counts[outcome])}.")
                self._say_reasons(outcome)
        for note, count in self._tally.notes.items():
            self._say(f"Note on {files_of(count)}: {note}")
            self._say_some(self._tally.noted[note], count)

    def _say_reasons(self, outcome: Outcome) -> None:
        for (of, why), count in self._tally.reasons.items():
            if of is outcome:
                self._say(f"  {why}: {count}")
                if why not in HARMLESS:
                    with_reason = outcome is Outcome.REFUSED
                    self._say_some([f"{line.file}: {line.reason}" if with_reason else line.file for line in self._tally.examples[of, why]], count)

    def _say_some(self, lines: list[str], count: int) -> None:
        for line in lines:
            self._say(f"    {line}")
        if count > len(lines):
            where = f"{self._path} has all" if self._path is not None else "--report FILE writes all"
            self._say(f"    … and {count - len(lines)} more ({where})")

    def _say(self, text: str) -> None:
        printable = "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
        self._console.print(printable, markup=False, soft_wrap=True)


def files_of(count: int) -> str:
    """A number of files, for people."""
    return f"{count:,} file" if count == 1 else f"{count:,} files"


class Bar:
    """The bar; it does nothing where there is no terminal."""

    def __init__(self, console: Console) -> None:
        columns: list[ProgressColumn] = [
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[files]:,}/{task.fields[of]:,} files"),
            TextColumn("{task.fields[size]}"),
            TextColumn("{task.fields[rate]:,.0f}/s"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[said]}"),
        ]
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task: TaskID | None = None
        self._files = self._size = 0
        self._began = 0.0

    def start(self, files: int, size: int, doing: str) -> None:
        """Show it, for so many files of so many bytes."""
        self._began = time.monotonic()
        self._progress.start()
        self._task = self._progress.add_task(doing, total=size + files * PER_FILE or None, files=0, of=files, size="", rate=0, said="")

    def advance(self, line: Line) -> None:
        """A file is done. Those that were never to be looked into are told of before and do not count."""
        if self._task is None or self._progress.disable:
            return
        self._files += 1
        self._size += line.size
        rate = self._files / max(time.monotonic() - self._began, 0.001)
        self._progress.update(self._task, advance=line.size + PER_FILE, files=self._files, size=decimal(self._size), rate=rate, said="")

    def say(self, sentence: str) -> None:
        """Say what it waits for."""
        if self._task is not None:
            self._progress.update(self._task, said=sentence)

    def stop(self) -> None:
        """Take it away."""
        self._progress.stop()
