"""Real clients, each in an environment of its own, without this machine's configuration, so that they see one index: the one they are given."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
UV = [sys.executable, "-m", "uv"]
CONDA = [
    *("conda-lock==4.*", "archspec", "boltons", "conda-package-handling", "distro", "frozendict", "packaging", "platformdirs"),
    *("pluggy", "pycosat", "requests", "ruamel.yaml", "setuptools", "tqdm", "truststore", "zstandard", "conda-index"),
]
"""A distribution that has conda in it, what conda needs, and conda-index, which needs conda."""
PREFIXES = ("CONDA_", "ENTREPOT_", "FLIT_", "HATCH_", "PDM_", "PIP_", "POETRY_", "RATTLER_", "TWINE_", "UV_")
CONFIGURATION = (*PREFIXES, "PYTHONPATH", "VIRTUAL_ENV", "XDG_")


def environment(home: Path, **more: str) -> dict[str, str]:
    """An environment without any client's settings, with a home of its own."""
    home.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(CONFIGURATION)}
    return {**kept, "HOME": str(home), "PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "NO_COLOR": "1", **more}


def run(
    command: list[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None, check: bool = True, given: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a client, with something for it to read; a failure shows what it said."""
    seen = None if env is None else dict(env)
    done = subprocess.run(command, capture_output=True, text=True, env=seen, cwd=cwd, timeout=300, check=False, input=given)
    assert not check or done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done


@dataclass
class Client:
    """A tool from PyPI, run through uv; `environment` is what it sees of the world."""

    home: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def env(self) -> dict[str, str]:
        """The environment of the tool itself."""
        return environment(self.home, **self.variables)

    def venv(self) -> Path:
        """A fresh virtual environment with pip in it; answers its Python."""
        folder = self.home / f"venv{len(list(self.home.glob('venv*')))}"
        run([*UV, "venv", "--quiet", "--seed", str(folder)])
        return folder / "bin" / "python"

    def pip(self, python: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`pip` of a virtual environment."""
        return run([str(python), "-m", "pip", "--no-input", "--no-cache-dir", *arguments], env=self.env, check=check)

    def uv_pip(self, python: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`uv pip` on a virtual environment."""
        return run([*UV, "--no-config", "--no-cache", "pip", arguments[0], "--python", str(python), *arguments[1:]], env=self.env, check=check)

    def uv_publish(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`uv publish`."""
        return run([*UV, "--no-config", "--no-cache", "publish", *arguments], env=self.env, check=check)

    def twine(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """`twine` from the registry, in a tool environment."""
        return run([self.command_of("twine"), *arguments], env=self.env, check=check)

    def rattler(self, channel: str, prefix: Path, *specs: str, check: bool = True, cache: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Solve and install with py-rattler."""
        script = [str(HERE / "rattler_install.py"), channel, str(prefix), str(cache or self.home / "rattler-cache"), *specs]
        return run([str(self.python_with("py-rattler")), *script], env=self.env, check=check)

    def rattler_channels(self, calls: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
        """Solve and install with py-rattler in many ways, in one process: see `rattler_channels.py`."""
        command = [str(self.python_with("py-rattler")), str(HERE / "rattler_channels.py")]
        return [json.loads(line) for line in run(command, env=self.env, given=json.dumps(calls)).stdout.splitlines()]

    def rattler_records(self, channel: str, *names: str) -> list[list[str]]:
        """Every record of these names as py-rattler reads it from each index document: see `rattler_records.py`."""
        command = [str(self.python_with("py-rattler")), str(HERE / "rattler_records.py"), channel, str(self.home / "record-caches"), *names]
        return [json.loads(line) for line in run(command, env=self.env).stdout.splitlines()]

    def rattler_upload(self, *calls: tuple[str, str, str, Sequence[Path], Mapping[str, Any]]) -> list[str]:
        """Upload with py-rattler-build, many times in one process: see `rattler_upload.py`."""
        command = [str(self.python_with("py-rattler-build")), str(HERE / "rattler_upload.py")]
        return run(command, env=self.env, given=json.dumps(calls, default=str)).stdout.splitlines()

    def conda(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """conda itself, which PyPI has as a part of conda-lock; with its own solver, and with environments and packages below the home."""
        python, found = self._conda()
        folders = {"CONDA_PKGS_DIRS": str(self.home / "pkgs"), "CONDA_ENVS_DIRS": str(self.home / "envs"), **found}
        return run([python, "-m", "conda", *arguments], env=self.env | folders | {"CONDA_SOLVER": "classic", "CONDA_SUBDIR": "linux-64"}, check=check)

    def conda_index(self, channel: Path) -> None:
        """conda-index on a channel of folders."""
        command, env = self.conda_index_command(channel, "--no-bz2", "--no-rss", "--no-channeldata", "--no-zst", "--threads", "1")
        run(command, env=env)

    def conda_index_command(self, channel: Path, *options: str) -> tuple[list[str], dict[str, str]]:
        """What runs conda-index on a channel of folders, and in which environment; it needs conda."""
        python, found = self._conda()
        return [python, "-m", "conda_index", *options, str(channel)], self.env | found

    def python_with(self, distribution: str) -> Path:
        """The Python of a tool environment that has a distribution from the registry."""
        return tool_environment(self.home.parent / f"{distribution.partition('[')[0]}-environment", distribution)

    def command_of(self, distribution: str, command: str | None = None) -> str:
        """A command of a distribution in its tool environment; most are named like it."""
        return str(self.python_with(distribution).parent / (command or distribution.partition("[")[0]))

    def _conda(self) -> tuple[str, dict[str, str]]:
        """The Python of a tool environment with conda and conda-index in it, and the variable by which conda is found there."""
        python = str(tool_environment(self.home.parent / "conda-environment", *CONDA))
        found = run([python, "-c", "import conda_lock._vendor as vendored; print(list(vendored.__path__)[0])"]).stdout.strip()
        return python, {"PYTHONPATH": found}


def tool_environment(folder: Path, *requirements: str) -> Path:
    """The Python of an environment with these distributions from the registry, made by the first process that asks for it."""
    python = folder / "bin" / "python"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            run([*UV, "venv", "--quiet", "--clear", str(folder)])
            run([*UV, "pip", "install", "--quiet", "--python", str(python), *requirements])
            (folder / "complete").touch()
    return python


def download(folder: Path, *requirements: str, sdist: bool = False) -> list[Path]:
    """Real distributions from the registry that this machine is set up for, fetched by pip."""
    folder.mkdir(parents=True, exist_ok=True)
    form = ["--no-binary", ":all:"] if sdist else ["--only-binary", ":all:"]
    run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", *form, "--dest", str(folder), *requirements])
    return sorted(folder.iterdir())
