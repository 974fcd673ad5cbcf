"""Measurements of a real `entrepot serve`, beside what this machine can do without it. Run `python -m bench`; read `docs/performance.md`."""
