"""A catalog that tests fill by hand, and a way to ask the schema about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import orjson
from entrepot.db import models
from entrepot.db.sql import execute
from entrepot.graphql.context import Context
from entrepot.graphql.schema import Schema
from entrepot.packagetype import PackageType
from entrepot.services.actors import ANONYMOUS, Actor
from entrepot.site import Site

BASE_URL = "https://packages.example"


@dataclass
class Stock:
    """Fills the database; every row is a second younger than the one before."""

    site: Site
    ticks: Iterator[int] = field(default_factory=lambda: count(1_700_000_000_000, 1000))

    async def namespace(self, name: str, kind: str = "user") -> models.Namespace:
        namespace = await models.Namespace.create(name=name, name_key=name.lower(), kind=kind, created_at=next(self.ticks))
        await models.Label.create(namespace=namespace, name="main", created_at=next(self.ticks))
        return namespace

    async def package(self, namespace: models.Namespace, name: str, *, private: bool = False, summary: str = "") -> models.Package:
        at = next(self.ticks)
        return await models.Package.create(
            namespace=namespace, name=name, name_key=name.lower(), private=private, summary=summary, created_at=at, updated_at=at
        )

    async def file(
        self,
        package: models.Package,
        version: str = "1.0",
        *,
        type: str = "book",
        labels: tuple[str, ...] = ("main",),
        platform: str = "",
        by: models.Namespace | None = None,
        extras: tuple[str, ...] = (),
        number: int = 1,
        **attributes: Any,
    ) -> models.File:
        known = self.site.registry.types.get(type) or self.site.registry.types["book"]
        binding = await self.binding(package, type)
        file = await models.File.create(
            namespace_id=package.namespace_id,  # type: ignore[attr-defined]
            package=package,
            release=await self.release(package, version, known),
            binding=binding,
            type=type,
            version=version,
            path=f"{package.name}-{version}-{number}.{type}",
            basename=f"{package.name}-{version}.{type}",
            platform=platform,
            size=3_000_000_000,
            sha256="5" * 64,
            md5="2" * 32,
            blake2b="b" * 64,
            attributes=orjson.dumps({"author": "Anna", "scale": 25_000} | attributes).decode(),
            entry_version=1,
            uploaded_by=by,
            uploaded_at=next(self.ticks),
        )
        for label in labels:
            await models.FileLabel.create(file=file, label=await self.label(package, label))
        for extra in extras:
            await models.Extra.create(file=file, name=extra, sha256="e" * 64, size=1, media_type="text/plain")
        return file

    async def binding(self, package: models.Package, type: str, **state: Any) -> models.Binding:
        made = {"state": orjson.dumps(state).decode(), "package": package}
        binding, _ = await models.Binding.get_or_create(
            made,
            namespace_id=package.namespace_id,  # type: ignore[attr-defined]
            type=type,
            name=package.name_key,
        )
        return binding

    async def release(self, package: models.Package, version: str, type: PackageType) -> models.Release:
        made = {"version": version, "version_key": type.version_key(version), "created_at": next(self.ticks)}
        release, _ = await models.Release.get_or_create(made, package=package, canonical_version=type.canonical_version(version))
        return release

    async def label(self, package: models.Package, name: str) -> models.Label:
        label, _ = await models.Label.get_or_create({"created_at": next(self.ticks)}, namespace_id=package.namespace_id, name=name)  # type: ignore[attr-defined]
        return label

    async def remove(self, package: models.Package) -> None:
        await execute("DELETE FROM package WHERE id = $1", package.id)


def user(namespace: models.Namespace, *scopes: str, admin: bool = False) -> Actor:
    """The owner of a namespace with a token."""
    return Actor(name=namespace.name, namespace_id=namespace.id, is_admin=admin, scopes=frozenset(scopes or ("all",)))


@dataclass
class Ask:
    """Puts questions to the schema."""

    site: Site
    schema: Schema
    actor: Actor = ANONYMOUS
    base_url: str = BASE_URL

    def as_(self, actor: Actor) -> Ask:
        return replace(self, actor=actor)

    def on(self, **settings: Any) -> Ask:
        """The same on a site with other settings."""
        return replace(self, site=replace(self.site, settings=self.site.settings.model_copy(update=settings)))

    def at(self, base_url: str) -> Ask:
        return replace(self, base_url=base_url)

    async def __call__(self, query: str, **variables: Any) -> Any:
        """The data; the test fails with the errors if there are any."""
        result = await self._execute(query, variables)
        assert not result.errors, result.errors
        return result.data

    async def errors(self, query: str, **variables: Any) -> list[dict[str, Any]]:
        """The errors as a client gets them; there must be some."""
        result = await self._execute(query, variables)
        assert result.errors
        return [dict(error.formatted) for error in result.errors]

    async def error(self, query: str, **variables: Any) -> str:
        """The sentence of the only error."""
        errors = await self.errors(query, **variables)
        assert len(errors) == 1, errors
        return str(errors[0]["message"])

    async def both(self, query: str, **variables: Any) -> tuple[Any, list[str]]:
        """The data and the sentences of the errors."""
        result = await self._execute(query, variables)
        return result.data, [error.message for error in result.errors or ()]

    async def _execute(self, query: str, variables: dict[str, Any]) -> Any:
        context = Context(site=self.site, actor=self.actor, base_url=self.base_url)
        return await self.schema.execute(query, variables, context)
