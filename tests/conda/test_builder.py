"""What the tests build is what conda's own tools read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conda_builder import build_conda
from conda_channel import store
from conda_package_handling import api


@pytest.mark.parametrize("ext", [".conda", ".tar.bz2"])
def test_conda_package_handling_opens_a_built_package(ext: str, tmp_path: Path) -> None:
    basename, body = build_conda("foo", "1.0", build="py_3", subdir="linux-64", depends=["bar >=1"], files={"bin/foo": b"#!/bin/sh\n"}, ext=ext)
    (tmp_path / basename).write_bytes(body)
    api.extract(str(tmp_path / basename), str(tmp_path / "out"))
    index = json.loads((tmp_path / "out/info/index.json").read_bytes())
    assert (index["name"], index["build_number"], index["depends"]) == ("foo", 3, ["bar >=1"])
    assert (tmp_path / "out/bin/foo").read_bytes() == b"#!/bin/sh\n"


def test_conda_package_handling_turns_one_format_into_the_other(tmp_path: Path) -> None:
    basename, body = build_conda("foo", "1.0", ext=".tar.bz2")
    (tmp_path / basename).write_bytes(body)
    assert not api.transmute(str(tmp_path / basename), ".conda", str(tmp_path))
    assert (tmp_path / "foo-1.0-0.conda").exists()


@pytest.mark.parametrize("ext", [".conda", ".tar.bz2"])
def test_a_package_that_conda_package_handling_makes_goes_in(ext: str, tmp_path: Path) -> None:
    source, body = build_conda("foo", "1.0", subdir="linux-64", files={f"share/{number}": bytes(100) for number in range(50)})
    (tmp_path / source).write_bytes(body)
    api.extract(str(tmp_path / source), str(tmp_path / "tree"))
    made = Path(api.create(str(tmp_path / "tree"), None, f"foo-1.0-0{ext}", str(tmp_path)))
    assert store(made.name, made.read_bytes()).attributes == store(source, body).attributes


def test_the_same_call_makes_the_same_bytes() -> None:
    assert build_conda("foo", "1.0") == build_conda("foo", "1.0")
