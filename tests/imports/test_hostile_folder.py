"""What strangers leave in folders. Each has its sentence, and none keeps the rest away."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conda_builder import build_conda
from entrepot.errors import EntrepotError, ValidationError
from entrepot.services.imports.folders import Folder, FoundFile, OpenFile, Unreadable
from entrepot.services.imports.outcomes import Line, Outcome, Why
from house import open_files

if TYPE_CHECKING:
    from .conftest import Depot

GOOD, BODY = build_conda("good", "1.0")


async def test_none_of_it_keeps_the_rest_away_and_nothing_is_touched(depot: Depot, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret-1.0-0.conda").write_bytes(build_conda("secret", "1.0")[1])
    depot.put(f"noarch/{GOOD}", BODY)
    for path, body in {
        "noarch/.good-2.0-0.conda.Xa81": BODY,
        ".git/good-1.0-0.conda": BODY,
        "noarch/empty-1.0-0.conda": b"",
        "noarch/empty": b"",
        "noarch/half-1.0-0.conda.part": BODY[:40],
        "noarch/half-2.0-0.tar.bz2.tmp": BODY[:40],
        "notes.part": b"no package",
    }.items():
        depot.put(path, body)
    noarch = depot.folder / "noarch"
    (noarch / "secret-1.0-0.conda").symlink_to(outside / "secret-1.0-0.conda")
    (noarch / "secret").symlink_to(outside)
    (noarch / "up").symlink_to("../../outside")
    (noarch / "nowhere-1.0-0.conda").symlink_to("gone")
    (noarch / "loop-1.0-0.conda").symlink_to("loop-1.0-0.conda")
    (depot.folder / "linux-64").symlink_to("noarch")
    (depot.folder / "round").symlink_to(".")
    os.mkfifo(noarch / "pipe-1.0-0.conda")
    os.rename(depot.put("noarch/latin1", BODY), os.fsencode(noarch) + b"/caf\xe9-1.0-0.conda")
    before = listing(depot.folder)
    told = await depot.take()
    assert told.imported == {f"noarch/{GOOD}"}
    assert {file: (line.outcome, line.why, line.reason.split(".")[0]) for line in told.lines if (file := line.file) != f"noarch/{GOOD}"} == {
        "noarch/.good-2.0-0.conda.Xa81": (Outcome.SKIPPED, Why.HIDDEN, "It is hidden: its name begins with a dot"),
        ".git": (Outcome.SKIPPED, Why.HIDDEN, "It is hidden: its name begins with a dot"),
        "noarch/empty-1.0-0.conda": (Outcome.REFUSED, Why.INVALID, "It is empty, as after a download that failed"),
        "noarch/empty": (Outcome.SKIPPED, Why.STRANGER, "It is empty"),
        "noarch/half-1.0-0.conda.part": (Outcome.REFUSED, Why.INVALID, "It looks like a download that did not end"),
        "noarch/half-2.0-0.tar.bz2.tmp": (Outcome.REFUSED, Why.INVALID, "It looks like a download that did not end"),
        "notes.part": (Outcome.SKIPPED, Why.STRANGER, "It is no package"),
        "noarch/secret-1.0-0.conda": (Outcome.REFUSED, Why.UNREADABLE, "It is a link that leads out of the folder"),
        "noarch/secret": (Outcome.REFUSED, Why.UNREADABLE, "It is a link that leads out of the folder"),
        "noarch/up": (Outcome.REFUSED, Why.UNREADABLE, "It is a link that leads out of the folder"),
        "noarch/nowhere-1.0-0.conda": (Outcome.REFUSED, Why.UNREADABLE, "It is a link that leads nowhere"),
        "noarch/loop-1.0-0.conda": (Outcome.REFUSED, Why.UNREADABLE, "It is a link that leads nowhere"),
        "linux-64": (Outcome.SKIPPED, Why.LINK, "It is a link to another folder in here, whose files are imported where they lie"),
        "round": (Outcome.SKIPPED, Why.LINK, "It is a link to another folder in here, whose files are imported where they lie"),
        "noarch/pipe-1.0-0.conda": (Outcome.REFUSED, Why.UNREADABLE, "It is no regular file"),
        "noarch/caf\\xe9-1.0-0.conda": (Outcome.REFUSED, Why.UNREADABLE, "Its name is no UTF-8"),
    }
    assert listing(depot.folder) == before
    assert not [name for name in open_files() if name.startswith(str(depot.folder))]


def listing(folder: Path) -> dict[bytes, tuple[int, int, int, int]]:
    """Everything below a folder, with what would change if somebody wrote there."""
    found = {}
    for place, folders, files in os.walk(os.fsencode(folder)):
        for name in (*folders, *files, b"."):
            stat = os.lstat(os.path.join(place, name))
            found[os.path.join(place, name)] = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_mode)
    return found


async def test_a_link_to_a_file_of_the_folder_is_that_file(depot: Depot) -> None:
    depot.put(f".store/{GOOD}", BODY)
    (depot.folder / "noarch").mkdir()
    (depot.folder / "noarch" / GOOD).symlink_to(f"../.store/{GOOD}")
    assert (await depot.take()).imported == {f"noarch/{GOOD}"}


async def test_a_folder_that_cannot_be_read_is_told_of(depot: Depot) -> None:
    depot.put(f"noarch/{GOOD}", BODY)
    at = os.open(depot.folder, os.O_RDONLY)
    for _ in range(20):  # paths get longer than the system takes
        os.mkdir("d" * 250, dir_fd=at)
        below = os.open("d" * 250, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)
    told = await depot.take()
    assert told.imported == {f"noarch/{GOOD}"}
    [deep] = told.refused
    assert deep.startswith("ddd")
    assert told.sentence(deep) == "It cannot be read: File name too long."


async def test_the_servers_own_data_is_never_imported(depot: Depot) -> None:
    data = depot.house.site.settings.data
    depot.put(f"noarch/{GOOD}", BODY)
    await depot.take()
    (data / "below").mkdir()
    for own in (data, data / "below"):
        with pytest.raises(ValidationError, match="is the server's own data"):
            await depot.take(folder=own)
    (depot.folder / "back").symlink_to(data)
    assert (await depot.take())["back"].why is Why.OWN_DATA
    told = await depot.take(folder=data.parent)
    assert (told[data.name].why, told["mirror/back"].why, told.refused) == (Why.OWN_DATA, Why.OWN_DATA, set())


async def test_a_type_that_breaks_on_a_file_does_not_stop_the_run(depot: Depot, monkeypatch: pytest.MonkeyPatch) -> None:
    from entrepot_conda.packagetype import CondaType

    whole = CondaType.inspect

    def fragile(self: CondaType, file: object, basename: str) -> object:
        if basename.startswith("odd"):
            raise RecursionError("too deep")
        return whole(self, file, basename)  # type: ignore[arg-type]

    monkeypatch.setattr(CondaType, "inspect", fragile)
    odd, odd_body = build_conda("odd", "1.0")
    depot.put(f"noarch/{GOOD}", BODY)
    depot.put(f"noarch/{odd}", odd_body)
    told = await depot.take()
    assert told.imported == {f"noarch/{GOOD}"}
    assert told.sentence(f"noarch/{odd}").startswith("Its inspection failed (RecursionError: too deep).")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"namespace": "nobody"}, "There is no namespace nobody. Create it first, with the user that owns it: entrepot user create nobody"),
        ({"labels": ["a/b"]}, "'a/b' is no label"),
        ({"types": ["rpm"]}, "There is no package type 'rpm' here. The types are: conda"),
        ({"jobs": 0}, "--jobs must be 1 or more"),
        ({"folder": Path("/nonexistent")}, "The folder /nonexistent cannot be read: No such file or directory."),
        ({"folder": Path(__file__)}, "cannot be read: Not a directory."),
    ],
    ids=["namespace", "label", "type", "jobs", "missing", "file"],
)
async def test_what_cannot_be_is_said_before_anything_is_done(depot: Depot, options: dict[str, Any], sentence: str) -> None:
    depot.put(f"noarch/{GOOD}", BODY)
    with pytest.raises(EntrepotError) as refusal:
        await depot.take(**options)
    assert sentence in refusal.value.message


# -- a file between the look at it and its reading --------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    (tmp_path / "in").mkdir()
    opened = Folder(tmp_path / "in")
    yield opened
    opened.close()


def only(folder: Folder) -> FoundFile:
    [found] = folder.walk()
    assert not isinstance(found, Line)
    return found


def rest(opened: OpenFile) -> bytes:
    """What is left of a file, in pieces of five."""
    found = b""
    while not opened.ended:
        found += opened.read(5)
    return found


def test_a_file_that_grows_shrinks_or_is_written_to_while_it_is_read_is_refused(folder: Folder, tmp_path: Path) -> None:
    path = tmp_path / "in" / "x"
    for change in (lambda: path.write_bytes(b"0123456789+"), lambda: path.write_bytes(b"0"), lambda: os.utime(path, ns=(1, 1))):
        path.write_bytes(b"0123456789")
        with folder.open(only(folder)) as opened:
            assert opened.read(5) == b"01234"
            change()
            with pytest.raises(Unreadable, match="changed while it was read"):
                rest(opened)


def test_a_file_that_went_or_became_a_link_is_not_followed(folder: Folder, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "x").write_bytes(b"secret")
    below = tmp_path / "in" / "below"
    below.mkdir()
    (below / "x").write_bytes(b"good")
    found = only(folder)
    (below / "x").unlink()
    with pytest.raises(Unreadable, match="No such file"):
        folder.open(found)
    (below / "x").symlink_to(secret / "x")
    with pytest.raises(Unreadable, match="cannot be read"):
        folder.open(found)
    (below / "x").unlink()
    below.rmdir()
    below.symlink_to(secret)
    with pytest.raises(Unreadable, match="cannot be read"):
        folder.open(found)
    below.unlink()
    below.mkdir()
    os.mkfifo(below / "x")
    with pytest.raises(Unreadable, match="no regular file"):
        folder.open(found)


def test_reading_in_pieces_of_any_size_gives_the_whole_file(folder: Folder, tmp_path: Path) -> None:
    body = bytes(range(256)) * 4
    (tmp_path / "in" / "x").write_bytes(body)
    for size in (1, 7, 256, 1024, 1025):
        with folder.open(only(folder)) as opened:
            pieces = []
            while not opened.ended:
                pieces.append(opened.read(size))
            assert b"".join(pieces) == body
            opened.rewind()
            assert opened.read(3) == body[:3]
