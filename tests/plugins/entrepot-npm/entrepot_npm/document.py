"""The JSON document that `npm publish` sends: the archive in base64, what it is called, and the dist-tags it shall have."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from entrepot.plugin import BadRequest, ValidationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What a publish document asks for."""

    basename: str
    archive: bytes
    version: str
    tags: Mapping[str, str]


def publication(text: bytes, name: str) -> Publication:
    """Read a publish document for the package of that name. Raises BadRequest, ValidationError."""
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The body is no JSON: {error}.") from error
    versions = _mapping(document, "versions")
    attachments = {key: value for key, value in _mapping(document, "_attachments").items() if not key.endswith(".sigstore")}
    if document.get("name") != name:
        raise ValidationError(f"The document is about {document.get('name')!r}, the URL about {name!r}.")
    if len(versions) != 1 or len(attachments) != 1:
        raise ValidationError("Publish one version at a time: one member in `versions`, one in `_attachments`.")
    [(version, manifest)], [(basename, attachment)] = versions.items(), attachments.items()
    archive = _decoded(_mapping(attachment).get("data"))
    _check_digests(archive, _mapping(_mapping(manifest).get("dist", {})))
    tags = _mapping(document, "dist-tags")
    if not all(isinstance(tagged, str) for tagged in tags.values()):
        raise ValidationError("`dist-tags` must map tags to versions.")
    return Publication(basename=basename, archive=archive, version=version, tags=tags or {"latest": version})


def _mapping(given: Any, key: str | None = None) -> Mapping[str, Any]:
    inner = given.get(key, {}) if key and isinstance(given, dict) else given
    if not isinstance(inner, dict):
        raise ValidationError(f"{'The document' if key is None else f'`{key}`'} must be an object, as `npm publish` sends it.")
    return inner


def _decoded(data: object) -> bytes:
    try:
        return base64.b64decode(data, validate=True) if isinstance(data, str) else b""
    except (binascii.Error, ValueError) as error:
        raise ValidationError(f"The attachment's `data` is no base64: {error}.") from error


def _check_digests(archive: bytes, dist: Mapping[str, Any]) -> None:
    """What the client says of the archive must be true of what arrived."""
    declared = {"shasum": dist.get("shasum"), "integrity": dist.get("integrity")}
    found = {
        "shasum": hashlib.sha1(archive, usedforsecurity=False).hexdigest(),
        "integrity": "sha512-" + base64.b64encode(hashlib.sha512(archive).digest()).decode(),
    }
    for key, value in declared.items():
        if value is not None and value != found[key]:
            raise ValidationError(f"The archive's {key} is {found[key]}, not {value} as declared: it was changed on its way. Publish it again.")
