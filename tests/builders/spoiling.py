"""What may happen to stored bytes without the server's doing, on either ground."""

from __future__ import annotations

from entrepot.site import Site
from entrepot.storage.names import name_of
from object_store import shared_store


def spoil(site: Site, sha256: str, body: bytes) -> None:
    """Other bytes lie where a blob was."""
    path = site.storage.path(sha256)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    else:
        prefix = site.settings.storage_url.split("/", 3)[3]
        shared_store().client(prefix).put(name_of(sha256), body)


def lose(site: Site, sha256: str) -> None:
    """A blob is gone."""
    assert site.storage.size(sha256) is not None
    site.storage.delete(sha256)
