"""What a collection did, or would do."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """How many, and how many bytes."""

    count: int = 0
    size: int = 0

    def add(self, size: int) -> None:
        """One more."""
        self.count += 1
        self.size += size


@dataclass(slots=True)
class Report:
    """What a collection did; with `dry_run`, what one would do now."""

    dry_run: bool = False
    blobs: Tally = field(default_factory=Tally)
    """Blobs that nothing referred to."""
    strays: Tally = field(default_factory=Tally)
    """Bytes in storage that no row knew. They have one now, and go when it was left alone for long enough."""
    shards: Tally = field(default_factory=Tally)
    """Shards that no index has named for long enough."""
    changes: int = 0
    """Rows of the change log."""
    staged: int = 0
    """Uploads that were announced, and whose time is over."""
    sessions: int = 0
    """Sessions of users that nobody has used for too long."""
    throttles: int = 0
    """Counts of attempts to log in that are forgotten by now."""
    spooled: int = 0
    """Files that uploads which died have left on this machine. Not looked at in a dry run."""
    failures: list[str] = field(default_factory=list)
    """Why blobs could not be removed from storage, a sentence for each. They are tried again by the next run."""
