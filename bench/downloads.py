"""Downloads beside nginx, which serves the same bytes from a folder; and behind nginx, which sends them for us."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import load
from bench.nginx import nginx
from bench.packages import wheel
from bench.rates import Lane, files
from bench.server import BUILD, NAMESPACE, Entrepot, site
from bench.table import Table

SIZES = {"4 KiB": 4 << 10, "60 KiB": 60 << 10, "10 MB": 10_000_000}
ACCEL = "/entrepot-files"


def measure(*, quick: bool) -> list[Table]:
    """Ours, nginx alone, and nginx in front of ours, in turns."""
    rounds, seconds = (3, 0.2) if quick else (11, 0.3)
    headings = ("connections", "per second", "nginx", "ratio", "behind nginx", "ratio", "CPU µs", "nginx CPU µs", "both CPU µs")
    table = Table("Downloads beside nginx", "what", *headings)
    with TemporaryDirectory(dir=BUILD) as folder, site(accel_redirect=ACCEL, trusted_proxies="127.0.0.1") as one:
        plain = one.without("accel_redirect")
        with plain.serving() as server, one.serving() as handing:
            static = Path(folder, "static")
            static.mkdir()
            paths = dict(publish(server, static))
            with nginx(Path(folder), files=static, blobs=one.data / "blobs", behind=handing) as (alone, together):
                for title, path in paths.items():
                    for connections in (1, 32) if SIZES[title] < 1 << 20 else (1, 8):
                        lanes = [
                            Lane(server, [load.request("GET", path)]),
                            Lane(alone, [load.request("GET", f"/static/{Path(path).name}")]),
                            Lane(together, [load.request("GET", path)]),
                        ]
                        for _ in range(rounds):
                            for lane in lanes:
                                lane.run(connections, seconds)
                        ours, theirs, both = lanes
                        rates = ours.rate, theirs.rate, ours.rate / theirs.rate, both.rate, both.rate / theirs.rate
                        table.add(f"wheel of {title}", connections, *rates, ours.cpu, theirs.cpu, both.cpu)
    table.note(
        "One worker of ours, one process of nginx. nginx sends the same bytes from a folder by sendfile, without asking anybody whether it may."
    )
    table.note("Behind nginx: it asks ours, which answers files over 64 KiB with X-Accel-Redirect, and others whole.")
    table.note("Budget of 10 MB: at least 0.6 × nginx alone; behind nginx at least 0.95 ×.")
    return [table]


def publish(server: Entrepot, static: Path) -> Iterator[tuple[str, str]]:
    """Upload a wheel of each size, and put it into nginx's folder: titles and paths."""
    for number, (title, size) in enumerate(SIZES.items()):
        basename, body = wheel(f"sized{number}", "1.0", weight=size)
        server.upload([(basename, body)], connections=1)
        (static / basename).write_bytes(body)
        (path,) = files(server, f"/pypi/{NAMESPACE}/simple/sized{number}/")
        if hashlib.sha256(server.get(path).content).digest() != hashlib.sha256(body).digest():
            raise SystemExit(f"{basename} came back different.")
        yield title, path
