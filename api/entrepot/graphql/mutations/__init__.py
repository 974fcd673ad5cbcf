"""What can be done: one mutation in each module, thin over the services."""

from __future__ import annotations

from entrepot.graphql.mutations.add_collaborator import AddCollaborator
from entrepot.graphql.mutations.add_group_member import AddGroupMember
from entrepot.graphql.mutations.add_group_package import AddGroupPackage
from entrepot.graphql.mutations.add_label import AddLabel
from entrepot.graphql.mutations.change_password import ChangePassword
from entrepot.graphql.mutations.copy_files import CopyFiles
from entrepot.graphql.mutations.copy_label import CopyLabel
from entrepot.graphql.mutations.create_group import CreateGroup
from entrepot.graphql.mutations.create_label import CreateLabel
from entrepot.graphql.mutations.create_notice import CreateNotice
from entrepot.graphql.mutations.create_organization import CreateOrganization
from entrepot.graphql.mutations.create_package import CreatePackage
from entrepot.graphql.mutations.create_token import CreateToken
from entrepot.graphql.mutations.create_upload import CreateUpload
from entrepot.graphql.mutations.create_user import CreateUser
from entrepot.graphql.mutations.delete_group import DeleteGroup
from entrepot.graphql.mutations.delete_label import DeleteLabel
from entrepot.graphql.mutations.delete_notice import DeleteNotice
from entrepot.graphql.mutations.delete_organization import DeleteOrganization
from entrepot.graphql.mutations.delete_package import DeletePackage
from entrepot.graphql.mutations.disable_user import DisableUser
from entrepot.graphql.mutations.enable_user import EnableUser
from entrepot.graphql.mutations.end_session import EndSession
from entrepot.graphql.mutations.lock_label import LockLabel
from entrepot.graphql.mutations.login import Login
from entrepot.graphql.mutations.logout import Logout
from entrepot.graphql.mutations.move_files import MoveFiles
from entrepot.graphql.mutations.move_label import MoveLabel
from entrepot.graphql.mutations.register import Register
from entrepot.graphql.mutations.remove_collaborator import RemoveCollaborator
from entrepot.graphql.mutations.remove_files import RemoveFiles
from entrepot.graphql.mutations.remove_group_member import RemoveGroupMember
from entrepot.graphql.mutations.remove_group_package import RemoveGroupPackage
from entrepot.graphql.mutations.remove_hotfix import RemoveHotfix
from entrepot.graphql.mutations.remove_label import RemoveLabel
from entrepot.graphql.mutations.remove_release import RemoveRelease
from entrepot.graphql.mutations.revoke_token import RevokeToken
from entrepot.graphql.mutations.set_hotfix import SetHotfix
from entrepot.graphql.mutations.transfer_package import TransferPackage
from entrepot.graphql.mutations.unlock_label import UnlockLabel
from entrepot.graphql.mutations.update_group import UpdateGroup
from entrepot.graphql.mutations.update_namespace import UpdateNamespace
from entrepot.graphql.mutations.update_package import UpdatePackage

CORE_MUTATIONS: tuple[type, ...] = (
    CreateOrganization,
    UpdateNamespace,
    DeleteOrganization,
    CreateGroup,
    UpdateGroup,
    DeleteGroup,
    AddGroupMember,
    RemoveGroupMember,
    AddGroupPackage,
    RemoveGroupPackage,
    AddCollaborator,
    RemoveCollaborator,
    Login,
    Logout,
    EndSession,
    Register,
    ChangePassword,
    CreateUser,
    DisableUser,
    EnableUser,
    CreatePackage,
    UpdatePackage,
    DeletePackage,
    TransferPackage,
    CopyFiles,
    MoveFiles,
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
    SetHotfix,
    RemoveHotfix,
    CreateNotice,
    DeleteNotice,
    CreateToken,
    RevokeToken,
    CreateUpload,
)
"""The types whose fields are the core's own mutations; plugins' join them."""
