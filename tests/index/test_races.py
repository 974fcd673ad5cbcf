"""Several processes write and read one namespace at once: no reader ever sees a missing, stale or torn entry after a commit."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event
from typing import Any

from entrepot.app import running
from entrepot.registry import Registry
from entrepot.services.users import create_user
from entrepot.settings import load_settings
from entrepot_process import process_environment
from ground import Ground
from toy import ToyPlugin

HERE = Path(__file__).parent


async def prepare(data: Path) -> None:
    registry = Registry.of({"toy": ToyPlugin()})
    async with running(load_settings(data=data), registry):
        await create_user(registry, name="alice", password=None, admin=False)


def start(data: Path, name: str, seed: int, operations: int) -> subprocess.Popen[str]:
    paths = os.pathsep.join([str(HERE.parent / "builders"), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, str(HERE / "racer.py"), str(data), name, str(seed), str(operations)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**process_environment(), "PYTHONPATH": paths})


def result_of(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err[-3000:]
    found: dict[str, Any] = json.loads(out)
    return found


def test_writers_and_readers_in_three_processes_agree_on_every_generation(tmp_path: Path, ground: Ground) -> None:
    asyncio.run(prepare(ground.data(tmp_path)))
    results = [result_of(process) for process in [start(tmp_path, f"w{number}", number, 60) for number in range(3)]]
    assert [result["faults"] for result in results] == [[], [], []]
    assert all(result["checks"] >= 60 for result in results)
    contents: dict[str, set[str]] = {}
    for result in results:
        for generation, etag in result["etags"].items():
            contents.setdefault(generation, set()).add(etag)
    shared = [generation for generation in contents if sum(generation in result["etags"] for result in results) > 1]
    assert shared, "no generation was seen by two workers, so nothing was compared"
    assert {generation: etags for generation, etags in contents.items() if len(etags) > 1} == {}


def test_a_worker_killed_at_any_point_leaves_an_index_that_the_next_request_renders_right(tmp_path: Path, ground: Ground) -> None:
    asyncio.run(prepare(ground.data(tmp_path)))
    for round_number in range(3):
        victims = [start(tmp_path, f"v{round_number}-{number}", 10 * round_number + number, 10_000) for number in range(2)]
        for delay, victim in enumerate(victims):
            wait_for_growth(ground, tmp_path, (round_number + 1) * 7 + delay * 3)
            victim.send_signal(signal.SIGKILL)
            victim.communicate()
        # the survivor compares every document with the database itself
        assert result_of(start(tmp_path, f"s{round_number}", round_number, 3))["faults"] == []


def wait_for_growth(ground: Ground, data: Path, more: int) -> None:
    """Wait until so many events more are in the audit log: the victims are then in the middle of something."""

    def count() -> int:
        return int(ground.rows(data, "SELECT count(*) FROM audit_event")[0][0])

    goal = count() + more
    while count() < goal:
        Event().wait(0.002)  # the victims need the processors
