"""What a plugin may ask of the core. One object, handed to `routes` hooks and to `PackageType.routes`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

from entrepot.db.sql import transaction
from entrepot.errors import ValidationError
from entrepot.services import files, filestates, newest, states, uploads
from entrepot.services.grants import Level
from entrepot.services.uploads import IncomingUpload
from entrepot.storage.body import body_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from entrepot.http.serving import Server
    from entrepot.inspection import StoredExtra, StoredFile
    from entrepot.packagetype import PackageType
    from entrepot.services.actors import Actor
    from entrepot.services.selections import FileSelection
    from entrepot.site import Site
    from entrepot.targets import Target


class Services:
    """The core's services, with the site they work on."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._server: Server | None = None

    async def authenticate(self, request: Request) -> Actor:
        """Who makes the request. Raises Unauthenticated for a credential that is not valid; no credential is the anonymous actor."""
        from entrepot.http.authentication import authenticate

        return await authenticate(self.site, request)

    def upload(
        self, actor: Actor, *, namespace: str, type: str | None = None, declared_size: int | None = None
    ) -> AbstractAsyncContextManager[IncomingUpload]:
        """Take a file in: authorizes on entry, before a byte of it is read. Use as

            async with services.upload(actor, namespace="alice") as upload:
                async for chunk in request.stream():
                    await upload.write(chunk)
                published = await upload.publish(basename="x-1.0.tar.gz")

        Whatever goes wrong, nothing is left behind. Raises Unauthenticated, PermissionDenied, NotFound, TooLarge.
        """
        return uploads.incoming(self.site, actor=actor, namespace=namespace, type=type, declared_size=declared_size)

    def transaction(self) -> AbstractAsyncContextManager[None]:
        """A write transaction; `set_state` and a plugin's own models join it."""
        return transaction()

    async def files(self, actor: Actor, *, namespace: str, type: str, name: str) -> list[StoredFile]:
        """The files of a canonical name, oldest first. Raises NotFound for what does not exist for this actor."""
        return await files.files_of(self.site, actor=actor, namespace=namespace, type=type, name=name)

    async def set_state(
        self,
        actor: Actor,
        *,
        namespace: str,
        type: str,
        name: str,
        action: str,
        package_state: Mapping[str, Any] | None = None,
        file_states: Mapping[str, Mapping[str, Any]] | None = None,
        level: Level = Level.WRITE,
    ) -> None:
        """Replace keys in the state of a canonical name's package, or of files by path (a value of None removes the key), and restate their entries.

        One transaction: the entries that changed and their heads move with the state. `action` names it in the audit log.
        It takes the level on the package. Raises NotFound, PermissionDenied.
        """
        await states.set_state(
            self.site,
            actor=actor,
            namespace=namespace,
            type=type,
            name=name,
            action=action,
            package_state=package_state,
            file_states=file_states,
            level=level,
        )

    async def say_of_files(self, actor: Actor, *, files: FileSelection, type: str, action: str, key: str, value: Any) -> list[str]:
        """Set one key in the state of files, perhaps of several packages, and restate their entries: all of them or none; None removes it.

        Answers the ids of the files of which something else was said before. In one transaction, as `set_state`; one event for each package.
        Raises NotFound, PermissionDenied, ValidationError for a file of another type.
        """

        def say(of: PackageType, file: StoredFile) -> Any:
            if of.name != type:
                raise ValidationError(f"{file.path} in {file.namespace} is of the type {of.name}, not {type}. Nothing was changed.", field="files")
            return value

        return await filestates.change_files(self.site, actor=actor, selection=files, change=filestates.FileChange(action=action, key=key, say=say))

    async def newest(self, actor: Actor, *, namespace: str, type: str, name: str, label: str = "main") -> StoredFile | None:
        """The file of a canonical name that has the label, of the highest version, then of the last upload; None: there is none for this actor."""
        return await newest.newest_stored_file(self.site, actor=actor, namespace=namespace, type=type, label=label, name=name)

    async def extra(self, extra: StoredExtra) -> bytes | None:
        """The bytes of an extra of a file that the actor may read, which is for the caller to know. None: they are lost."""
        return await body_of(self.site.storage, extra.sha256, extra.size)

    async def respond(self, request: Request, *, namespace: str, type: str, target: Target, label: str = "main") -> Response:
        """The response to a request for an index document, a part, or a file: permission, ETag, 304, ranges, HEAD and headers are the core's."""
        from entrepot.http.serving import Server, respond

        if self._server is None:
            self._server = Server(self.site)
        return await respond(self._server, request, namespace=namespace, type=type, target=target, label=label)
