"""One running site: what the services need, put together once per process by `app.py` or the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from entrepot.db.lookup import Lookup
    from entrepot.db.snapshot import Snapshots
    from entrepot.registry import Registry
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

    def close(self) -> None:
        """Let go of the connections that the site has of its own."""
        self.lookup.close()
        self.snapshots.close()
