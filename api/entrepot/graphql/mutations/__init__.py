"""What can be done: one mutation in each module, thin over the services."""

from __future__ import annotations

from entrepot.graphql.mutations.add_label import AddLabel
from entrepot.graphql.mutations.copy_label import CopyLabel
from entrepot.graphql.mutations.create_label import CreateLabel
from entrepot.graphql.mutations.create_package import CreatePackage
from entrepot.graphql.mutations.create_token import CreateToken
from entrepot.graphql.mutations.create_upload import CreateUpload
from entrepot.graphql.mutations.delete_label import DeleteLabel
from entrepot.graphql.mutations.delete_package import DeletePackage
from entrepot.graphql.mutations.lock_label import LockLabel
from entrepot.graphql.mutations.move_label import MoveLabel
from entrepot.graphql.mutations.remove_files import RemoveFiles
from entrepot.graphql.mutations.remove_label import RemoveLabel
from entrepot.graphql.mutations.remove_release import RemoveRelease
from entrepot.graphql.mutations.revoke_token import RevokeToken
from entrepot.graphql.mutations.transfer_package import TransferPackage
from entrepot.graphql.mutations.unlock_label import UnlockLabel
from entrepot.graphql.mutations.update_package import UpdatePackage

CORE_MUTATIONS: tuple[type, ...] = (
    CreatePackage,
    UpdatePackage,
    DeletePackage,
    TransferPackage,
    RemoveRelease,
    RemoveFiles,
    AddLabel,
    RemoveLabel,
    CreateLabel,
    CopyLabel,
    MoveLabel,
    DeleteLabel,
    LockLabel,
    UnlockLabel,
    CreateToken,
    RevokeToken,
    CreateUpload,
)
"""The types whose fields are the core's own mutations; plugins' join them."""
