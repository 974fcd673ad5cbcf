"""A file between inspection and publication, and what is answered of it afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from entrepot.db.lookup import NamespaceRow
    from entrepot.inspection import Extra, Inspection, Strictness
    from entrepot.packagetype import PackageType
    from entrepot.services.actors import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFile:
    """A file that was published, as an upload answers it."""

    id: str
    namespace: str
    package: str
    version: str
    type: str
    path: str
    basename: str
    size: int
    sha256: str
    labels: Sequence[str]
    url: str
    """Where it can be downloaded: a path on this site."""
    created: bool
    """False: the same bytes were there under the same path already, and nothing changed."""
    forgiven: Sequence[str] = ()
    """What was wrong with the file beside the others of its release, and let pass: sentences for the report of an import."""


@dataclass(frozen=True, slots=True)
class DraftExtra:
    """An extra with the digest that stores it."""

    name: str
    body: bytes
    media_type: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A file that has passed inspection: everything the transaction writes."""

    actor: Actor
    namespace: NamespaceRow
    package_type: PackageType
    inspection: Inspection
    name: str
    canonical_name: str
    version: str
    canonical_version: str
    path: str
    basename: str
    size: int
    sha256: str
    md5: str
    blake2b: str
    labels: Sequence[str]
    private: bool | None
    unversioned: bool = False
    """Neither the request nor the format says the version: then bytes that the package has under this basename are no new release of it."""
    dated: bool = False
    """Nor did the content propose one: the version is the time of the upload, and moves on where the path is taken."""
    replaces: bool = False
    """A file of other bytes under the path is removed in the same transaction. False: it is a Conflict."""
    strictness: Strictness | None = None
    """What is insisted on; None: what the namespace does."""
    more_extras: Sequence[Extra] = ()
    """What came along with the file, and was not found in it."""
    extras: tuple[DraftExtra, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "extras", tuple(map(_draft_extra, (*self.inspection.extras, *self.more_extras))))

    @property
    def type(self) -> str:
        """The name of the package type."""
        return self.package_type.name


def _draft_extra(extra: Extra) -> DraftExtra:
    return DraftExtra(extra.name, extra.body, extra.media_type, hashlib.sha256(extra.body).hexdigest())
