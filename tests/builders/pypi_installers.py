"""Installers of Python packages, each from one index and none besides."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from real_client import UV, Client, run


@dataclass(frozen=True, slots=True)
class Index:
    """A simple index, and who asks."""

    url: str
    token: str = ""

    @property
    def with_credentials(self) -> str:
        """The URL with the token in it, as Basic, where there is one."""
        return self.url.replace("://", f"://__token__:{self.token}@", 1) if self.token else self.url


PROJECT = """\
[project]
name = "of-the-test"
version = "1.0"
requires-python = ">=3.11,<4"
dependencies = ["{requirement}"]
"""
POETRY = """
[tool.poetry]
package-mode = false

[[tool.poetry.source]]
name = "here"
url = "{index.url}"
"""
PDM = """
[tool.pdm]
distribution = false

[[tool.pdm.source]]
name = "pypi"
url = "{index.with_credentials}"
verify_ssl = false
"""
HATCH = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[tool.hatch.envs.default]
skip-install = true
installer = "uv"
dependencies = ["{requirement}"]
"""


def project(client: Client, tool: str, index: Index, requirement: str) -> Path:
    """A folder with a project that needs the requirement, from the index where its file says from where."""
    folder = client.home / "project"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text((PROJECT + tool).format(index=index, requirement=requirement))
    return folder


def by_pip(client: Client, index: Index, requirement: str) -> Path:
    """`pip install`."""
    site = client.home / "site"
    client.pip(client.python_with("pip"), "install", "--target", str(site), "--index-url", index.with_credentials, requirement)
    return site


def by_uv(client: Client, index: Index, requirement: str) -> Path:
    """`uv pip install`."""
    site = client.home / "site"
    client.uv_pip(Path(sys.executable), "install", "--target", str(site), "--default-index", index.with_credentials, requirement)
    return site


def by_poetry(client: Client, index: Index, requirement: str) -> Path:
    """`poetry install`, which locks first."""
    folder = project(client, POETRY, index, requirement)
    credentials = {"POETRY_HTTP_BASIC_HERE_USERNAME": "__token__", "POETRY_HTTP_BASIC_HERE_PASSWORD": index.token} if index.token else {}
    poetry = [client.command_of("poetry"), "--no-interaction", "-C", str(folder)]
    run([*poetry, "install"], env=client.env | credentials | bare_environment(client))
    return site_of(client)


def by_pdm(client: Client, index: Index, requirement: str) -> Path:
    """`pdm install`, which locks first."""
    folder = project(client, PDM, index, requirement)
    settings = {"PDM_IGNORE_SAVED_PYTHON": "1", "PDM_CHECK_UPDATE": "0"}
    run([client.command_of("pdm[locked]"), "--non-interactive", "install", "-p", str(folder)], env=client.env | settings | bare_environment(client))
    return site_of(client)


def by_hatch(client: Client, index: Index, requirement: str) -> Path:
    """`hatch env create`, with the uv of the tests."""
    folder = project(client, HATCH, index, requirement)
    uv = str(Path(sys.executable).with_name("uv"))
    settings = {"HATCH_ENV_TYPE_VIRTUAL_UV_PATH": uv, "HATCH_DATA_DIR": str(client.home / "hatch"), "HATCH_CACHE_DIR": str(client.home / "cache")}
    index_of_uv = {"UV_DEFAULT_INDEX": index.with_credentials, "UV_NO_CACHE": "1", "UV_NO_CONFIG": "1"}
    run([client.command_of("hatch"), "-q", "env", "create"], env=client.env | settings | index_of_uv, cwd=folder)
    (site,) = (client.home / "hatch").glob("**/site-packages")
    return site


INSTALLERS: Mapping[str, Callable[[Client, Index, str], Path]] = {
    "pip": by_pip,
    "uv": by_uv,
    "poetry": by_poetry,
    "pdm": by_pdm,
    "hatch": by_hatch,
}
"""By name: each installs a requirement and what it needs, and answers the folder where the modules are."""


def pip_compile(client: Client, index: Index, requirement: str, *options: str) -> str:
    """What `pip-compile` pins."""
    wanted = client.home / "requirements.in"
    wanted.parent.mkdir(parents=True, exist_ok=True)
    wanted.write_text(f"{requirement}\n")
    words = ["--quiet", "--no-config", "--index-url", index.with_credentials, "--cache-dir", str(client.home / "cache"), *options]
    return run([client.command_of("pip-tools", "pip-compile"), *words, "--output-file", "-", str(wanted)], env=client.env).stdout


def bare_environment(client: Client) -> dict[str, str]:
    """An active virtual environment with nothing in it."""
    folder = client.home / "venv"
    run([*UV, "venv", "--quiet", str(folder)])
    return {"VIRTUAL_ENV": str(folder)}


def site_of(client: Client) -> Path:
    """Where that environment has its modules."""
    (site,) = (client.home / "venv").glob("lib/*/site-packages")
    return site
