"""What was imported from a folder, beside the running server, real clients install."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conda_builder import build_conda
from installed_server import Server
from real_client import Client, run


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """A mirrored channel: a package in linux-64 that needs one in noarch, and one that is shown under a label only."""
    for path, (basename, body) in {
        "linux-64": build_conda("imported-app", "1.0", subdir="linux-64", depends=["imported-lib >=2"]),
        "noarch": build_conda("imported-lib", "2.0", files={"share/imported.txt": b"imported\n"}, ext=".tar.bz2"),
        "label/dev/noarch": build_conda("imported-lib", "3.0rc1"),
    }.items():
        (tmp_path / "channel" / path).mkdir(parents=True)
        (tmp_path / "channel" / path / basename).write_bytes(body)
        (tmp_path / "channel" / path / "repodata.json").write_text(json.dumps({"info": {}, "packages": {}, "packages.conda": {}}))
    return tmp_path / "channel"


def test_rattler_installs_what_was_imported(server: Server, client: Client, mirror: Path) -> None:
    done = server.entrepot("import", str(mirror), "--namespace", "alice")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("Imported into alice: 3 files, ")
    channel, prefix = f"{server.url}/conda/alice", client.home / "prefix"
    installed = client.rattler(channel, prefix, "imported-app").stdout
    assert "imported-lib 2.0 0" in installed
    assert (prefix / "share/imported.txt").read_bytes() == b"imported\n"
    assert "imported-lib 3.0rc1 0" in client.rattler(f"{channel}/label/dev", client.home / "dev", "imported-lib").stdout


def test_pip_installs_what_was_imported(server: Server, client: Client, tmp_path: Path, wheels: list[Path], sdists: list[Path]) -> None:
    for file in (*wheels, *sdists):
        project = tmp_path / "packages" / file.name.partition("-")[0]
        project.mkdir(parents=True, exist_ok=True)
        (project / file.name).write_bytes(file.read_bytes())
    done = server.entrepot("import", str(tmp_path / "packages"), "--namespace", "bob", "--type", "pypi")
    assert done.returncode == 0, done.stderr
    python = client.venv()
    client.pip(python, "install", "--index-url", f"{server.url}/pypi/bob/simple/", "python-dateutil")
    assert run([str(python), "-c", "import dateutil, six; print(six.__version__)"]).stdout.strip() == "1.17.0"
