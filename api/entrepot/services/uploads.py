"""Taking a file in (sketch of the interface; filled in by the next commit)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from entrepot.services.actors import Actor
    from entrepot.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFile:
    """A file that was published, as the upload answers it."""

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


class IncomingUpload:
    """An upload that is being received."""

    async def write(self, chunk: bytes) -> None:
        """Take the next bytes. Raises TooLarge, Unavailable."""

    async def publish(
        self,
        *,
        basename: str,
        type: str | None = None,
        package: str | None = None,
        version: str | None = None,
        labels: Sequence[str] = (),
        private: bool | None = None,
        digests: Mapping[str, str] | None = None,
    ) -> PublishedFile:
        """Check what was received and publish it. `digests` are the hex digests that the client declared (sha256, md5, blake2b).

        Raises ValidationError, InvalidPackage, Conflict, PermissionDenied, Unavailable.
        """
        raise NotImplementedError


@asynccontextmanager
async def incoming(
    site: Site, *, actor: Actor, namespace: str, type: str | None, package: str | None, declared_size: int | None
) -> AsyncIterator[IncomingUpload]:
    """Authorize an upload, then receive it."""
    yield IncomingUpload()
