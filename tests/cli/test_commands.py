"""What each command prints, where, and with which exit code."""

from __future__ import annotations

import hashlib
import os
import pty
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from argon2 import PasswordHasher
from entrepot.settings import Settings
from entrepot.storage import open_storage
from ground import Ground, on_folder

if TYPE_CHECKING:
    from .conftest import Entrepot


def test_the_version_is_printed_even_where_plugins_are_broken(entrepot: Entrepot) -> None:
    done = entrepot("--version", environment={"ENTREPOT_PLUGINS": "nonsense"})
    assert (done.returncode, done.stdout, done.stderr) == (0, f"entrepot {version('entrepot')}\n", "")


def test_the_help_names_every_command(entrepot: Entrepot) -> None:
    done = entrepot("--help")
    assert done.returncode == 0
    assert all(re.search(rf"\b{command}\b", done.stdout) for command in ("serve", "user", "token", "check"))


def test_the_help_is_there_when_a_plugin_is_missing_and_says_so(entrepot: Entrepot) -> None:
    done = entrepot("--help", environment={"ENTREPOT_PLUGINS": "nonsense"})
    assert done.returncode == 0
    assert "serve" in done.stdout
    assert "No plugin named 'nonsense' is installed." in done.stderr


@pytest.mark.parametrize(
    "arguments", [["frobnicate"], ["user", "create"], ["token", "create", "alice"], ["serve", "--port", "http"], ["check", "--fast"]]
)
def test_a_wrong_use_ends_with_2_and_tells_of_the_help(entrepot: Entrepot, arguments: list[str]) -> None:
    done = entrepot(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "--help" in done.stderr


def test_a_user_is_created_in_a_data_folder_that_did_not_exist(ground: Ground, entrepot: Entrepot, data: Path) -> None:
    done = entrepot("user", "create", "Alice", "--admin", "--data", data)
    assert (done.returncode, done.stdout) == (0, "")
    assert "Created the user Alice, an administrator." in done.stderr
    assert "no password" in done.stderr
    statement = 'SELECT name, is_admin, password_hash FROM "user" JOIN namespace ON namespace.id = namespace_id'
    assert ground.rows(data, statement) == [("Alice", True, None)]


def test_a_password_comes_from_standard_input(ground: Ground, entrepot: Entrepot, data: Path) -> None:
    done = entrepot("user", "create", "alice", "--password-stdin", "--data", data, stdin="correct horse\n")
    assert done.returncode == 0
    assert "correct" not in done.stderr
    [(encoded,)] = ground.rows(data, 'SELECT password_hash FROM "user"')
    assert PasswordHasher().verify(encoded, "correct horse")


def test_a_password_that_was_announced_must_come(entrepot: Entrepot, data: Path) -> None:
    done = entrepot("user", "create", "alice", "--password-stdin", "--data", data)
    assert done.returncode == 1
    assert done.stderr == "--password-stdin was given, but there is no password on standard input.\n"


def answer_prompts(data: Path, *answers: str) -> tuple[int, str]:
    """Create alice on a terminal, answering one prompt after the other; what the terminal showed, too."""
    mine, theirs = pty.openpty()
    command = [sys.executable, "-m", "entrepot", "user", "create", "alice", "--data", str(data)]
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, "ENTREPOT_PLUGINS": ""}, start_new_session=True
    )
    os.close(theirs)
    shown, pending = b"", list(answers)
    while True:
        try:
            piece = os.read(mine, 1024)
        except OSError:  # the other end is closed
            break
        shown += piece
        if pending and shown.count(b": ") > len(answers) - len(pending):
            os.write(mine, pending.pop(0).encode() + b"\n")
        if not piece:
            break
    os.close(mine)
    return process.wait(30), shown.decode()


def test_on_a_terminal_the_password_is_asked_for_twice_and_not_shown(ground: Ground, data: Path) -> None:
    code, shown = answer_prompts(data, "correct horse", "correct horse")
    assert code == 0
    assert "Password: " in shown
    assert "horse" not in shown
    [(encoded,)] = ground.rows(data, 'SELECT password_hash FROM "user"')
    assert PasswordHasher().verify(encoded, "correct horse")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("graphql", "The name graphql is reserved for the server's own addresses. Choose another name."),
        ("a b", "'a b' cannot be the name of a namespace: use 1 to 64 letters (a-z)"),
        ("ALICE", "The name ALICE is taken. Choose another name."),
    ],
)
def test_a_name_that_cannot_be_is_refused_in_one_sentence(entrepot: Entrepot, data: Path, name: str, sentence: str) -> None:
    assert entrepot("user", "create", "alice", "--data", data).returncode == 0
    done = entrepot("user", "create", name, "--data", data)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1


