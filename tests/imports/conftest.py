"""A site with the built-in plugins, and a folder that is imported into alice's namespace."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from entrepot.registry import Registry
from entrepot.services.imports.outcomes import Line, Outcome
from entrepot.services.imports.request import Request
from entrepot.services.imports.run import Import
from house import House, Person, open_house


@dataclass
class Told:
    """Remembers what it hears of an import, and may interfere: `then` after so many lines, and `mend` when the import begins to wait."""

    begun: list[tuple[int, int]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    waited: list[str] = field(default_factory=list)
    after: int = 0
    then: Callable[[], object] = lambda: None
    mend: Callable[[], object] = lambda: None

    def begin(self, *, files: int, size: int) -> None:
        self.begun.append((files, size))

    def line(self, line: Line) -> None:
        self.lines.append(line)
        if len(self.lines) == self.after:
            self.then()

    def waiting(self, sentence: str) -> None:
        self.waited.append(sentence)
        if len(self.waited) == 1:
            self.mend()

    def __getitem__(self, file: str) -> Line:
        [found] = [line for line in self.lines if line.file == file]
        return found

    def files(self, outcome: Outcome) -> set[str]:
        """The files with which this happened."""
        return {line.file for line in self.lines if line.outcome is outcome}

    @property
    def imported(self) -> set[str]:
        return self.files(Outcome.IMPORTED)

    @property
    def present(self) -> set[str]:
        return self.files(Outcome.PRESENT)

    @property
    def skipped(self) -> set[str]:
        return self.files(Outcome.SKIPPED)

    @property
    def refused(self) -> set[str]:
        return self.files(Outcome.REFUSED)

    def sentence(self, file: str) -> str:
        """Why a file was refused."""
        line = self[file]
        assert line.outcome is Outcome.REFUSED, line
        assert line.why is not None
        assert line.reason.endswith("."), line.reason
        return line.reason


@dataclass
class Depot:
    """A house with real package types, and a folder beside it."""

    house: House
    alice: Person
    folder: Path

    def put(self, path: str, body: bytes) -> Path:
        """Write a file in the folder."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
        return file

    async def take(self, told: Told | None = None, **options: Any) -> Told:
        """Import the folder into alice's namespace; answers what was told of it."""
        told = told or Told()
        await Import(self.house.site, Request(**{"folder": self.folder, "namespace": "alice", **options}), told).run()
        return told

    async def repodata(self, subdir: str = "noarch", label: str = "") -> Mapping[str, Any]:
        """The records of a channel's subdir, by file name."""
        answer = await self.alice.client.get(f"/conda/alice{f'/label/{label}' if label else ''}/{subdir}/repodata.json")
        if answer.status_code == 404:
            return {}
        document = answer.json()
        return {**document["packages"], **document["packages.conda"]}

    async def project(self, name: str) -> Mapping[str, Any]:
        """The files of a project's page, by name."""
        answer = await self.alice.client.get(f"/pypi/alice/simple/{name}/", headers={"Accept": "application/vnd.pypi.simple.v1+json"})
        return {} if answer.status_code == 404 else {file["filename"]: file for file in answer.json()["files"]}


@pytest.fixture
async def depot(house_data: Path, tmp_path: Path) -> AsyncIterator[Depot]:
    """A site that knows conda and PyPI, alice, and an empty folder."""
    folder = tmp_path / "mirror"
    folder.mkdir()
    async with open_house(house_data, Registry.built_in()) as house:
        yield Depot(house, await house.person("alice"), folder)
