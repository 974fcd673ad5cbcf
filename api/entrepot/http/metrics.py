"""`/metrics`: what the workers of this host have counted, in the form that Prometheus reads."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from functools import partial
from importlib.metadata import version
from ipaddress import ip_address
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector
from starlette.responses import Response

from entrepot.counters import Histogram, Name, board, totals
from entrepot.errors import PermissionDenied, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.types import Scope

    from entrepot.services.pulse import Pulse
    from entrepot.settings import Settings

FORWARDING = (b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip", b"via")
"""Headers that tell that the request came through a proxy, trusted or not."""


class MetricsEndpoint:
    """The endpoint."""

    def __init__(self, settings: Settings, pulse: Pulse) -> None:
        self._token = settings.metrics_token
        self._pulse = pulse
        self._registry = CollectorRegistry()
        self._registry.register(Host())

    async def get(self, request: Request) -> Response:
        """The numbers. Raises Unauthenticated, PermissionDenied."""
        self._check(request.scope, request.headers.get("authorization", ""))
        self._pulse.look()
        encode, media_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(self._registry), headers={"cache-control": "no-store", "content-type": media_type})

    def _check(self, scope: Scope, authorization: str) -> None:
        """Who may read how busy the server is: who has the token, or without one, who asks from this very machine and through no proxy."""
        if self._token:
            scheme, _, given = authorization.partition(" ")
            if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), self._token.encode()):
                raise Unauthenticated("The metrics need the token of the setting metrics_token, as `Authorization: Bearer …`.")
        elif not from_this_machine(scope):
            raise PermissionDenied("The metrics are for this machine alone. To read them elsewhere, set metrics_token and send it as Bearer token.")


def from_this_machine(scope: Scope) -> bool:
    """Whether a request was made on this machine, and not passed on by a proxy of this machine."""
    client = scope.get("client")
    try:
        local = client is not None and ip_address(client[0]).is_loopback
    except ValueError:
        return False
    return local and not any(name in FORWARDING for name, _ in scope["headers"])


class Host(Collector):
    """Everything, added up over the workers."""

    def collect(self) -> Iterable[Family]:
        """See prometheus_client."""
        yield InfoMetricFamily("entrepot", "The server.", value={"version": version("entrepot")})
        found = totals()
        for name, metric in board.metrics.items():
            numbers = found[name]
            match metric:
                case Histogram():
                    yield _histogram(metric, numbers)
                case _:
                    family: Family
                    if metric.kind == "gauge":
                        family = GaugeMetricFamily(name, metric.meaning, labels=(*metric.labels, "worker"))
                    else:
                        family = CounterMetricFamily(name, metric.meaning, labels=metric.labels)
                    for labels, value in sorted(numbers.items()):
                        family.add_metric(labels, value)
                    yield family
        yield from _processes()

    def describe(self) -> Iterable[Family]:
        """Nothing that prometheus_client would have to know before it asks."""
        return ()


def _histogram(metric: Histogram, numbers: Mapping[Name, float]) -> Family:
    family = HistogramMetricFamily(metric.name, metric.meaning, labels=metric.labels)
    for labels in sorted({name[:-1] for name in numbers}):
        reached, buckets = 0.0, []
        for step in metric.steps[:-1]:
            reached += numbers.get((*labels, step), 0.0)
            buckets.append((step, reached))
        family.add_metric(labels, buckets, numbers.get((*labels, "sum"), 0.0))
    return family


def _processes() -> Iterator[Family]:
    """Memory, processor time, open files of every worker that lives, from the operating system."""
    families: dict[str, Family] = {}
    for number, region in enumerate(board.regions):
        for found in ProcessCollector(namespace="entrepot", pid=partial(int, region.process), registry=None).collect():
            family = families.setdefault(found.name, Family(found.name, found.documentation, found.type))
            for sample in found.samples:
                family.add_sample(sample.name, {"worker": str(number)}, sample.value)
    return iter(families.values())
