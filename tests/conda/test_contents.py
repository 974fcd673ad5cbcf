"""Where members of an archive would come to lie: what real packages hold goes in."""

from __future__ import annotations

import pytest
from entrepot.plugin import InvalidPackage, TarKind, TarMember
from entrepot_conda.contents import Contents

Placed = tuple[str, TarKind, str]


def place(members: list[Placed]) -> list[str]:
    """The paths of these members of a pkg archive."""
    contents = Contents("pkg", 1000)
    paths = [contents.place(TarMember(path, kind, target, 0)) for path, kind, target in members]
    contents.finish()
    return paths


@pytest.mark.parametrize(
    "members",
    [
        pytest.param([("bin", "folder", ""), ("bin/x", "file", ""), ("bin/y", "file", "")], id="a folder and what is in it"),
        pytest.param([("bin/x", "file", ""), ("bin", "folder", "")], id="a folder behind what is in it"),
        pytest.param([("bin/x", "file", ""), ("bin/x-1", "file", ""), ("bin/x.d/y", "file", "")], id="names that begin alike"),
        pytest.param([("bin/foo", "symlink", "Foo"), ("bin/Foo", "file", "")], id="a link to its own name in another case"),
        pytest.param([("bin/Foo", "file", ""), ("bin/foo", "file", "")], id="files whose names differ in case alone"),
        pytest.param([("lib/x.so", "symlink", "../lib64/x.so.1"), ("lib/X", "file", ""), ("lib/x.so.1", "file", "")], id="a link elsewhere"),
        pytest.param([("lib64", "symlink", "lib"), ("lib/x", "file", "")], id="a link to a folder"),
        pytest.param([("share/a", "file", ""), ("share/b", "hardlink", "share/a")], id="a hard link"),
        pytest.param([("...", "folder", ""), (".../x", "file", ""), ("a /x", "file", "")], id="names of dots and blanks"),
    ],
)
def test_what_real_packages_hold_goes_in(members: list[Placed]) -> None:
    assert place(members) == [path for path, _, _ in members]


@pytest.mark.parametrize("target", ["/etc/evil", "../evil", "sub/evil", "..", "C:evil", "..\\evil"])
def test_a_link_out_of_its_folder_has_its_name_in_any_case(target: str) -> None:
    with pytest.raises(InvalidPackage, match="behind a symbolic link"):
        place([("bin/foo", "symlink", target), ("bin/Foo", "file", "")])


@pytest.mark.parametrize("behind", ["lnk/evil", "LNK/evil", "LNK./evil", "lnk /deep/evil"])
def test_a_link_has_the_spellings_of_every_system(behind: str) -> None:
    with pytest.raises(InvalidPackage, match="behind a symbolic link"):
        place([("Lnk", "symlink", "sibling"), (behind, "file", "")])


def test_more_folders_than_any_package_has_are_refused() -> None:
    contents = Contents("pkg", 1 << 30)
    members = (TarMember(f"{number}/" + "a/" * 40 + "x", "file", "", 0) for number in range(3000))
    with pytest.raises(InvalidPackage, match="more than 100000 folders or links"):
        list(map(contents.place, members))


def test_more_links_than_any_package_has_are_refused() -> None:
    contents = Contents("pkg", 1 << 30)
    members = (TarMember(f"{number}", "symlink", "..", 0) for number in range(100_001))
    with pytest.raises(InvalidPackage, match="more than 100000 folders or links"):
        list(map(contents.place, members))
