"""`/metrics`: what the workers of a host have counted together, and who may read it."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from anyio.lowlevel import checkpoint
from databases import Databases
from entrepot.counters import board
from entrepot.registry import Registry
from entrepot_process import Running, eventually
from house import House, Person, open_house, sentence
from object_store import object_store
from postgres_server import PostgresServer
from prometheus_client.parser import text_string_to_metric_families
from toy import ToyPlugin, build_toy

if TYPE_CHECKING:
    from .conftest import Serve

MANUAL = (Path(__file__).parents[2] / "docs" / "operate.md").read_text()
Numbers = Mapping[tuple[str, frozenset[str]], float]


def parsed(text: str) -> Numbers:
    """Every sample by its name and the values of its labels."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found[sample.name, frozenset(sample.labels.values())] = sample.value
    return found


async def read(house: House) -> Numbers:
    """What the process of a house has counted."""
    answer = await house.anyone.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return parsed(answer.text)


def sampled(server: Running) -> Numbers:
    """What a server has counted."""
    return parsed(httpx.get(f"{server.url}/metrics", timeout=60).text)


def value(numbers: Numbers, name: str, *labels: str) -> float:
    """One number; 0 where nothing was counted."""
    return numbers.get((name, frozenset(labels)), 0.0)


async def test_requests_are_counted_by_kind_and_status_with_their_bytes_and_times(house: House, alice: Person) -> None:
    await alice.has("ball.toy", build_toy("ball"))
    before = await read(house)
    body = (await house.anyone.get("/toy/alice/listing")).content
    await house.anyone.get("/toy/alice/listing")
    assert (await house.anyone.get("/toy/alice/files/none.toy")).status_code == 404
    assert (await house.anyone.get("/nowhere")).status_code == 404
    after = await read(house)

    def grown(name: str, *labels: str) -> float:
        return value(after, name, *labels) - value(before, name, *labels)

    assert grown("entrepot_requests_total", "document", "200") == 2
    assert grown("entrepot_requests_total", "file", "404") == 1
    assert grown("entrepot_requests_total", "other", "404") == 1
    assert grown("entrepot_sent_bytes_total", "document") == 2 * len(body)
    assert grown("entrepot_request_seconds_count", "document") == 2
    assert grown("entrepot_request_seconds_bucket", "document", "+Inf") == 2
    assert 0 < grown("entrepot_request_seconds_sum", "document") < 60


async def test_uploads_are_counted_by_type_and_result(house: House, alice: Person) -> None:
    before = await read(house)
    body = build_toy("ball")
    await alice.has("ball.toy", body)
    assert (await alice.put("ball.toy", body)).status_code == 200
    assert (await alice.put("ball.toy", build_toy("ball", filling=b"other"))).status_code == 409
    assert (await alice.put("what.ever", b"something")).status_code == 422
    after = await read(house)

    def grown(*labels: str) -> float:
        return value(after, "entrepot_uploads_total", *labels) - value(before, "entrepot_uploads_total", *labels)

    assert [grown("toy", "created"), grown("toy", "unchanged"), grown("toy", "refused"), grown("unknown", "refused")] == [1, 1, 1, 1]
    assert value(after, "entrepot_received_bytes_total", "upload") - value(before, "entrepot_received_bytes_total", "upload") > 2 * len(body)


async def test_renderings_lookups_and_caches_are_counted(house: House, alice: Person) -> None:
    await alice.has("ball.toy", build_toy("ball"))
    before = await read(house)
    for _ in range(3):
        assert (await house.anyone.get("/toy/alice/listing")).status_code == 200
    after = await read(house)
    assert value(after, "entrepot_renders_total", "toy", "document") - value(before, "entrepot_renders_total", "toy", "document") == 1
    lookups = [sum(count for (name, _), count in numbers.items() if name == "entrepot_lookups_total") for numbers in (before, after)]
    assert lookups[1] - lookups[0] >= 3
    assert value(after, "entrepot_cache_reads_total", "documents", "hit") - value(before, "entrepot_cache_reads_total", "documents", "hit") >= 2
    assert value(after, "entrepot_cache_bytes", "documents", "0") > 0
    assert value(after, "entrepot_queue_length", "writes", "0") == 0


