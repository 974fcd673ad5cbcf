"""Answers that come before the body: over real connections, with bodies that nobody wants."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from entrepot_process import eventually
from raw_http import Answer, ask, connected, forget_peak, head, peak_of, read_answer

if TYPE_CHECKING:
    from .conftest import Depot

MIB = 1 << 20
HUGE = 200 * MIB


def problem(answer: Answer, status: int) -> str:
    assert answer.status == status, answer
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["connection"] == "close"
    detail: str = json.loads(answer.body)["detail"]
    return detail


@pytest.mark.parametrize("framing", [{"Content_Length": str(HUGE)}, {"Transfer_Encoding": "chunked"}], ids=["declared", "chunked"])
def test_who_has_no_token_hears_it_before_sending_200_mib(depot: Depot, framing: dict[str, str]) -> None:
    with connected(depot.port) as (connection, answers):
        connection.sendall(head("PUT", "/upload/alice/huge.whl", **framing))
        assert "needs a token" in problem(read_answer(answers), 401)
        assert answers.read() == b""
    assert depot.left() == {}


def push(connection: socket.socket, framing: str, mebibytes: int = HUGE // MIB) -> None:
    """Send a body as far as the server takes it, without a look at what it says."""
    piece = bytes(MIB)
    with suppress(ConnectionError):
        for _ in range(mebibytes):
            connection.sendall(piece if framing == "declared" else b"%x\r\n%b\r\n" % (MIB, piece))
        if framing == "chunked":
            connection.sendall(b"0\r\n\r\n")


@pytest.mark.parametrize("framing", ["declared", "chunked"])
@pytest.mark.parametrize("credential", ["none", "wrong", "another's"])
def test_who_sends_200_mib_without_looking_still_gets_the_answer_and_the_server_keeps_none_of_it(depot: Depot, framing: str, credential: str) -> None:
    headers = {"Content_Length": str(HUGE)} if framing == "declared" else {"Transfer_Encoding": "chunked"}
    headers |= {"none": {}, "wrong": {"X_API_Key": "wrong"}, "another's": {"X_API_Key": depot.tokens["bob"]}}[credential]
    [process] = depot.running.processes
    before = forget_peak(process)
    with connected(depot.port) as (connection, answers):
        connection.sendall(head("PUT", "/upload/alice/huge.whl", **headers))
        push(connection, framing)
        problem(read_answer(answers), 403 if credential == "another's" else 401)
    assert peak_of(process) - before < 32 * MIB
    assert depot.left() == {}


def test_many_who_send_without_a_token_at_once_cost_no_memory(depot: Depot) -> None:
    [process] = depot.running.processes
    before = forget_peak(process)

    def pushing() -> None:
        with connected(depot.port) as (connection, _):
            connection.sendall(head("PUT", "/upload/alice/huge.whl", Content_Length=str(HUGE)))
            push(connection, "declared")

    threads = [threading.Thread(target=pushing) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert peak_of(process) - before < 48 * MIB


def test_who_asks_first_is_told_no_and_not_to_go_on(depot: Depot) -> None:
    with connected(depot.port) as (connection, answers):
        connection.sendall(head("PUT", "/upload/alice/huge.whl", Content_Length=str(HUGE), Expect="100-continue"))
        problem(read_answer(answers), 401)
        assert answers.read() == b""


def test_who_may_upload_and_asks_first_is_told_to_go_on(depot: Depot) -> None:
    with connected(depot.port) as (connection, answers):
        connection.sendall(head("PUT", "/upload/alice/x.whl", Content_Length="4", Expect="100-continue", X_API_Key=depot.tokens["alice"]))
        assert answers.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert answers.readline() == b"\r\n"
        connection.sendall(b"nope")
        assert read_answer(answers).status == 422


def test_a_declared_length_over_the_limit_is_413_at_once(depot: Depot) -> None:
    with connected(depot.port) as (connection, answers):
        connection.sendall(head("PUT", "/upload/alice/huge.whl", Content_Length=str(301 * MIB), X_API_Key=depot.tokens["alice"]))
        assert "larger than the" in problem(read_answer(answers), 413)
    assert depot.left() == {}


def test_a_chunked_body_over_the_limit_is_413_and_takes_no_memory(depot: Depot) -> None:
    [process] = depot.running.processes
    before = forget_peak(process)
    with connected(depot.port) as (connection, answers):
        connection.sendall(head("PUT", "/upload/alice/huge.whl", Transfer_Encoding="chunked", X_API_Key=depot.tokens["alice"]))
        push(connection, "chunked", 400)
        problem(read_answer(answers), 413)
    assert peak_of(process) - before < 48 * MIB
    assert depot.left() == {}


def test_the_next_request_on_another_connection_is_answered_as_ever(depot: Depot) -> None:
    assert ask(depot.port, head("GET", "/conda/alice/linux-64/repodata.json")).status == 404


@pytest.mark.parametrize("framing", ["declared", "chunked"])
def test_who_hangs_up_in_the_middle_leaves_nothing(depot: Depot, framing: str) -> None:
    headers = {"Content_Length": str(HUGE)} if framing == "declared" else {"Transfer_Encoding": "chunked"}
    with connected(depot.port) as (connection, _):
        connection.sendall(head("PUT", "/upload/alice/huge.whl", X_API_Key=depot.tokens["alice"], **headers))
        for _ in range(5):
            connection.sendall(bytes(MIB) if framing == "declared" else b"%x\r\n%b\r\n" % (MIB, bytes(MIB)))
        eventually(lambda: depot.left() == {"spool": 1})
    eventually(lambda: depot.left() == {})


def test_who_sends_less_than_was_declared_and_says_goodbye_leaves_nothing(depot: Depot) -> None:
    with connected(depot.port) as (connection, answers):
        connection.sendall(head("PUT", "/upload/alice/x.whl", X_API_Key=depot.tokens["alice"], Content_Length="1000") + b"x" * 999)
        connection.shutdown(socket.SHUT_WR)
        assert answers.read() == b""
    eventually(lambda: depot.left() == {})
