"""`python -m entrepot` is the command `entrepot`."""

from entrepot.cli import app

app()
