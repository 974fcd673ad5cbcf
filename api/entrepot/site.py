"""One running site: what the services need, put together once per process by `app.py` or the command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from entrepot.services.downloads import Downloads

if TYPE_CHECKING:
    from entrepot.db.lookup import Lookup
    from entrepot.db.snapshot import Snapshots
    from entrepot.registry import Registry
    from entrepot.services.cache import ByteCache
    from entrepot.services.indexes import Indexes
    from entrepot.settings import Settings
    from entrepot.storage import Storage


@dataclass(slots=True)
class Site:
    """Settings, plugins, storage, and the two ways to read fast."""

    settings: Settings
    registry: Registry
    storage: Storage
    lookup: Lookup
    snapshots: Snapshots
    indexes: Indexes
    caches: dict[str, ByteCache[Any]] = field(init=False)
    """By name: for the metrics."""
    downloads: Downloads = field(default_factory=Downloads, init=False)
    stopping: bool = field(default=False, init=False)
    """The server has been told to stop: it still serves, but is not ready for more."""

    def __post_init__(self) -> None:
        self.caches = {"documents": self.indexes.stores, "parts": self.indexes.parts}

    def close(self) -> None:
        """Let go of the connections that the site has of its own."""
        self.lookup.close()
        self.snapshots.close()
