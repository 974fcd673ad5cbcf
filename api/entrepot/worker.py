"""One worker process, started by `entrepot.supervisor`: `python -m entrepot.worker <listening socket> <memory of the counters> <which worker>`."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading

from entrepot.counters import board
from entrepot.errors import EntrepotError
from entrepot.log import log_as_set
from entrepot.server import patience, serve, start_timer
from entrepot.settings import Settings
from entrepot.supervisor import READY


def main() -> None:
    """Serve until the parent says stop, or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent tells its workers
    settings = Settings.model_validate_json(read_line())
    log_as_set(settings)
    listener, counters, number = map(int, sys.argv[1:])
    board.use(counters, number, settings.workers)
    threading.Thread(target=watch_parent, args=(patience(settings),), daemon=True).start()
    try:
        serve(settings, socket.socket(fileno=listener), on_ready, supervised=True)
    except EntrepotError as error:
        raise SystemExit(error.message) from None


def read_line() -> bytes:
    """One line of standard input. Unbuffered: the thread that watches the rest must hold no lock when the interpreter ends."""
    gathered = b""
    while not gathered.endswith(b"\n"):
        piece = os.read(0, 65536)
        if not piece:
            raise SystemExit("A worker is started by `entrepot serve --workers`, not by hand.")
        gathered += piece
    return gathered


def watch_parent(patience: float) -> None:
    """When standard input ends, the parent has died without a word: stop as if it had asked."""
    while os.read(0, 1):
        pass
    start_timer(patience, lambda: os._exit(1))
    os.kill(os.getpid(), signal.SIGTERM)


def on_ready() -> None:
    """Tell the parent; whatever is printed from here on goes where the log goes."""
    os.write(1, READY)
    os.dup2(2, 1)


if __name__ == "__main__":
    main()