def test_the_token_stands_alone_on_standard_output(ground: Ground, entrepot: Entrepot, with_alice: Path) -> None:
    done = entrepot(
        "token", "create", "alice", "--name", "ci", "--scope", "repos", "--scope", "api:read", "--expires-in", "30d", "--data", with_alice
    )
    assert done.returncode == 0
    assert re.fullmatch(r"ent-[A-Za-z0-9]{40}\n", done.stdout)
    assert "cannot be shown again" in done.stderr
    assert done.stdout.strip() not in done.stderr
    [(name, scopes, lifetime)] = ground.rows(with_alice, "SELECT name, scopes, expires_at - created_at FROM token ORDER BY id DESC LIMIT 1")
    assert (name, scopes, lifetime) == ("ci", "repos api:read", 30 * 86_400_000)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["bob", "--name", "ci"], "There is no user or organization bob. Create a user first: entrepot user create bob"),
        (["alice", "--name", "ci", "--scope", "root"], "There is no scope 'root'. There are: all"),
        (["alice", "--name", "ci", "--expires-in", "soon"], "'soon' is no lifetime"),
        (["alice", "--name", ""], "A token needs a name"),
    ],
)
def test_a_token_that_cannot_be_is_refused_in_one_sentence(entrepot: Entrepot, with_alice: Path, arguments: list[str], sentence: str) -> None:
    done = entrepot("token", "create", *arguments, "--data", with_alice)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(sentence)


@on_folder
@pytest.mark.parametrize("arguments", [["check"], ["token", "create", "alice", "--name", "ci"]])
def test_what_needs_a_data_folder_does_not_make_one(entrepot: Entrepot, data: Path, arguments: list[str]) -> None:
    done = entrepot(*arguments, "--data", data)
    assert done.returncode == 1
    assert done.stderr == f"There is no data folder {data}. Name the server's with --data.\n"
    assert not data.exists()


def test_a_check_of_an_empty_server_is_clean(entrepot: Entrepot, with_alice: Path) -> None:
    done = entrepot("check", "--data", with_alice)
    assert (done.returncode, done.stdout) == (0, "")
    assert "All is well" in done.stderr


def test_bytes_that_no_row_knows_fail_the_check(entrepot: Entrepot, with_alice: Path) -> None:
    stray = hashlib.sha256(b"stray").hexdigest()
    storage = open_storage(Settings(data=with_alice))
    storage.put_bytes(stray, b"stray")
    done = entrepot("check", "--data", with_alice)
    assert done.returncode == 1
    assert (
        done.stdout == f"Blob {stray}: unaccounted: these bytes are in storage, but no row knows them. "
        f"They are at {storage.where(stray)}. If nobody misses them, let `entrepot gc` remove them.\n"
    )


def test_a_wrong_setting_is_one_sentence(entrepot: Entrepot, data: Path) -> None:
    done = entrepot("user", "create", "alice", "--data", data, environment={"ENTREPOT_WORKERS": "none"})
    assert done.returncode == 1
    assert done.stderr.startswith("The setting ENTREPOT_WORKERS in the environment is not acceptable: ")
    assert done.stderr.count("\n") == 1


def test_a_plugin_that_is_not_installed_is_named(entrepot: Entrepot, data: Path) -> None:
    done = entrepot("user", "create", "alice", "--data", data, environment={"ENTREPOT_PLUGINS": "nonsense"})
    assert done.returncode == 1
    assert done.stderr.startswith("No plugin named 'nonsense' is installed.")


def test_the_settings_file_is_read(ground: Ground, entrepot: Entrepot, data: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(f'data = "{data}"')
    assert entrepot("user", "create", "alice", "--config", tmp_path / "mine.toml").returncode == 0
    assert ground.rows(data, "SELECT name FROM namespace") == [("alice",)]
