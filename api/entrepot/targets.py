"""What the URLs of a package type mean."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DocumentTarget:
    """A URL that means a whole document in one representation."""

    document: str
    representation: str


@dataclass(frozen=True, slots=True)
class PartTarget:
    """A URL that means one part of a document in one representation."""

    document: str
    part: str
    representation: str
    view: str = ""
    """What of the part is meant: a canonical version, which `render_part` finds in its context. One that the package has no release of, and one of
    which nothing is rendered, is not found."""


@dataclass(frozen=True, slots=True)
class AddressedTarget:
    """A URL that means an addressed part representation by the hex sha256 of its bytes."""

    document: str
    representation: str
    sha256: str


@dataclass(frozen=True, slots=True)
class FileTarget:
    """A URL that means a stored file by its path, or one of its extras."""

    path: str
    extra: str | None = None


@dataclass(frozen=True, slots=True)
class NewestTarget:
    """A URL that means the newest file of a canonical name that has the channel's label: of the highest version, then of the last upload.

    The answer redirects to `PackageType.location` of the file, below `base`: a relative URL from the requested one to `/<type>/<namespace>/`.
    """

    name: str
    basename: str | None = None
    """Only files of this basename. None: any."""
    base: str = ""


@dataclass(frozen=True, slots=True)
class RedirectTarget:
    """A URL that has moved for good; `location` is relative to the requested URL (no scheme, no host, no leading slash)."""

    location: str


@dataclass(frozen=True, slots=True)
class RefusalTarget:
    """A URL that the type knows and will not serve this way (406 for an Accept that cannot be met, 404 cheaply for what nobody serves)."""

    status: int
    message: str


@dataclass(frozen=True, slots=True)
class NoticesTarget:
    """A URL that means what is to be told to whoever installs from the namespace, as `PackageType.render_notices` words it.

    As public as the namespace, the same under every label; not found while there is nothing to tell.
    """

    media_type: str = "application/json"


Target = DocumentTarget | PartTarget | AddressedTarget | FileTarget | NewestTarget | NoticesTarget | RedirectTarget | RefusalTarget
