"""What may happen to stored bytes without the server's doing, on either ground."""

from __future__ import annotations

from entrepot.settings import Settings
from entrepot.site import Site
from entrepot.storage import Storage
from entrepot.storage.names import DIGEST, name_of
from object_store import shared_store


def spoil(site: Site, sha256: str, body: bytes) -> None:
    """Other bytes lie where a blob was."""
    spoil_in(site.storage, site.settings, sha256, body)


def spoil_in(storage: Storage, settings: Settings, name: str, body: bytes) -> None:
    """Bytes lie under the name of a blob (its sha256), or under any other name, that nobody has put there through the storage."""
    if DIGEST.fullmatch(name):
        name = name_of(name)
    if settings.storage_url:
        shared_store().client(settings.storage_url.split("/", 3)[3]).put(name, body)
    else:
        file = storage.spool_folder.parent / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)


def lose(site: Site, sha256: str) -> None:
    """A blob is gone."""
    assert site.storage.size(sha256) is not None
    site.storage.delete(sha256)
