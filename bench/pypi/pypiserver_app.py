"""pypiserver under waitress, which keeps connections. Runs in an environment of its own: `pypiserver_app.py PORT FOLDER BACKEND`."""

import sys
from pathlib import Path

import waitress
from pypiserver import app

port, folder, backend = sys.argv[1:]
application = app(roots=[Path(folder)], authenticate=[], password_file=".", disable_fallback=True, backend_arg=backend)
waitress.serve(application, host="127.0.0.1", port=int(port), threads=8)
