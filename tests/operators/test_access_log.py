"""The access log: a line for each request."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from entrepot_process import Running, eventually
from pypi_builder import build_wheel

if TYPE_CHECKING:
    from .conftest import Serve

BASENAME, WHEEL = build_wheel("harbour", "1.0")


def requests(log: Path, count: int) -> list[dict[str, str]]:
    """The lines of so many requests, as soon as they are there."""

    def read() -> list[dict[str, str]]:
        lines = [line for line in log.read_text().splitlines() if "logger=entrepot.access" in line]
        return [dict(word.split("=", 1) for word in shlex.split(line)) for line in lines] if len(lines) >= count else []

    return eventually(read)


def use(server: Running, token: str) -> None:
    """Three requests: an upload, an index, something that is not there."""
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {token}"}) as client:
        assert client.put(f"/upload/alice/{BASENAME}", content=WHEEL).status_code == 201
        assert client.get("/pypi/alice/simple/").status_code == 200
        assert client.get('/no "body"').status_code == 404


def test_a_line_says_who_asked_for_what_and_how_it_was_answered(serve: Serve, token: str, log: Path) -> None:
    server = serve(access_log="true", workers=2)
    use(server, token)
    upload, index, missing = requests(log, 3)
    assert {name: upload[name] for name in ("method", "path", "status", "kind", "user", "client")} == {
        "method": "PUT",
        "path": f"/upload/alice/{BASENAME}",
        "status": "201",
        "kind": "upload",
        "user": "alice",
        "client": "127.0.0.1",
    }
    assert (index["status"], index["kind"], index["path"]) == ("200", "document", "/pypi/alice/simple/")
    assert int(index["bytes"]) > 100
    assert float(index["ms"]) > 0
    assert missing["path"] == '/no "body"'
    assert len({line["request_id"] for line in (upload, index, missing)}) == 3
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", upload["timestamp"])


def test_json_has_the_same_in_one_object_a_line(serve: Serve, token: str, log: Path) -> None:
    server = serve(access_log="true", log_format="json", log_level="debug")
    use(server, token)
    eventually(lambda: log.read_text().count("entrepot.access") >= 3)
    server.process.terminate()
    server.process.wait(30)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    found = [line for line in lines if line["logger"] == "entrepot.access"]
    assert [(line["method"], line["path"], line["status"], line["user"]) for line in found] == [
        ("PUT", f"/upload/alice/{BASENAME}", 201, "alice"),
        ("GET", "/pypi/alice/simple/", 200, "alice"),
        ("GET", '/no "body"', 404, None),
    ]
    assert all({"timestamp", "level", "logger", "event"} <= line.keys() for line in lines)


def test_lines_that_are_held_back_are_written_before_the_server_ends(serve: Serve, log: Path) -> None:
    server = serve(access_log="true")
    httpx.get(f"{server.url}/last")
    server.process.terminate()
    server.process.wait(30)
    assert "path=/last" in log.read_text()


def test_a_name_from_a_stranger_cannot_forge_a_line(serve: Serve, log: Path) -> None:
    server = serve(access_log="true")
    httpx.get(f"{server.url}/a%0Atimestamp=1%20level=info%1B[2J%C2%9B")
    [line] = requests(log, 1)
    assert line["path"].startswith("/a")
    assert "\x1b" not in log.read_text()
    assert "\x9b" not in log.read_text()
    assert len([line for line in log.read_text().splitlines() if line.startswith("timestamp=1 ")]) == 0


def test_without_the_setting_no_request_is_logged(serve: Serve, token: str, log: Path) -> None:
    server = serve()
    use(server, token)
    server.process.terminate()
    server.process.wait(30)
    assert "entrepot.access" not in log.read_text()
