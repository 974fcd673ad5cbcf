"""What can go wrong, in the words of the domain. `http/errors.py` and `graphql/errors.py` map these once each.

The text of an error is shown to the user: one or two sentences that say what is wrong and what to do. It never holds a secret.
"""

from __future__ import annotations


class EntrepotError(Exception):
    """Base of all errors that a user may see."""

    status = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadRequest(EntrepotError):
    """The request itself is malformed."""

    status = 400


class Unauthenticated(EntrepotError):
    """No credential, or one that is not valid (any more)."""

    status = 401


class PermissionDenied(EntrepotError):
    """The actor may see the thing, but not do this to it."""

    status = 403


class NotFound(EntrepotError):
    """There is no such thing, or none that this actor may see: the two answer alike."""

    status = 404


class Conflict(EntrepotError):
    """The state of the server contradicts the request."""

    status = 409


class TooLarge(EntrepotError):
    """The body is over a limit."""

    status = 413


class ValidationError(EntrepotError):
    """The request is well-formed, its content is not acceptable."""

    status = 422

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field
        """Which argument is meant, by its Python name; None where it is not one alone."""


class TooManyRequests(EntrepotError):
    """Somebody, perhaps somebody else, has tried too often; the same request may succeed after a pause."""

    status = 429

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """In seconds."""


class InvalidPackage(ValidationError):
    """The uploaded file is not a valid package of its type."""


class UnclaimedFile(ValidationError):
    """No package type takes the file for its own."""


class DigestMismatch(ValidationError):
    """The bytes are not those whose digest was declared."""


class Unavailable(EntrepotError):
    """A part that the server needs (disk, database, object store) is full, locked or away. Nothing was changed; trying again may help."""

    status = 503


class PluginError(EntrepotError):
    """A plugin is broken or clashes with another one; the server does not start. The message names the plugin."""


class SettingsError(EntrepotError):
    """The settings, or what they point at, cannot be used; the server does not start."""
