"""entry_points.txt: installers make a file of each script, so all of them find the same ones in it, under names that are none of a path."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from entrepot.plugin import Inspection, InvalidPackage
from pypi_builder import build_wheel

Inspect = Callable[[tuple[str, bytes]], Inspection]


def with_entry_points(text: str) -> tuple[str, bytes]:
    return build_wheel("foo", "1.0", files={"foo.py": b"", "foo-1.0.dist-info/entry_points.txt": text.encode()})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[console_scripts]\nFoo-bar.x = foo:main\n",
        "[console_scripts]\r\nfoo      = foo:main\r\nlonger   =   foo:other\r\n\r\n[gui_scripts]\r\nfoo=foo:main [extra, other]\r\n",
        "# made by hand\n[other]\na b/c = d\n\n[console_scripts]\n  # indented\n  foo = foo:main\n  bar = foo:main\n",
        "[console_scripts]\nfoo = foo:first\nfoo = foo:main\n",
        "[console_scripts]\n..foo = foo:main\n",
    ],
    ids=["empty", "plain", "aligned", "other groups", "twice", "dots before a name"],
)
def test_scripts_that_all_installers_find_are_taken(inspect: Inspect, text: str) -> None:
    assert inspect(with_entry_points(text)).name == "foo"


@pytest.mark.parametrize(
    "text",
    [
        "[console_scripts]\n../../evil = foo:main\n",
        "[gui_scripts]\na/b = foo:main\n",
        "[console_scripts]\n. = foo:main\n",
        "[gui_scripts]\n.. = foo:main\n",
        "[console_scripts]\nC:evil = foo:main\n",
        "[[console_scripts]]\n../../evil = foo:main\n",
        "[ console_scripts ]\n../../evil = foo:main\n",
        "[Console_Scripts]\n../../evil = foo:main\n",
        "[DEFAULT]\n../../evil = foo:main\n[console_scripts]\nfoo = foo:main\n",
        "[other]\na = b\n  [console_scripts]\n  ../../evil = foo:main\n",
        "[other]\na = b\f[console_scripts]\f../../evil = foo:main\n",
        "[other]\na = b\r[console_scripts]\r../../evil = foo:main\n",
        "[other]\na = b\u2028[console_scripts]\u2028../../evil = foo:main\n",
        "[console_scripts]\n;/../../../evil = foo:main\n",
    ],
    ids=repr,
)
def test_a_script_whose_name_is_none_is_refused_whichever_reader_finds_it(inspect: Inspect, text: str) -> None:
    with pytest.raises(InvalidPackage, match="names a script"):
        inspect(with_entry_points(text))


@pytest.mark.parametrize(
    "text",
    [
        "[[console_scripts]]\nfoo = foo:main\n",
        "[console_scripts]x\nfoo = foo:main\n",
        "[console_scripts]\nfoo = foo:main\n  bar = foo:evil\n",
        "[console_scripts]\nfoo = foo:main\x85bar = foo:evil\n",
        "[DEFAULT]\nbar = foo:evil\n[console_scripts]\nfoo = foo:main\n",
        "[console_scripts]\nfoo = foo:main\n[other]\na = b\n [console_scripts]\n bar = foo:evil\n",
    ],
    ids=repr,
)
def test_scripts_that_one_reader_finds_and_another_does_not_are_refused(inspect: Inspect, text: str) -> None:
    with pytest.raises(InvalidPackage, match="is read two ways"):
        inspect(with_entry_points(text))


@pytest.mark.parametrize(
    "text",
    ["no group\n", "a = b\n", "[console_scripts]\nfoo\n", "[console_scripts]\n = foo:main\n", "[console_scripts]\nfoo = \\\n    foo:main\n"],
    ids=repr,
)
def test_what_one_of_the_readers_cannot_read_is_refused(inspect: Inspect, text: str) -> None:
    with pytest.raises(InvalidPackage, match=r"entry_points\.txt cannot be read"):
        inspect(with_entry_points(text))
