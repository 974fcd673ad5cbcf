"""The upload form of twine, as it goes over the wire."""

from __future__ import annotations

from base64 import b64encode
from hashlib import blake2b, sha256

from bench import load

BOUNDARY = "bench-b3b6c1"


def upload(path: str, package: tuple[str, bytes], user: str = "", password: str = "") -> bytes:
    """A request that uploads a wheel."""
    basename, body = package
    name, version = basename.split("-")[:2]
    fields = {
        ":action": "file_upload",
        "protocol_version": "1",
        "metadata_version": "2.1",
        "name": name,
        "version": version,
        "filetype": "bdist_wheel",
        "pyversion": "py3",
        "summary": "Measured",
        "requires_python": ">=3.9",
        "sha256_digest": sha256(body).hexdigest(),
        "blake2_256_digest": blake2b(body, digest_size=32).hexdigest(),
    }
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode() for name, value in fields.items()]
    head = f'Content-Disposition: form-data; name="content"; filename="{basename}"\r\nContent-Type: application/octet-stream'
    parts += [f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode(), body, f"\r\n--{BOUNDARY}--\r\n".encode()]
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    if user:
        headers["Authorization"] = f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"
    return load.request("POST", path, headers, b"".join(parts))
