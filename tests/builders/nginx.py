"""nginx in front of a server, with a configuration of the test's own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from entrepot_process import eventually
from object_store import free_ports

MAIN = """
daemon off;
worker_processes 1;
error_log {folder}/error.log;
pid {folder}/nginx.pid;
{user}
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {http}
    server {{
        listen 127.0.0.1:{port};
        {server}
    }}
}}
"""


@contextmanager
def nginx(folder: Path, server: str, http: str = "") -> Iterator[str]:
    """Run nginx with the body of a `server` block (and what stands beside it in `http`); answers its URL."""
    folder.mkdir(parents=True, exist_ok=True)
    [port] = free_ports(1)
    user = "user root;" if os.geteuid() == 0 else ""  # else its workers may not read the test's files
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, port=port, user=user, server=server, http=http))
    command = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert command, "these tests need nginx (Debian's nginx-light)"
    with subprocess.Popen([command, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            eventually(lambda: process.poll() is not None or _answers(url))
            assert process.poll() is None, (folder / "error.log").read_text()
            yield url
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        httpx.get(url)
    except httpx.TransportError:
        return False
    return True
