"""Strictness in GraphQL."""

from __future__ import annotations

from enum import Enum

import strawberry

from entrepot.services.strictness import strictness_of


@strawberry.enum(description="How much a namespace asks of files, beyond what keeps harm away. Each value asks what those before it ask, and more.")
class Strictness(Enum):
    """The values of the contract."""

    IMPORT = strawberry.enum_value("IMPORT", description="What was once built otherwise is taken too, as `entrepot import` takes it everywhere.")
    PRIVATE = strawberry.enum_value("PRIVATE", description="What the formats ask of new files, as far as it serves a house of its own.")
    PUBLIC = strawberry.enum_value("PUBLIC", description="What the public registry of the files' package type asks.")


def graphql_strictness(text: str | None) -> Strictness:
    """As `namespace.strictness` has it."""
    return Strictness[strictness_of(text).name]
