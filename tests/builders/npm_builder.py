"""npm archives and the documents that `npm publish` sends."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import tarfile
from typing import Any

import orjson


def archive(manifest: Any, *, members: dict[str, bytes] | None = None, folder: str = "package") -> bytes:
    """A gzipped tar with a package.json (bytes are taken as they are) and other members; always the same bytes for the same content."""
    text = manifest if isinstance(manifest, bytes) else orjson.dumps(manifest)
    return packed([(f"{folder}/index.js", b"module.exports = 1\n"), (f"{folder}/package.json", text), *(members or {}).items()])


def packed(members: list[tuple[str, bytes]]) -> bytes:
    """A gzipped tar of these members, in this order."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as writer:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            writer.addfile(member, io.BytesIO(content))
    return gzip.compress(tar.getvalue(), mtime=0)


def integrity_of(content: bytes) -> str:
    """npm's spelling of a SHA-512 digest."""
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()


def publish_document(name: str, version: str, *, tags: dict[str, str] | None = None, **manifest: Any) -> dict[str, Any]:
    """What `npm publish` sends."""
    manifest = {"name": name, "version": version, **manifest}
    content = archive(manifest)
    dist = {"shasum": hashlib.sha1(content).hexdigest(), "integrity": integrity_of(content)}
    return {
        "_id": name,
        "name": name,
        "dist-tags": {"latest": version} if tags is None else tags,
        "versions": {version: {**manifest, "dist": dist}},
        "_attachments": {
            f"{name}-{version}.tgz": {
                "content_type": "application/octet-stream",
                "data": base64.b64encode(content).decode(),
                "length": len(content),
            }
        },
    }
