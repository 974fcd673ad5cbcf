"""Real packages that were spoiled on the way: refused with a sentence, in little memory, leaving nothing."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from conda_builder import build_conda, pack_conda
from pypi_builder import build_metadata, build_sdist, build_wheel
from raw_http import forget_peak, peak_of

if TYPE_CHECKING:
    from .conftest import Depot

MIB = 1 << 20
BUILT = {
    ".whl": build_wheel("ball", "1.0"),
    ".tar.gz": build_sdist("ball", "1.0"),
    ".conda": build_conda("ball", "1.0"),
    ".tar.bz2": build_conda("ball", "1.0", ext=".tar.bz2"),
}
EACH = pytest.mark.parametrize("ending", BUILT)


@EACH
def test_a_file_that_was_cut_off_anywhere_is_422(depot: Depot, ending: str) -> None:
    basename, body = BUILT[ending]
    size = len(body)
    for cut in sorted({1, 2, 4, 10, 30, 100, size // 4, size // 2, size * 3 // 4, size - 100, size - 22, size - 21, size - 8, size - 2, size - 1}):
        response = depot.put(basename, body[:cut])
        assert response.status_code == 422, (cut, response.text)
        assert response.json()["detail"].endswith((".", "?")), cut
    assert depot.left() == {}


@EACH
@pytest.mark.parametrize("elsewhere", BUILT)
def test_a_file_under_the_ending_of_another_kind_is_422(depot: Depot, ending: str, elsewhere: str) -> None:
    basename, body = BUILT[ending][0], BUILT[elsewhere][1]
    if ending != elsewhere:
        response = depot.put(basename, body)
        assert response.status_code == 422
        assert depot.left() == {}


@EACH
@pytest.mark.parametrize(
    ("change", "query"),
    [
        (lambda name: name.replace("ball", "doll"), {}),
        (lambda name: name.replace("1.0", "2.0"), {}),
        (str, {"package": "doll"}),
        (str, {"version": "2.0"}),
        (str, {"type": "nonsense"}),
    ],
    ids=["basename's name", "basename's version", "package=", "version=", "type="],
)
def test_what_contradicts_the_file_is_422(depot: Depot, ending: str, change: Callable[[str], str], query: dict[str, str]) -> None:
    basename, body = BUILT[ending]
    response = depot.put(change(basename), body, **query)
    assert response.status_code == 422, response.text
    assert response.json()["detail"].endswith(".")
    assert depot.left() == {}


def test_a_type_that_is_another_one_is_422(depot: Depot) -> None:
    for ending, other in [(".whl", "conda"), (".conda", "pypi")]:
        basename, body = BUILT[ending]
        assert depot.put(basename, body, type=other).status_code == 422
    assert depot.left() == {}


# -- bombs ------------------------------------------------------------------------------------------------------------


def wheel_bomb() -> tuple[str, bytes]:
    """METADATA of 256 MiB."""
    return build_wheel("ball", "1.0", metadata=build_metadata("ball", "1.0", description="\0" * (256 * MIB)))


def record_bomb() -> tuple[str, bytes]:
    """RECORD of 256 MiB."""
    return build_wheel("ball", "1.0", record=b"," * (256 * MIB))


def conda_bomb() -> tuple[str, bytes]:
    """info/index.json of 256 MiB."""
    return build_conda("ball", "1.0", info={"index.json": b'{"name": "' + b"x" * (256 * MIB) + b'"}'})


def bzip_bomb() -> tuple[str, bytes]:
    """The same in the older format."""
    return build_conda("ball", "1.0", ext=".tar.bz2", info={"index.json": b" " * (256 * MIB)})


def stored_conda_bomb() -> tuple[str, bytes]:
    """256 MiB of zeros where the metadata should be, in a ZIP that compresses."""
    members = [
        ("metadata.json", b'{"conda_pkg_format_version": 2}'),
        ("pkg-ball-1.0-0.tar.zst", b"\0" * (256 * MIB)),
        ("info-ball-1.0-0.tar.zst", b"\0" * 1000),
    ]
    return "ball-1.0-0.conda", pack_conda("ball-1.0-0", info=b"", members=members, compression=zipfile.ZIP_DEFLATED)


def sdist_bomb() -> tuple[str, bytes]:
    """PKG-INFO of 256 MiB."""
    return build_sdist("ball", "1.0", pkg_info=build_metadata("ball", "1.0", description=" " * (256 * MIB)))


@pytest.mark.parametrize("bomb", [wheel_bomb, record_bomb, conda_bomb, bzip_bomb, stored_conda_bomb, sdist_bomb])
def test_what_inflates_to_256_mib_is_422_in_bounded_memory(depot: Depot, bomb: Callable[[], tuple[str, bytes]]) -> None:
    basename, body = bomb()
    assert len(body) < 2 * MIB
    [process] = depot.running.processes
    before = forget_peak(process)
    response = depot.put(basename, body)
    assert response.status_code == 422, response.text
    assert peak_of(process) - before < 48 * MIB
    assert depot.left() == {}


# -- text that is none ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [b"\xff\xfe", b"\0", b"\xed\xa0\x80"])
def test_a_summary_that_is_no_text_is_422(depot: Depot, text: bytes) -> None:
    spoiled = build_metadata("ball", "1.0").replace(b"A package made by the tests", text)
    response = depot.put(*build_wheel("ball", "1.0", metadata=spoiled))
    assert response.status_code == 422, response.text
    assert depot.left() == {}
