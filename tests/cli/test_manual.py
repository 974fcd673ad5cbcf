"""docs/cli.md says which commands there are, and each of their options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from entrepot.cli import cli

MANUAL = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
SECTIONS = dict(re.findall(r"^## `entrepot ([\w -]+)`\n(.*?)(?=^## |\Z)", MANUAL, re.DOTALL | re.MULTILINE))
EVERYWHERE = {"--data", "--config", "--help"}


def commands(group: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every command by what one types for it."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path}{name} ")
        else:
            yield path + name, command


COMMANDS = dict(commands(typer.main.get_command(cli)))


def test_the_manual_has_a_section_for_each_command_in_the_order_of_the_help() -> None:
    assert list(SECTIONS) == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_section_names_each_option_and_its_examples_are_right(name: str) -> None:
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts if option.startswith("--")}
    section = SECTIONS[name]
    if name != "serve":  # whose options are settings
        assert options - EVERYWHERE <= set(re.findall(r"--[a-z-]+", section))
    examples = [line for block in re.findall(r"^```sh\n(.*?)^```", section, re.DOTALL | re.MULTILINE) for line in block.splitlines()]
    typed = [found[1] for line in examples for found in re.finditer(r"\bentrepot ([^|)]+)", line)]
    assert typed
    for example in typed:
        words = shlex.split(example)
        assert words[: len(name.split())] == name.split()
        assert {word for word in words if word.startswith("--")} <= options
