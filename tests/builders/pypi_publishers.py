"""Publishers of Python packages, each with a project whose wheel and sdist are built, and what it says of a refusal."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pypi_builder import build_sdist, build_wheel
from real_client import Client, run

Done = subprocess.CompletedProcess[str]
Run = Callable[[Client, Path, str, str], Done]

PROJECT = """\
[build-system]
requires = ["flit_core"]
build-backend = "flit_core.buildapi"

[project]
name = "{name}"
version = "1.0"
description = "A project of the tests"
requires-python = ">=3.11"
"""


def write_project(folder: Path, name: str, code: str) -> Path:
    """A project and its `dist`; other code makes other bytes under the same names."""
    module, files = name.replace("-", "_"), {f"{name.replace('-', '_')}.py": code.encode()}
    (folder / "dist").mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(PROJECT.format(name=name))
    (folder / f"{module}.py").write_text(f'"""A project of the tests."""\n__version__ = "1.0"\n{code}')
    for basename, body in (build_wheel(name, "1.0", files=files), build_sdist(name, "1.0", files=files)):
        (folder / "dist" / basename).write_bytes(body)
    return folder


def by_twine(client: Client, project: Path, url: str, token: str) -> Done:
    """`twine upload`."""
    words = ["--verbose", "--non-interactive", "--disable-progress-bar", "--repository-url", url, "-u", "__token__", "-p", token]
    return client.twine("upload", *words, *files(project), check=False)


def by_uv(client: Client, project: Path, url: str, token: str) -> Done:
    """`uv publish`."""
    return client.uv_publish("--publish-url", url, "--token", token, *files(project), check=False)


def by_hatch(client: Client, project: Path, url: str, token: str) -> Done:
    """`hatch publish`."""
    settings = {"HATCH_INDEX_REPO": url, "HATCH_INDEX_USER": "__token__", "HATCH_INDEX_AUTH": token, "HATCH_DATA_DIR": str(client.home / "hatch")}
    return run([client.command_of("hatch"), "publish", "-n", *files(project)], env=client.env | settings, cwd=project, check=False)


def by_poetry(client: Client, project: Path, url: str, token: str, *options: str) -> Done:
    """`poetry publish`."""
    settings = {"POETRY_REPOSITORIES_HERE_URL": url, "POETRY_HTTP_BASIC_HERE_USERNAME": "__token__", "POETRY_HTTP_BASIC_HERE_PASSWORD": token}
    command = [client.command_of("poetry"), "-C", str(project), "publish", "-n", "-r", "here", *options]
    return run(command, env=client.env | settings, check=False)


def by_pdm(client: Client, project: Path, url: str, token: str, *options: str) -> Done:
    """`pdm publish`."""
    tool = client.python_with("pdm[locked]")
    settings = {"PDM_CHECK_UPDATE": "0", "VIRTUAL_ENV": str(tool.parents[1])}  # which it wants although it installs nothing
    command = [str(tool.with_name("pdm")), "publish", "--no-build", "-p", str(project), "-r", url, "-u", "__token__", "-P", token, *options]
    return run(command, env=client.env | settings, check=False)


def by_flit(client: Client, project: Path, url: str, token: str) -> Done:
    """`flit publish`, which builds anew."""
    settings = {
        "FLIT_NO_NETWORK": "1",
        "FLIT_INDEX_URL": url,
        "FLIT_USERNAME": "__token__",
        "FLIT_PASSWORD": token,
        "SOURCE_DATE_EPOCH": "1700000000",
    }
    return run([client.command_of("flit"), "-f", str(project / "pyproject.toml"), "publish"], env=client.env | settings, check=False)


def files(project: Path) -> list[str]:
    """The built files."""
    return sorted(map(str, (project / "dist").glob("*-*")))


@dataclass(frozen=True, slots=True)
class Publisher:
    """A tool, and how much of a refusal it shows."""

    publish: Run
    shows_sentence: bool
    """Whether its user reads why a file is refused, or the status alone."""


PUBLISHERS: Mapping[str, Publisher] = {
    "twine": Publisher(by_twine, shows_sentence=True),
    "uv": Publisher(by_uv, shows_sentence=True),
    "hatch": Publisher(by_hatch, shows_sentence=False),
    "poetry": Publisher(by_poetry, shows_sentence=True),
    "pdm": Publisher(by_pdm, shows_sentence=False),
    "flit": Publisher(by_flit, shows_sentence=True),
}


def said(done: Done) -> str:
    """What the user sees, without colours and in one line."""
    return " ".join(re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr).split())