async def test_a_part_that_is_away_is_counted(tmp_path: Path) -> None:
    server = PostgresServer(durable=True)
    server.start()
    try:
        with object_store(tmp_path / "objects") as store:
            settings = {"database_url": server.url(Databases(server).create()), **store.place()}
            async with open_house(tmp_path / "house", Registry.of({"toy": ToyPlugin()}), **settings) as house:
                alice = await house.person("alice")
                await alice.has("ball.toy", build_toy("ball"))
                numbers = [await read(house)]
                store.kill()
                assert (await alice.put("kite.toy", build_toy("kite"))).status_code == 503
                numbers.append(await read(house))
                server.kill()
                assert (await house.anyone.get("/toy/alice/listing")).status_code == 503
                numbers.append(await read(house))
    finally:
        server.remove()

    def away(part: str) -> list[float]:
        return [value(one, "entrepot_unavailable_total", part) for one in numbers]

    assert away("storage")[0] < away("storage")[1]
    assert away("database")[0] == away("database")[1] < away("database")[2]


def test_the_workers_of_a_host_are_added_up_and_a_dead_ones_numbers_stay(serve: Serve) -> None:
    server = serve(workers=2)
    for _ in range(40):
        assert httpx.get(f"{server.url}/healthz").status_code == 200  # a connection each, so that both workers get some
    numbers = sampled(server)
    assert value(numbers, "entrepot_requests_total", "health", "200") == 40
    assert value(numbers, "entrepot_worker_starts_total") == 2
    assert {worker for worker in "01" if value(numbers, "entrepot_process_resident_memory_bytes", worker) > 1 << 20} == {"0", "1"}
    before = server.processes - {server.process.pid}
    for worker in before:
        os.kill(worker, signal.SIGKILL)
    eventually(lambda: len(server.processes - before) == 3)
    eventually(lambda: value(sampled(server), "entrepot_worker_starts_total") == 4)
    httpx.get(f"{server.url}/healthz", timeout=60)
    assert value(sampled(server), "entrepot_requests_total", "health", "200") == 41


async def test_the_event_loops_lag_is_measured(house: House) -> None:
    before = await _count_of_lag(house)
    while await _count_of_lag(house) == before:
        await checkpoint()


async def _count_of_lag(house: House) -> float:
    return value(await read(house), "entrepot_event_loop_lag_seconds_count")


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
async def test_without_a_token_they_are_for_this_machine_and_not_for_what_a_proxy_passes_on(house: House, header: str) -> None:
    assert (await house.anyone.get("/metrics")).status_code == 200
    refused = await house.client(**{header.replace("-", "_"): "192.0.2.1"}).get("/metrics")
    assert "metrics_token" in sentence(refused, 403)


async def test_behind_a_trusted_proxy_of_this_machine_they_are_still_for_this_machine_alone(house_data: Path) -> None:
    async with open_house(house_data, Registry.of({"toy": ToyPlugin()}), trusted_proxies=["127.0.0.1"]) as house:
        assert (await house.anyone.get("/metrics")).status_code == 200
        for client in ("192.0.2.1", "127.0.0.1", ""):
            assert "metrics_token" in sentence(await house.client(X_Forwarded_For=client).get("/metrics"), 403)


async def test_with_a_token_they_are_for_whoever_has_it_from_wherever(house_data: Path) -> None:
    secret = "a-token-for-the-metrics"
    async with open_house(house_data, Registry.of({"toy": ToyPlugin()}), metrics_token=secret) as house:
        for wrong in ("", "Bearer", "Bearer wrong", f"Basic {secret}", f"Bearer {secret}x"):
            refused = await house.client(Authorization=wrong).get("/metrics")
            assert secret not in sentence(refused, 401)
        there = await house.client(Authorization=f"Bearer {secret}", X_Forwarded_For="192.0.2.1").get("/metrics")
        assert there.status_code == 200


async def test_openmetrics_is_spoken_to_those_who_ask_for_it(house: House) -> None:
    answer = await house.client(Accept="application/openmetrics-text; version=1.0.0").get("/metrics")
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_the_manual_lists_the_metrics_that_there_are() -> None:
    listed = re.findall(r"^\| `(entrepot_\w+)` \| (.*?) \| (.+?) \|$", MANUAL, re.MULTILINE)
    known = [(name, ", ".join(f"`{label}`" for label in metric.labels), metric.meaning) for name, metric in board.metrics.items()]
    assert [row for row in listed if not row[0].startswith("entrepot_process")] == known
