"""The id of a request: in the answer, in each line that it logs, and from nobody but a trusted proxy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from entrepot.log import current_request
from entrepot.registry import Registry
from house import House, Person, open_house, sentence
from toy import ToyPlugin, ToyType, build_toy

MADE = re.compile(r"[0-9a-f]{16}")


async def test_what_is_not_on_the_hot_path_says_its_id(house: House, alice: Person) -> None:
    answers = [
        await alice.put("ball.toy", build_toy("ball")),
        await alice.client.post("/graphql", json={"query": "{ viewer { name } }"}),
        await house.anyone.get("/toy/alice/files/none.toy"),
        await house.anyone.get("/nowhere"),
        await house.client(Authorization="Bearer wrong").get("/toy/alice/listing"),
    ]
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert all(map(MADE.fullmatch, ids))
    assert len(set(ids)) == len(ids)


async def test_documents_and_files_that_are_served_cost_no_id(house: House, alice: Person) -> None:
    await alice.has("ball.toy", build_toy("ball"))
    for path in ("listing", "files/ball.toy"):
        assert "x-request-id" not in (await house.anyone.get(f"/toy/alice/{path}")).headers


async def test_where_each_request_is_logged_each_has_an_id(house_data: Path) -> None:
    async with open_house(house_data, Registry.of({"toy": ToyPlugin()}), access_log=True) as house:
        await house.person("alice")
        assert MADE.fullmatch((await house.anyone.get("/toy/alice/listing")).headers["x-request-id"])


async def test_an_id_that_somebody_sends_is_no_id(house: House) -> None:
    answer = await house.client(X_Request_ID="forged").get("/nowhere")
    assert MADE.fullmatch(answer.headers["x-request-id"])


async def test_an_id_of_a_trusted_proxy_goes_all_the_way(house_data: Path) -> None:
    async with open_house(house_data, Registry.of({"toy": ToyPlugin()}), trusted_proxies=["127.0.0.1"]) as house:
        await house.person("alice")
        for path in ("/toy/alice/listing", "/nowhere", "/healthz"):
            assert (await house.client(X_Request_ID="from-the-proxy").get(path)).headers["x-request-id"] == "from-the-proxy"


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Toys cannot be shown; the ids of the requests that met it."""
    met: list[str] = []

    def fail(*_: object) -> bytes:
        request = current_request.get()
        assert request is not None
        met.append(request.id)
        raise RuntimeError("this toy is broken")

    monkeypatch.setattr(ToyType, "render_part", fail)
    return met


async def test_what_goes_wrong_is_found_in_the_log_by_the_id_that_the_client_was_told(
    house: House, alice: Person, broken: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    await alice.has("ball.toy", build_toy("ball"))
    answer = await house.anyone.get("/toy/alice/page/ball")
    assert "Its log says what" in sentence(answer, 500)
    assert answer.json()["request_id"] == answer.headers["x-request-id"] == broken[0]
    assert "this toy is broken" in caplog.text


async def test_the_request_is_not_told_after_it_is_answered(house: House) -> None:
    await house.anyone.get("/nowhere")
    request = current_request.get()
    assert request is None or request.answered
