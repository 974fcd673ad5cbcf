"""The manual's page "Permissions" says what the code says, and the code's table what the matrix proves."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from cast import ACME, Role, Thing
from entrepot.graphql.schema import build_schema
from entrepot.registry import Registry
from entrepot.services import operations
from entrepot.services.operations import On, Operation
from entrepot.services.permissiontable import with_tables
from oracle import Answer, Credential, Group, Level, World

from . import mutations
from .mutations import MUTATIONS, Call

PAGE = Path(__file__).parents[2] / "docs" / "permissions.md"
PLACE = (ACME, "thing")


def test_the_page_is_printed_from_the_code() -> None:
    text = PAGE.read_text()
    assert with_tables(text) == text, "python -m entrepot.services.permissiontable docs/permissions.md"


def test_every_mutation_stands_on_the_page() -> None:
    schema = build_schema(Registry.built_in())._schema
    assert schema.mutation_type is not None
    assert {one.name for one in operations.MUTATIONS} == set(schema.mutation_type.fields)


WORDS = {
    ("updatePackage", "visibility"): "updatePackage visibility",
    ("copyFiles", "to other labels"): "copyFiles within",
    ("createToken", "of an organization"): "createToken of the organization",
    ("createToken", "that is bound to a package"): "createToken that is bound",
}
"""How the matrix calls what the page has a line of its own for."""
TRIED = [one for one in operations.MUTATIONS if one.name not in mutations.OPEN]


def somebody(level: Level, *, everything: bool) -> tuple[World, Role]:
    """A world with the package in it, and a member of a group on it or on everything."""
    group = Group(level, None if everything else {PLACE}, {"somebody"})
    world = World(organizations={ACME}, admins={"root"}, private={PLACE: True}, groups={(ACME, "group"): group})
    return world, Role("somebody", ACME, Credential(owner="somebody"))


@pytest.mark.parametrize("one", TRIED, ids=lambda one: f"{one.name} {one.what}".strip())
def test_a_line_says_what_the_matrix_expects(one: Operation) -> None:
    expected = MUTATIONS[WORDS.get((one.name, one.what), one.name)].expected
    thing = Thing(*PLACE, 0, "", "", "", "")
    found: dict[tuple[Level, bool], bool] = {}
    for level, everything in product((Level.READ, Level.WRITE, Level.ADMIN), (False, True)):
        world, role = somebody(level, everything=everything)
        found[level, everything] = expected(world, Call(role, thing, 1)) is Answer.DONE
    root = Role("root", ACME, Credential(owner="root"))
    assert expected(world, Call(root, thing, 1)) is Answer.DONE
    match one.on:
        case On.ACCOUNT:
            assert all(found.values())
        case On.SITE:
            assert not any(found.values())
        case On.PACKAGE:
            assert found == {(level, everything): level >= one.level for level, everything in found}
        case On.NAMESPACE | On.ORGANIZATION:
            by_package = one.name == "createUpload"  # which package the bytes are of is known when they come
            assert found == {(level, everything): level >= one.level and (everything or by_package) for level, everything in found}
