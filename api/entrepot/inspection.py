"""What a package type reads out of an upload, what it objects to, and what the database knows of a file afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Extra:
    """A small blob that inspection takes out of an upload: a `.metadata` sidecar, a thumbnail, a rendered view.

    Stored, counted and collected as a blob of its own, and served by `FileTarget(path, extra=name)`.
    """

    name: str
    body: bytes
    media_type: str = "application/octet-stream"


class Strictness(Enum):
    """How much a namespace insists on, beyond what `inspect` refuses everywhere. Each value insists on what those before it do."""

    IMPORT = "import"
    """What was once built otherwise is taken: the files of another server, that nobody will build again."""
    PRIVATE = "private"
    """What the format asks of new files, as far as it serves a house of its own."""
    PUBLIC = "public"
    """What the type's public registry asks."""

    def insists_on(self, objection: Objection) -> bool:
        """Whether a file to which this is objected is refused."""
        order = list(Strictness)
        return order.index(objection.since) <= order.index(self)


@dataclass(frozen=True, slots=True)
class Objection:
    """A rule that a file breaks, and that only some namespaces insist on. Never one that keeps harm away: that is for `inspect` to raise."""

    since: Strictness
    """The mildest strictness that refuses the file."""
    message: str
    """A sentence that says what is wrong and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What a package type read out of an upload."""

    name: str
    """The package's name as the file spells it."""
    version: str
    """The version as the file spells it. May be empty where `versions_itself` is False: then the core dates the upload (`2026.11.22.093015`)."""
    summary: str = ""
    description: str = ""
    license: str = ""
    platform: str = ""
    """What the file runs on, in the type's own words (conda: the subdir). Empty: anything."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """What the type wants to remember: JSON values only. Handed back in `StoredFile.attributes`; entries are made from it."""
    extras: Sequence[Extra] = ()
    names_itself: bool = True
    """True: the name stands inside the file, and an uploader's `package=` may differ from it only in case and in `-`, `_`, `.`.
    False: `name` is only a proposal (from the basename, say); `package=` wins."""
    versions_itself: bool = True
    """True: the version stands inside the file, and an uploader's `version=` must mean the same.
    False: `version` is only a proposal; `version=` wins. Without `version=`, bytes that the package has under this basename make no new release."""
    objections: Sequence[Objection] = ()
    """What the core refuses where the namespace is strict enough (`Objection.since`), and an import tells of where it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredExtra:
    """An extra as it lies in storage."""

    sha256: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file as the database knows it. Everything that `PackageType.entries` may use."""

    namespace: str
    package: str
    """The package's display name in its namespace."""
    name: str
    """The canonical name: the part in which the file's entries appear."""
    version: str
    """The version as the file spells it."""
    path: str
    basename: str
    size: int
    sha256: str
    """Lower-case hex; `md5` and `blake2b` (256 bits) likewise."""
    md5: str
    blake2b: str
    uploaded_at: int
    """Milliseconds since 1970, UTC."""
    attributes: Mapping[str, Any]
    state: Mapping[str, Any]
    """What was said of this file since its upload (yanked, hotfixes …), set through `Services.set_state`."""
    package_state: Mapping[str, Any]
    """What was said of its package in this type (project status, dist-tags …)."""
    extras: Mapping[str, StoredExtra]
    summary: str = ""
    """What inspection said of it."""
