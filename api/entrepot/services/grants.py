"""What users were given by others: memberships of groups, and collaborations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache


class Level(IntEnum):
    """What an actor may do with a package or a namespace; each level includes those below it."""

    NONE = 0
    READ = 1
    WRITE = 2
    ADMIN = 3


@dataclass(frozen=True, slots=True)
class Grants:
    """A user's levels by the ids of what they are on."""

    namespaces: Mapping[int, Level] = field(default_factory=dict)
    """On organizations, and so on every package there: groups on everything."""
    packages: Mapping[int, Level] = field(default_factory=dict)
    """On packages by themselves: groups on named packages, and collaborations."""
    homes: Mapping[int, Level] = field(default_factory=dict)
    """The highest level on any of the packages of a namespace."""


NOTHING = Grants()


@lru_cache(maxsize=1000)
def parse_grants(text: str | None) -> Grants:
    """From what a look-up found (`db.lookup.GRANTS`): words like `7:0:admin` and `7:31:read`, a namespace, its package or 0, and the level."""
    if not text:
        return NOTHING
    namespaces: dict[int, Level] = {}
    packages: dict[int, Level] = {}
    homes: dict[int, Level] = {}
    for word in text.split(" "):
        namespace, package, name = word.split(":")
        level = Level[name.upper()]
        levels, key = (packages, int(package)) if package != "0" else (namespaces, int(namespace))
        levels[key] = max(levels.get(key, Level.NONE), level)
        if package != "0":
            homes[int(namespace)] = max(homes.get(int(namespace), Level.NONE), level)
    return Grants(namespaces, packages, homes)
