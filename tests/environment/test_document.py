"""Environment files: what is read of them, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from entrepot.plugin import InvalidPackage
from environment_builder import build_environment
from hypothesis import given
from hypothesis import strategies as st

from .conftest import Inspect

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.dates() | st.text(max_size=20)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["pip", "sel(linux)", "name", "x"]), inner, max_size=3),
    max_leaves=10,
)


def test_an_exported_environment(inspect: Inspect) -> None:
    body = build_environment(pip=["requests>=2", "-e ."], more="variables:\n  TOKEN: secret\nprefix: /home/ada/envs/stats\n")
    made = inspect(body)
    assert (made.name, made.version, made.platform, made.names_itself, made.versions_itself) == ("stats", "", "", False, False)
    assert made.attributes == {
        "name": "stats",
        "channels": ["conda-forge"],
        "dependencies": ["python=3.12", "numpy", "pip"],
        "pip": ["requests>=2", "-e ."],
        "platforms": [],
        "variables": ["TOKEN"],
    }
    assert "secret" not in repr(made)
    assert "/home/ada" not in repr(made)


@pytest.mark.parametrize(
    ("body", "dependencies"),
    [
        (b"name: x\ndependencies:\n", []),
        (b"name: x\ndependencies: []\nchannels:\n", []),
        (b"name: x\r\ndependencies:\r\n  - python=3.10\r\n", ["python=3.10"]),
        (b"\xef\xbb\xbfname: x\ndependencies: [numpy]\n", ["numpy"]),
        (
            b"name: x\ndependencies:\n  - pywin32  # [win]\n  - sel(linux): gcc\n  - sel(win): [a, b]\n",
            ["pywin32", "sel(linux): gcc", "sel(win): a", "sel(win): b"],
        ),
        (b"name: x\ndependencies:\n  - pip:\n", []),
        (b"base: &base [numpy]\nname: x\ndependencies: *base\n", ["numpy"]),
        (
            b"name: x\ndependencies:\n  - '@EXPLICIT'\n  - https://x.example/noarch/a-1-0.conda\n",
            ["@EXPLICIT", "https://x.example/noarch/a-1-0.conda"],
        ),
        (b"name: x\ndependencies:\n  - conda-forge::numpy >=1.20,<2  \n  - 3.10\n", ["conda-forge::numpy >=1.20,<2", "3.10"]),
        ("name: größe\ndependencies: [ü]\n".encode(), ["ü"]),
        (b"name: x\ndependencies:\n  - npm:\n    - left-pad\n", ["npm: left-pad"]),
    ],
)
def test_shapes_that_clients_take(inspect: Inspect, body: bytes, dependencies: list[str]) -> None:
    assert inspect(body).attributes["dependencies"] == dependencies


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"name: x\ndependencies:\n\t- numpy\n", "not YAML as clients read it: .* in line 3, column 1"),
        (b"name: x\ndependencies: [numpy]\nname: y\n", "line 3 says 'name' a second time"),
        (b"name: x\ndependencies: [numpy]\n---\nname: y\n", "several documents"),
        (b"- numpy\n", "is a mapping with `channels` and `dependencies`"),
        (b"numpy", "is a mapping"),
        (b"", "is a mapping"),
        (b"name: x\n", "has no `dependencies`"),
        (b"name: x\ndependencies: numpy\n", "`dependencies` must be a list"),
        (b"name: x\ndependencies: {numpy: 1}\n", "`dependencies` must be a list"),
        (b"name: x\ndependencies:\n  - numpy\n  -\n", "Dependency 2 is empty"),
        (b"name: x\ndependencies:\n  - [numpy]\n", "Dependency 1 is a list"),
        (b"name: x\ndependencies:\n  - pip: requests\n", "`pip` must be a list"),
        (b"name: x\ndependencies:\n  - pip:\n    - a: b\n", "Dependency 1 is a mapping"),
        (b"name: x\ndependencies: [a]\nchannels: conda-forge\n", "`channels` must be a list"),
        (b"name: x\ndependencies: [a]\nchannels: [[a]]\n", "Item 1 of `channels` is a list"),
        (b"name: [x]\ndependencies: [a]\n", "`name` is a list"),
        (b"name: x\ndependencies: [a]\nvariables: [A]\n", "`variables` must be a mapping"),
        (b'name: x\ndependencies: ["a\\0b"]\n', "cannot be printed"),
        (b'name: x\ndependencies: ["' + b"a" * 3000 + b'"]\n', "longer than 2000"),
        (b"name: x\ndependencies:\n" + b"  - a\n" * 10_001, "has 10001 items; 10000 is the most"),
        (b"name: x\ndependencies: [\xff]\n", "not UTF-8: there is a byte 0xff"),
        ("name: x\ndependencies: [a]\n".encode("utf-16"), "UTF-16"),
        (b"name: x\ndependencies:\n  - a\n" + b"# x\n" * (1 << 19), "1048576 is the most"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_what_cannot_be_created_is_refused_with_a_sentence(inspect: Inspect, body: bytes, sentence: str) -> None:
    with pytest.raises(InvalidPackage, match=sentence) as caught:
        inspect(body)
    assert caught.value.message.endswith(".")
    assert len(caught.value.message) < 500


def test_a_name_that_is_no_yaml_is_told_to_end_so(inspect: Inspect) -> None:
    with pytest.raises(InvalidPackage, match=r"must end in \.yml or \.yaml"):
        inspect(build_environment(), "environment.txt")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("https://ada:pass@conda.example/x", "https://***@conda.example/x"),
        ("https://conda.example/t/ab-123/x", "https://conda.example/t/***/x"),
        ("https://conda.example/t/ab-123", "https://conda.example/t/***"),
        ("https://conda.example/x/t", "https://conda.example/x/t"),
        ("conda-forge", "conda-forge"),
    ],
)
def test_credentials_are_not_told(inspect: Inspect, given: str, shown: str) -> None:
    made = inspect(build_environment(channels=[given], dependencies=[f"{given}::numpy"], pip=[f"--index-url {given}"]))
    assert made.attributes["channels"] == [shown]
    assert made.attributes["dependencies"][0] == f"{shown}::numpy"
    assert made.attributes["pip"] == [f"--index-url {shown}"]


@pytest.mark.parametrize(
    ("said", "basename", "name"),
    [
        ("stats", "environment.yml", "stats"),
        ("Größe & Co", "environment.yml", "grosse-co"),
        (None, "my env.yaml", "my-env"),
        ("日本", "environment.yml", "environment"),
        ("1.10", "environment.yml", "1-10"),
    ],
)
def test_the_package_is_named_after_the_environment_else_after_the_file(inspect: Inspect, said: str | None, basename: str, name: str) -> None:
    assert inspect(build_environment(said), basename).name == name.replace("grosse", "groe")


@pytest.mark.parametrize(("said", "version"), [("1.10", "1.10"), ("'2'", "2"), ("a b", ""), ("", "")])
def test_a_version_in_the_file_is_proposed_as_it_is_spelled(inspect: Inspect, said: str, version: str) -> None:
    assert inspect(build_environment(more=f"version: {said}\n")).version == version


@given(
    st.fixed_dictionaries(
        {"dependencies": VALUES}, optional={"name": VALUES, "channels": VALUES, "variables": VALUES, "platforms": VALUES, "version": VALUES}
    )
)
def test_any_values_under_the_known_keys_are_read_or_refused(inspect: Inspect, document: dict[str, Any]) -> None:
    try:
        found = json.dumps(dict(inspect(yaml.safe_dump(document).encode()).attributes))
    except InvalidPackage as error:
        found = error.message
    assert found.endswith((".", "}"))
