"""How a server ends while it is used: told to, killed, and with a worker killed; on both grounds nothing that was answered is lost."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from entrepot_process import eventually, session_of
from under_load import Load, assert_all_there

if TYPE_CHECKING:
    from .conftest import Entrepot, Serve


def test_told_to_stop_under_load_it_finishes_what_it_took_and_refuses_nothing(serve: Serve, token: str, entrepot: Entrepot) -> None:
    server = serve(workers=2)
    with Load(server.url, token).running() as load:
        eventually(lambda: len(load.answered) >= 20, 60)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(60) == 0
    assert server.processes == set()
    assert load.refused == []
    assert_all_there(serve().url, load)
    entrepot("check")


def test_a_worker_that_is_killed_under_load_is_replaced_and_the_others_go_on(serve: Serve, token: str) -> None:
    server = serve(workers=2)
    with Load(server.url, token).running() as load:
        for _ in range(3):
            before = server.processes - {server.process.pid}
            seen = len(load.answered)
            eventually(lambda seen=seen: len(load.answered) >= seen + 5, 60)  # type: ignore[misc]
            os.kill(min(before), signal.SIGKILL)
            eventually(lambda before=before: len(server.processes - {server.process.pid} - before) == 1, 60)  # type: ignore[misc]
        seen = len(load.answered)
        eventually(lambda: len(load.answered) >= seen + 20, 60)
    assert load.refused == []
    assert_all_there(server.url, load)


def test_with_the_parent_killed_under_load_no_process_stays(serve: Serve, token: str, entrepot: Entrepot) -> None:
    server = serve(workers=2)
    with Load(server.url, token).running() as load:
        eventually(lambda: len(load.answered) >= 20, 60)
        os.kill(server.process.pid, signal.SIGKILL)
        eventually(lambda: not session_of(server.process.pid), 60)
    assert load.refused == []
    assert_all_there(serve().url, load)
    entrepot("check")
