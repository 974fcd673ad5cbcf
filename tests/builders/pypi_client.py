"""A client of a running site, which publishes as twine does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b, sha256

import httpx
from entrepot.services.facade import Services


@dataclass(frozen=True)
class PypiClient:
    """A running site, as a client sees it."""

    http: httpx.AsyncClient
    namespace: str
    token: str
    services: Services

    async def publish(
        self,
        built: tuple[str, bytes],
        fields: Mapping[str, str | None] | None = None,
        *,
        namespace: str | None = None,
        slash: str = "/",
        auth: str | None = None,
    ) -> httpx.Response:
        """Send a file as twine does. A field of None is left out; `auth` is another token, or empty for none."""
        basename, body = built
        name, version = basename.split("-")[:2]
        data = {
            ":action": "file_upload",
            "protocol_version": "1",
            "name": name,
            "version": version.removesuffix(".tar.gz"),
            "filetype": "bdist_wheel" if basename.endswith(".whl") else "sdist",
            "pyversion": basename.split("-")[-3:][0] if basename.endswith(".whl") else "source",
            "sha256_digest": sha256(body).hexdigest(),
            "blake2_256_digest": blake2b(body, digest_size=32).hexdigest(),
            **(fields or {}),
        }
        token = self.token if auth is None else auth
        return await self.http.post(
            f"/pypi/{namespace or self.namespace}/legacy{slash}",
            data={name: value for name, value in data.items() if value is not None},
            files={"content": (basename, body, "application/octet-stream")},
            auth=httpx.BasicAuth("__token__", token) if token else httpx.USE_CLIENT_DEFAULT,
        )

    async def get(self, path: str, accept: str = "*/*") -> httpx.Response:
        """Read below the namespace's index, without a token."""
        return await self.http.get(self.url(path), headers={"accept": accept})

    def url(self, path: str) -> str:
        """An address below the namespace's index."""
        return f"http://127.0.0.1/pypi/{self.namespace}/{path}"
