"""Builds conda environment files as text."""

from __future__ import annotations

from collections.abc import Sequence


def build_environment(
    name: str | None = "stats",
    dependencies: Sequence[str] = ("python=3.12", "numpy"),
    pip: Sequence[str] = (),
    channels: Sequence[str] = ("conda-forge",),
    more: str = "",
) -> bytes:
    """An environment file as conda exports it; `more` is YAML that is put behind."""
    lines = [] if name is None else [f"name: {name}"]
    lines += ["channels:", *(f"  - {channel}" for channel in channels)] if channels else []
    lines += ["dependencies:", *(f"  - {dependency}" for dependency in dependencies)]
    lines += ["  - pip", "  - pip:", *(f"    - {requirement}" for requirement in pip)] if pip else []
    return ("\n".join(lines) + "\n" + more).encode()
