"""Measurements of a real `entrepot serve`, beside what this machine can do without it. Run `python -m bench`; read `docs/performance.md`."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests" / "builders"))  # the tests start the same servers and clients
