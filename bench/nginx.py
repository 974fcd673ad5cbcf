"""nginx as a peer: one process that serves a folder, and that stands in front of Entrepot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.clock import cpu_of
from bench.server import Process, free_port, process

CONFIGURATION = """
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 512; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    default_type application/octet-stream;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream entrepot {{ server 127.0.0.1:{behind}; keepalive 64; }}
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location /static/ {{ alias {files}/; }}
        location /entrepot-files/ {{ internal; alias {blobs}/; }}
        location / {{
            proxy_pass http://entrepot;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $remote_addr;
        }}
    }}
}}
"""


@dataclass(frozen=True, slots=True)
class Together(Process):
    """A server and what stands behind it: their CPU counts together."""

    behind: int

    @property
    def cpu(self) -> float:
        """Seconds of CPU so far."""
        return cpu_of(self.pid) + cpu_of(self.behind)


@contextmanager
def nginx(folder: Path, *, files: Path, blobs: Path, behind: Process) -> Iterator[Sequence[Process]]:
    """Serve `files` below `/static/`, and all else by Entrepot, whose blobs it may send: nginx alone, and the two together."""
    port = free_port()
    values = {"folder": folder, "port": port, "files": files, "blobs": blobs, "behind": behind.port}
    (folder / "nginx.conf").write_text(CONFIGURATION.format(**values))
    with process(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")], port) as pid:
        yield Process(pid, port), Together(pid, port, behind.pid)
