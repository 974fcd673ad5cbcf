"""Servers behind nginx. nginx is Debian's: `.ci/run` installs it where it is missing; see tests/builders/nginx.py."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from command import run_command
from entrepot_process import COMMAND, Running, process_environment, serving
from ground import laid
from nginx import Nginx, changed, nginx, of_manual
from object_store import free_ports
from real_client import Client

TLS = {
    "    listen 443 ssl;\n": "    listen 127.0.0.1:PORT;\n",
    "    ssl_certificate     /etc/ssl/packages.example.org/fullchain.pem;\n": "",
    "    ssl_certificate_key /etc/ssl/packages.example.org/privkey.pem;\n": "",
    "server_name packages.example.org;": "server_name 127.0.0.1;",
    "/var/log/nginx/": "FOLDER/",
}
"""What of the manual's server is another thing here: its address, and its TLS, which has a test of its own."""


@dataclass
class Fleet:
    """Two hosts on one PostgreSQL and one object store, with data folders of their own, and a balancer in front."""

    folder: Path
    hosts: tuple[Running, Running]
    url: str
    balancer: Nginx
    token: str

    def run(self, *arguments: str) -> str:
        """A command, on a machine that is neither host."""
        data = self.folder / "third"
        data.mkdir(exist_ok=True)
        done = run_command(*arguments, "--data", data, folder=self.folder, environment=process_environment())
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def client(self, host: int | None = None, token: str | None = "") -> httpx.Client:
        """A client of one host, or of the balancer; with alice's token, another one, or none."""
        url = self.url if host is None else self.hosts[host].url
        headers = {} if token is None else {"Authorization": f"Bearer {token or self.token}"}
        return httpx.Client(base_url=url, headers=headers, timeout=60)


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """Two hosts behind nginx, as the manual sets it up."""
    port = free_ports(1)[0]
    with laid("fleet"), ExitStack() as stack:
        settings = {"ENTREPOT_PUBLIC_URL": f"http://127.0.0.1:{port}", "ENTREPOT_TRUSTED_PROXIES": "127.0.0.1", "ENTREPOT_ACCESS_LOG": "true"}
        hosts = []
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            command = ["sh", "-c", 'exec "$@" 2>> "$0"', str(tmp_path / f"{name}.log"), *COMMAND]
            hosts.append(stack.enter_context(serving(tmp_path / name / "data", "--workers", 2, environment=settings, command=command)))
        balancer = stack.enter_context(nginx(balancing(hosts[0], hosts[1], port), port))
        fleet = Fleet(tmp_path, (hosts[0], hosts[1]), f"http://127.0.0.1:{port}", balancer, "")
        fleet.run("user", "create", "alice")
        fleet.token = fleet.run("token", "create", "alice", "--name", "laptop")
        yield fleet


def balancing(a: Running, b: Running, port: int) -> str:
    """The manual's configuration for several hosts."""
    one = of_manual("# tokens may stand in paths")
    upstream = of_manual("upstream entrepot {\n    server host-a")
    begin = one.index("upstream entrepot {")
    text = one[:begin] + upstream + one[one.index("}\n", begin) + 2 :]
    more = of_manual("proxy_next_upstream")
    replacements = {**TLS, "host-a.internal:8080": f"127.0.0.1:{a.port}", "host-b.internal:8080": f"127.0.0.1:{b.port}"}
    return changed(text, {**replacements, "    location / {": f"{more}\n    location / {{"}).replace("PORT", str(port))


@pytest.fixture
def client(tmp_path: Path) -> Client:
    """Real clients with an empty home."""
    return Client(tmp_path / "tools" / "home")
