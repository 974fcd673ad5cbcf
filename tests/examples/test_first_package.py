"""The story of the first package, as examples/first-package tells it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from real_client import run

STORY = Path(__file__).parents[2] / "examples" / "first-package" / "run"


def test_the_first_package_goes_in_and_the_real_clients_take_it_out() -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = run([str(STORY)], env={**os.environ, "PATH": path})
    said = done.stdout
    assert "pip installed six 1.17.0" in said
    assert "uv installed six 1.17.0" in said
    assert "rattler installed hello 1.0\nHello from a conda package." in said
    assert '"name":"hello","types":[{"title":"Conda package"}' in said
    assert "All is well." in done.stderr
