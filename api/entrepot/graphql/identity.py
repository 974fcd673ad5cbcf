"""Ids that come back: which thing a client means by the `id` that it was given."""

from __future__ import annotations

from strawberry import relay
from strawberry.relay.types import GlobalIDValueError

from entrepot.errors import ValidationError
from entrepot.graphql.context import Context, Info
from entrepot.graphql.files import PlainFile

NO_ID = "This is no id of this server. Take it from the `id` of something that it answered."


def uuid_of(info: Info, id: str, kind: type, *, field: str) -> str:
    """The random id within a global one, which must be that of a thing of this kind (a type, or an interface). Raises ValidationError."""
    try:
        identity = relay.GlobalID.from_id(id)
        meant = identity.resolve_type(info)
    except GlobalIDValueError as error:
        raise ValidationError(NO_ID, field=field) from error
    if "\0" in identity.node_id:
        raise ValidationError(NO_ID, field=field)
    if not issubclass(meant, kind):
        raise ValidationError(f"This is the id of something else than a {kind.__name__}.", field=field)
    return identity.node_id


def id_of_file(context: Context, *, type: str, uuid: str) -> relay.GlobalID:
    """The global id that a file has, or had."""
    known = context.site.registry.types.get(type)  # a plugin may be gone, and its files still be removed
    kind = (known and known.graphql_type) or PlainFile
    return relay.GlobalID(kind.__strawberry_definition__.name, uuid)  # type: ignore[attr-defined]  # Strawberry's mark
