"""Which files are environment files, and which other YAML is left alone."""

from __future__ import annotations

import pytest
from environment_builder import build_environment
from hypothesis import given
from hypothesis import strategies as st
from notebook_builder import build_notebook, markdown

from .conftest import Detect


@pytest.mark.parametrize("basename", ["environment.yml", "x.yaml", "x.txt", "stats"])
@pytest.mark.parametrize(
    "body",
    [
        build_environment(),
        build_environment(None),
        build_environment(pip=["x"], dependencies=[]),
        build_environment("x", [], channels=["a"]),
        b"# a comment\n---\nname: x\ndependencies:\n- numpy\n",
        b"dependencies:\n- sel(linux): gcc\nchannels: [a]\n",
        b"channels:\n- a\ndependencies:\n",
        build_environment(dependencies=[f"package-{number}=1.0=h1234567_0" for number in range(3000)]),
    ],
    ids=["usual", "without a name", "pip alone", "empty", "comment", "selector", "null", "large"],
)
def test_an_environment_is_known_by_its_content_whatever_its_name(detect: Detect, body: bytes, basename: str) -> None:
    assert detect(body, basename)


def test_dependencies_alone_are_an_environment_if_the_name_says_so(detect: Detect) -> None:
    assert detect(b"dependencies:\n- numpy\n", "environment.yml")
    assert not detect(b"dependencies:\n- a-role\n", "main.yml")


@pytest.mark.parametrize(
    "body",
    [
        b"apiVersion: v2\nname: chart\nversion: 1.0.0\ndependencies:\n- name: redis\n  version: 1.x\n  repository: https://x.example\n",
        b"galaxy_info:\n  author: x\ndependencies:\n- role\n",
        b"name: app\nenvironment:\n  sdk: '>=3'\ndependencies:\n  http: ^1.0\n",
        b"name: shard\nversion: 1\ndependencies:\n  kemal:\n    github: kemalcr/kemal\n",
        b"version: 6\nenvironments:\n  default:\n    channels: []\npackages:\n- conda: x\n",
        b"version: 1\nmetadata:\n  channels: []\npackage:\n- name: x\n  dependencies:\n    python: '*'\n",
        b"package:\n  name: x\nrequirements:\n  run: [python]\n",
        b"services:\n  web:\n    image: x\n    dependencies: [db]\n",
        b'{"name": "x", "version": "1.0.0", "dependencies": {"react": "1"}}',
        b"numpy\nscipy>=1\n",
        b"@EXPLICIT\nhttps://x.example/noarch/a-1-0.conda\n",
        b"name: x\ndependencies: \xff\xfe\n",
        b"name: x\ndependencies:\n- a\n\x00",
        b"dependencies: of text\n",
        build_notebook(markdown("name: x\ndependencies:\n- numpy\n")),
        b"",
    ],
    ids=[
        "helm",
        "ansible",
        "dart",
        "crystal",
        "pixi.lock",
        "conda-lock",
        "recipe",
        "compose",
        "npm",
        "requirements",
        "explicit",
        "bytes",
        "NUL",
        "scalar",
        "notebook",
        "empty",
    ],
)
@pytest.mark.parametrize("basename", ["data.txt", "x"])
def test_other_files_are_not_claimed(detect: Detect, body: bytes, basename: str) -> None:
    assert not detect(body, basename)


@pytest.mark.parametrize(
    "body",
    [
        b"name: x\ndependencies:\n\t- numpy\n",
        b"name: x\ndependencies: [a\n",
        b"name: x\ndependencies:\n- a\n---\n",
        b"name: x\ndependencies:\n- \xff\n",
    ],
)
def test_a_broken_one_is_claimed_by_its_name_and_keys(detect: Detect, body: bytes) -> None:
    assert detect(body, "environment.yml")
    assert not detect(body, "environment")


@given(st.one_of(st.binary(max_size=200), st.text(alphabet="nameds: -[]{}\ndependencies", max_size=100).map(str.encode)))
def test_detection_never_raises(detect: Detect, body: bytes) -> None:
    assert detect(b"dependencies:" + body, "x.yml") in (True, False)
