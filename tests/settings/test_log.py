"""What a line of the log looks like."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import logging, structlog
from entrepot.log import configure_logging
configure_logging({level!r})
{statement}
"""


def logged(statement: str, level: str = "info") -> list[str]:
    """The lines that a program logs: in a process of its own, for the set-up is the process's."""
    done = subprocess.run([sys.executable, "-c", PROGRAM.format(level=level, statement=statement)], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_a_line_is_keys_and_values() -> None:
    [line] = logged("structlog.get_logger('entrepot.x').info('file published', path='a b.whl', size=3)")
    assert line.startswith("timestamp=2")
    assert line.endswith('level=info logger=entrepot.x event="file published" path="a b.whl" size=3')


def test_the_standard_librarys_loggers_write_the_same_lines() -> None:
    [line] = logged("logging.getLogger('library').warning('%s is %d', 'answer', 42)")
    assert line.endswith('level=warning logger=library event="answer is 42"')


def test_an_exception_stays_on_its_line() -> None:
    [line] = logged("try: 1 / 0\nexcept ZeroDivisionError: logging.getLogger('x').exception('failed')")
    assert "ZeroDivisionError: division by zero" in line


def test_names_from_strangers_cannot_forge_lines_or_steer_terminals() -> None:
    [line] = logged(r"structlog.get_logger('x').info('upload', name='evil\r\ntimestamp=1 level=info\x1b[2J\x9b')")
    assert line.endswith(r'name="evil\\x0d\ntimestamp=1 level=info\\x1b[2J\\x9b"')


@pytest.mark.parametrize(("level", "count"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_the_level_decides_what_is_logged(level: str, count: int) -> None:
    statement = "log = structlog.get_logger('x')\nlog.debug('a'); log.info('b'); log.warning('c'); log.error('d')"
    assert len(logged(statement, level)) == count


def test_the_databases_statements_are_never_logged() -> None:
    assert logged("logging.getLogger('tortoise.db_client').debug('SELECT secret')", "debug") == []
