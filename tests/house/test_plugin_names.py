"""`entrepot.plugin` is what plugin authors rely on: its list of names is the names it has."""

from __future__ import annotations

import inspect

import entrepot.plugin


def test_the_public_names_are_those_that_can_be_imported() -> None:
    importable = {
        name for name, value in vars(entrepot.plugin).items() if not name.startswith("_") and name != "annotations" and not inspect.ismodule(value)
    }
    assert set(entrepot.plugin.__all__) == importable


def test_no_public_name_stands_twice() -> None:
    assert sorted(set(entrepot.plugin.__all__)) == sorted(entrepot.plugin.__all__)


def test_every_public_class_says_what_it_is() -> None:
    classes = [value for value in vars(entrepot.plugin).values() if inspect.isclass(value)]
    assert classes
    assert [cls.__name__ for cls in classes if not inspect.getdoc(cls)] == []
