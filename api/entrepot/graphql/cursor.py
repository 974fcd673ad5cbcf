"""Cursors: opaque to clients, and good only for the list that they come from.

A cursor holds the place of an item by values that its reader may see (names, times, random ids), so there is nothing in it to keep secret and nothing
to gain from forging one.
"""

from __future__ import annotations

import base64
import binascii
from hashlib import blake2b
from typing import NamedTuple

import orjson

from entrepot.errors import BadRequest
from entrepot.services.catalog.pages import Keys, Order


class Scope(NamedTuple):
    """Which list a cursor belongs to."""

    list: str
    parent: str
    """The random id of what the list is a part of; empty for a list of the whole site."""
    order: str
    filter: str

    @property
    def mark(self) -> str:
        """A short digest."""
        return blake2b(orjson.dumps(list(self)), digest_size=6).hexdigest()


def encode(scope: Scope, keys: Keys) -> str:
    """The cursor of a place."""
    plain = [key.hex() if isinstance(key, bytes) else key for key in keys]
    return base64.urlsafe_b64encode(orjson.dumps([scope.mark, *plain])).rstrip(b"=").decode()


def decode(scope: Scope, order: Order, cursor: str) -> Keys:
    """The place that a cursor means. Raises BadRequest for one of another list, and for what is no cursor."""
    try:
        mark, *plain = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        keys = tuple(bytes.fromhex(key) if kind is bytes else key for key, kind in zip(plain, order.kinds, strict=True))
    except (binascii.Error, ValueError, TypeError) as error:
        raise BadRequest(
            "`after` is no cursor of this server. Take it from `pageInfo.endCursor`, or leave it out to start from the beginning."
        ) from error
    if mark != scope.mark or not all(_fits(key, kind) for key, kind in zip(keys, order.kinds, strict=True)):
        raise BadRequest(
            "`after` is the cursor of another list. A cursor is good for the same list with the same filters and order; start without it."
        )
    return keys


def _fits(key: object, kind: type) -> bool:
    """Whether a column of that kind can hold the key."""
    return type(key) is kind and (not isinstance(key, int) or -(2**63) <= key < 2**63)
