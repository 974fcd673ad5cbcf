"""docs/settings.md says what settings.py does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from entrepot.settings import Settings
from pydantic.fields import FieldInfo

MANUAL = (Path(__file__).parents[2] / "docs" / "settings.md").read_text()
ROWS = {row[0]: row[1:] for row in re.findall(r"^\| `(\w+)` \| `(\w+)` \| (.+?) \| (.+?) \|$", MANUAL, re.MULTILINE)}


def shown(field: FieldInfo) -> str:
    """A default as the manual writes it."""
    default = field.get_default(call_default_factory=True)
    if default is None:
        return "unset"
    if default == "":
        return "empty"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def test_the_manual_lists_the_settings_that_there_are_in_their_order() -> None:
    assert list(ROWS) == list(Settings.model_fields)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_the_manual_says_the_variable_the_default_and_the_meaning(name: str) -> None:
    field = Settings.model_fields[name]
    assert ROWS[name] == (f"ENTREPOT_{name.upper()}", shown(field), field.description)
