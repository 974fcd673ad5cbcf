"""The npm plugin, installed as anybody would install it, and a server with it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from entrepot_process import ENVIRONMENT
from ground import Ground
from installed_server import Server, serving

DISTRIBUTION = Path(__file__).parent / "entrepot-npm"


@pytest.fixture(scope="session")
def site_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the npm plugin is installed."""
    target = tmp_path_factory.mktemp("site-packages")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", str(target)]
    done = subprocess.run([*pip, str(DISTRIBUTION)], capture_output=True, text=True, check=False, env=ENVIRONMENT, timeout=300)
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture(scope="module")
def server(site_packages: Path, tmp_path_factory: pytest.TempPathFactory, lasting_ground: Ground) -> Iterator[Server]:
    """A server with the npm plugin, and the users alice and bob."""
    with serving(tmp_path_factory.mktemp("with-npm"), site_packages) as running:
        for name in ("alice", "bob"):
            assert running.entrepot("user", "create", name).returncode == 0
        yield running
