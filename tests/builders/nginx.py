"""nginx in front of servers, with the configurations of the manual."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from entrepot_process import eventually
from object_store import UNTIL_PARENT_ENDS

MANUAL = Path(__file__).parents[2] / "docs" / "operate.md"
AROUND = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/start.log;
{user}
events {{ worker_connections 512; }}
http {{
    default_type application/octet-stream;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{text}
}}
"""


def program() -> str:
    """Where nginx is. `.ci/run` installs it; a machine without it may leave these tests out, a run in CI may not."""
    found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        assert not os.environ.get("CI"), "nginx is not installed, and in CI no test is left out"
        pytest.skip("nginx is not installed on this machine (Debian: apt-get install nginx-light); .ci/run brings it")
    return found


def of_manual(*first_lines: str) -> str:
    """The manual's nginx configurations that begin so, joined."""
    blocks = re.findall(r"^```nginx\n(.*?)^```", MANUAL.read_text(), re.DOTALL | re.MULTILINE)
    found = [block for line in first_lines for block in blocks if block.lstrip().startswith(line)]
    assert len(found) == len(first_lines), first_lines
    return "\n".join(found)


def changed(text: str, replacements: Mapping[str, str]) -> str:
    """A configuration for this machine. Each text that is replaced must be there."""
    for old, new in replacements.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


@dataclass
class Nginx:
    """A running nginx."""

    folder: Path

    @property
    def logs(self) -> str:
        """All that it has logged."""
        return "".join(log.read_text(errors="replace") for log in sorted(self.folder.glob("*.log")))


@contextmanager
def nginx(text: str, port: int) -> Iterator[Nginx]:
    """nginx with this inside `http { … }`, from when it listens on the port. `FOLDER` in it is a folder for its logs."""
    folder = Path(tempfile.mkdtemp(prefix="entrepot-nginx-"))
    user = "user root;" if os.geteuid() == 0 else ""  # else its workers could not read what the tests have made
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder, user=user, text=text.replace("FOLDER", str(folder))))
    with (folder / "start.log").open("ab") as log:
        command = [program(), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "start.log")]
        process = subprocess.Popen(
            ["sh", "-c", UNTIL_PARENT_ENDS.replace("kill -9", "kill -TERM"), "sh", *command], stdin=subprocess.PIPE, stdout=log, stderr=log
        )
        try:
            eventually(lambda: _listens(port) or process.poll() is not None)
            assert process.poll() is None, (folder / "start.log").read_text()
            yield Nginx(folder)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(20)
            shutil.rmtree(folder, ignore_errors=True)


def _listens(port: int) -> bool:
    """Whether somebody listens on the port, from Linux's /proc."""
    lines = [*Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port for fields in map(str.split, lines))
