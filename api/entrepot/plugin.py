"""Everything that a plugin author imports. The manual is `docs/plugins.md`."""

from __future__ import annotations

from entrepot.archives.bounds import Inflated, Patience, Readable
from entrepot.archives.streams import Decompressor, Gunzipped, Unpacked
from entrepot.archives.tar import TarReader
from entrepot.archives.tarheader import TarKind, TarMember
from entrepot.errors import (
    BadRequest,
    Conflict,
    DigestMismatch,
    EntrepotError,
    InvalidPackage,
    NotFound,
    PermissionDenied,
    PluginError,
    TooLarge,
    Unauthenticated,
    Unavailable,
    ValidationError,
)
from entrepot.graphql.interfaces import File, PackageFacet
from entrepot.graphql.mutations.arguments import FilesInput, first_files
from entrepot.graphql.problems import ConflictError, Error, InvalidInputError, NotFoundError, PermissionDeniedError
from entrepot.graphql.scalars import BigInt
from entrepot.hooks import FileEvent, Models, PackageEvent, Upload, hookimpl
from entrepot.http.form import UploadForm
from entrepot.inspection import Extra, Inspection, Objection, StoredExtra, StoredFile, Strictness
from entrepot.packagetype import Listed, Notice, PackageSummary, PackageType
from entrepot.representations import DocumentRepresentation, Entry, PartRepresentation, Parts, Pieces, RenderContext, Run
from entrepot.services.actors import Actor
from entrepot.services.facade import Services
from entrepot.services.flights import Flights
from entrepot.services.grants import Level
from entrepot.services.selections import FileSelection
from entrepot.services.uploads import IncomingUpload, PublishedFile
from entrepot.shelf import ShelfType
from entrepot.targets import (
    AddressedTarget,
    DocumentTarget,
    FileTarget,
    NewestTarget,
    NoticesTarget,
    PartTarget,
    RedirectTarget,
    RefusalTarget,
    Target,
)

__all__ = [
    "Actor",
    "AddressedTarget",
    "BadRequest",
    "BigInt",
    "Conflict",
    "ConflictError",
    "Decompressor",
    "DigestMismatch",
    "DocumentRepresentation",
    "DocumentTarget",
    "EntrepotError",
    "Entry",
    "Error",
    "Extra",
    "File",
    "FileEvent",
    "FileSelection",
    "FileTarget",
    "FilesInput",
    "Flights",
    "Gunzipped",
    "IncomingUpload",
    "Inflated",
    "Inspection",
    "InvalidInputError",
    "InvalidPackage",
    "Level",
    "Listed",
    "Models",
    "NewestTarget",
    "NotFound",
    "NotFoundError",
    "Notice",
    "NoticesTarget",
    "Objection",
    "PackageEvent",
    "PackageFacet",
    "PackageSummary",
    "PackageType",
    "PartRepresentation",
    "PartTarget",
    "Parts",
    "Patience",
    "PermissionDenied",
    "PermissionDeniedError",
    "Pieces",
    "PluginError",
    "PublishedFile",
    "Readable",
    "RedirectTarget",
    "RefusalTarget",
    "RenderContext",
    "Run",
    "Services",
    "ShelfType",
    "StoredExtra",
    "StoredFile",
    "Strictness",
    "TarKind",
    "TarMember",
    "TarReader",
    "Target",
    "TooLarge",
    "Unauthenticated",
    "Unavailable",
    "Unpacked",
    "Upload",
    "UploadForm",
    "ValidationError",
    "first_files",
    "hookimpl",
]
