"""Warm pages and files per second, beside the peers and nginx; and the first page after an upload."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count
from statistics import median

from bench import load
from bench.packages import wheel
from bench.pypi.fields import Field, Fields
from bench.pypi.rivals import Rival
from bench.pypi.scale import Scale
from bench.rates import Lane
from bench.server import client
from bench.table import Table

PROJECT = "package1"
HEADINGS = ("server", "files", "connections", "per second", "ours / it", "CPU µs", "bytes")
TEN_MB = 10_000_000
versions = count()


def measure(fields: Fields, scale: Scale) -> list[Table]:
    """Pages at each size, files at the smallest."""
    pages, files = Table("Pages, beside the peers", "page", *HEADINGS), Table("Downloads, beside the peers", "file", *HEADINGS)
    for size in scale.sizes:
        field = fields.of(size)
        for title, paths, accept in documents(field):
            compare(pages, title, size, field, paths, accept, scale)
    field = fields.of(scale.sizes[0])
    for title, paths in downloads(field):
        compare(files, title, scale.sizes[0], field, paths, "*/*", scale)
    for table in (pages, files):
        table.note(f"The servers take turns of {scale.seconds} s; medians of {scale.rounds}. nginx serves our bytes from a folder.")
    pages.note("A row of JSON is only of servers that have it. Bytes: of the body that each sends.")
    return [pages, files]


def documents(field: Field) -> Iterator[tuple[str, dict[str, str], dict[str, str]]]:
    """Title, the path by server, and what to accept by server."""
    for form in ("JSON", "HTML"):
        speaking = [rival for rival in field.rivals if form in rival.accepts]
        accept = {rival.title: rival.accepts[form] for rival in speaking}
        yield f"root, {form}", {rival.title: rival.root for rival in speaking}, accept
        yield f"project of ten files, {form}", {rival.title: rival.page(PROJECT) for rival in speaking}, accept


def downloads(field: Field) -> Iterator[tuple[str, dict[str, str]]]:
    """Title and the path by server: a small wheel, and one of 10 MB that those have that take uploads."""
    yield "wheel of 1 kB", {rival.title: rival.files(PROJECT)[0] for rival in field.rivals}
    large = wheel("large", "1.0", weight=TEN_MB)
    taking = [rival for rival in field.rivals if rival.uploading]
    for rival in taking:
        rival.upload([large], connections=1)
    yield "wheel of 10 MB", {rival.title: rival.files("large")[0] for rival in taking}


def compare(table: Table, title: str, size: int, field: Field, paths: dict[str, str], accept: dict[str, str] | str, scale: Scale) -> None:
    """Rows of one document or file: a lane for each server, and one for nginx with our bytes."""
    by_title = {rival.title: rival for rival in field.rivals}
    asked = {name: {"Accept": accept if isinstance(accept, str) else accept[name]} for name in paths}
    bodies = {name: by_title[name].get(path, asked[name]["Accept"]).content for name, path in paths.items()}
    for connections in scale.connections:
        lanes = {name: Lane(by_title[name].process, [load.request("GET", path, asked[name])]) for name, path in paths.items()}
        if field.nginx:
            (field.static / "body").write_bytes(bodies["Entrepot"])
            lanes["nginx"] = Lane(field.nginx, [load.request("GET", "/static/body")])
        for lane in lanes.values():
            lane.run(connections, scale.seconds / 3)
            lane.forget()
        for _ in range(scale.rounds):
            for lane in lanes.values():
                lane.run(connections, scale.seconds)
        ours = lanes["Entrepot"].rate
        for name, lane in lanes.items():
            held = bodies.get(name, bodies["Entrepot"])
            table.add(title, name, size, connections, lane.rate, ours / lane.rate, lane.cpu, len(held))


def measure_firsts(fields: Fields, scale: Scale) -> list[Table]:
    """The first answers after an upload."""
    table = Table("First page after an upload, beside the peers", "page", "server", "files", "wall ms", "server CPU ms")
    for size in scale.sizes:
        for rival in fields.of(size).rivals:
            if rival.uploading:
                for title, path in (("project of ten files", rival.page(PROJECT)), ("root", rival.root)):
                    table.add(title, rival.title, size, *first(rival, path, scale.readings))
    table.note(f"Medians of {scale.readings}: a release is uploaded, then the page asked for once, as JSON where there is any. Budget: 5 ms of CPU.")
    table.note("The page must have what was uploaded; pypiserver's cache does not always, and is asked until it does.")
    return [table]


def first(rival: Rival, path: str, readings: int) -> tuple[float, float]:
    """Milliseconds, and milliseconds of CPU, until a page shows what was uploaded: medians."""
    found = []
    accept = next(iter(rival.accepts.values()))
    with client(rival.process.port) as asking:
        asking.get(path, headers={"Accept": accept}).raise_for_status()
        for _ in range(readings):
            number = next(versions)
            name = PROJECT if path != rival.root else f"new{number}"
            rival.upload([wheel(name, f"3.{number}")], connections=1)
            shown = f"{PROJECT}-3.{number}-" if name == PROJECT else name
            before, began = rival.process.cpu, time.perf_counter()
            while shown not in asking.get(path, headers={"Accept": accept}).raise_for_status().text:
                if time.perf_counter() - began > 30:
                    raise SystemExit(f"{rival.title} does not show {shown}.")
            found.append((time.perf_counter() - began, rival.process.cpu - before))
    return median(wall for wall, _ in found) * 1e3, median(cpu for _, cpu in found) * 1e3
