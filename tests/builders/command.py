"""Commands that run in processes of their own and need not start: one process has imported everything, and forks for each.

A start costs seconds, most of them for importing, and the suite has hundreds. What a start itself does is the matter of tests that start
`entrepot_process.COMMAND`. This file is both ends: `run_command` is the tests', the rest runs in the process that forks. They exchange lines of JSON.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

SECONDS = 120
FLAGS = {"stdin": os.O_RDONLY, "stdout": os.O_WRONLY | os.O_CREAT, "stderr": os.O_WRONLY | os.O_CREAT}
_turn = threading.Lock()


def run_command(*arguments: object, folder: Path, environment: Mapping[str, str], stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run `entrepot` with these arguments to its end, in a folder, with this environment and nothing else."""
    words = list(map(str, arguments))
    with tempfile.TemporaryDirectory() as place, _turn:
        files = {name: Path(place) / name for name in FLAGS}
        files["stdin"].write_text(stdin)
        streams = {name: str(file) for name, file in files.items()}
        code = _ask({"arguments": words, "folder": str(folder), "environment": dict(environment), "streams": streams})
        return subprocess.CompletedProcess(["entrepot", *words], code, files["stdout"].read_text(), files["stderr"].read_text())


def _ask(wish: Mapping[str, Any]) -> int:
    parent = _parent()
    assert parent.stdin is not None
    assert parent.stdout is not None
    parent.stdin.write(json.dumps(wish) + "\n")
    parent.stdin.flush()
    return int(parent.stdout.readline())


@cache
def _parent() -> subprocess.Popen[str]:
    """The process that forks, one for each process of tests. It ends when its input does."""
    process = subprocess.Popen([sys.executable, "-P", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    atexit.register(process.wait)
    atexit.register(process.stdin.close)
    return process


def main() -> None:
    """Fork for each line, and say how it ended."""
    import entrepot.cli
    import entrepot.registry

    entrepot.registry.Registry.built_in()
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            try:
                become(json.loads(line))
            except BaseException:  # whatever it is, the child must not go on here as a second parent
                traceback.print_exc()
            os._exit(70)
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


def become(wish: Mapping[str, Any]) -> None:
    """Be the command. Does not return."""
    import entrepot.cli

    signal.alarm(SECONDS)
    for number, (name, flags) in enumerate(FLAGS.items()):
        os.dup2(os.open(wish["streams"][name], flags), number)
    os.environ.clear()
    os.environ.update(wish["environment"])
    os.chdir(wish["folder"])
    sys.argv = ["entrepot", *wish["arguments"]]
    code = 1
    try:
        entrepot.cli.app()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
