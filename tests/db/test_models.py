"""Every table takes its rows and gives them back as they were."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from entrepot.db import models
from entrepot.db.models import Head, Namespace
from entrepot.db.sql import execute
from entrepot.settings import Settings
from tortoise import fields
from tortoise.exceptions import IntegrityError
from tortoise.fields.relational import ForeignKeyFieldInstance
from tortoise.models import Model

TABLES = [
    model for _, model in inspect.getmembers(models, inspect.isclass) if issubclass(model, Model) and model is not Model and not model._meta.abstract
]


def value_of(field: fields.Field[Any]) -> Any:
    if isinstance(field, fields.BooleanField):
        return True
    if isinstance(field, fields.BinaryField):
        return bytes(range(256))
    if isinstance(field, fields.BigIntField):
        return (1 << 63) - 1
    if isinstance(field, fields.IntField):
        return (1 << 31) - 1
    if isinstance(field, fields.CharField):
        return ("Ünï-😀" * field.max_length)[: field.max_length]
    assert isinstance(field, fields.TextField)
    return "Several \"lines\"\n\tof 'text', % and ? and $1 among them. " * 1000


async def row_of(model: type[Model], known: dict[type[Model], Model]) -> Model:
    """A row with a value in every column, and the rows that it needs."""
    if model not in known:
        values: dict[str, Any] = {}
        for name, field in model._meta.fields_map.items():
            if isinstance(field, ForeignKeyFieldInstance) and field.related_model is model:
                continue  # the first of its kind points to none
            if isinstance(field, ForeignKeyFieldInstance):
                values[name] = await row_of(field.related_model, known)
            elif name in model._meta.db_fields and not field.generated and not getattr(field, "reference", None):
                values[name] = value_of(field)
        known[model] = await model.create(**values)
    return known[model]


@pytest.mark.parametrize("model", TABLES, ids=lambda model: model.__name__)
async def test_a_row_comes_back_as_it_was_written(db: Settings, model: type[Model]) -> None:
    written = await row_of(model, {})
    read = await model.get(pk=written.pk)
    for column in model._meta.db_fields:
        assert getattr(read, column) == getattr(written, column), column


async def namespace(name: str) -> Namespace:
    return await Namespace.create(name=name, name_key=name, kind="user", created_at=0)


async def test_ids_are_never_used_again(db: Settings) -> None:
    owner = await namespace("alice")
    first = await Head.create(namespace=owner, type="conda", label="main", document="noarch")
    await Head.all().delete()
    assert (await Head.create(namespace=owner, type="conda", label="main", document="noarch")).id > first.id
    await owner.delete()
    assert (await namespace("alice")).id > owner.id


async def test_a_removed_namespace_takes_what_is_in_it_along(db: Settings) -> None:
    owner = await namespace("alice")
    await Head.create(namespace=owner, type="conda", label="main", document="noarch")
    await execute("DELETE FROM namespace WHERE id = $1", owner.id)
    assert await Head.all().count() == 0


async def test_two_heads_of_one_document_are_refused(db: Settings) -> None:
    owner = await namespace("alice")
    await Head.create(namespace=owner, type="conda", label="main", document="noarch")
    with pytest.raises(IntegrityError):
        await Head.create(namespace=owner, type="conda", label="main", document="noarch")
