"""Figures for Prometheus: one table of metrics, read from the worker's health when somebody asks.

Off unless `CPOR_METRICS_PORT` names a port. Nothing is counted twice: what `health.json` tells is what is served.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import NamedTuple

import structlog
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from cpor.runtime.health import ROUNDS, Health

log = structlog.get_logger("cpor.runtime")

LABELS = ("service", "slot")
#: Figures of a service's own, by name: what a worker that is no processor has to tell.
OWN = "cpor_worker_count"


class Kind(StrEnum):
    """Counters only grow while a process lives; gauges come and go."""

    COUNTER = "counter"
    GAUGE = "gauge"


class Metric(NamedTuple):
    """One row of the catalogue. Labels of all: service, slot."""

    name: str
    kind: Kind
    help: str
    read: Callable[[Health], float]


CATALOGUE: tuple[Metric, ...] = (
    Metric("cpor_worker_records", Kind.COUNTER, "Records committed.", lambda h: h.records),
    Metric("cpor_worker_timers", Kind.COUNTER, "Timers fired.", lambda h: h.timers),
    Metric("cpor_worker_rounds", Kind.COUNTER, "Rounds committed.", lambda h: h.rounds),
    Metric("cpor_worker_round_seconds", Kind.COUNTER, "Time spent in committed rounds.", lambda h: h.round_seconds),
    Metric("cpor_worker_rounds_dropped", Kind.COUNTER, "Rounds whose transaction failed.", lambda h: h.dropped),
    Metric("cpor_worker_dead_letters", Kind.COUNTER, "Records dead-lettered.", lambda h: h.dead_letters),
    Metric("cpor_worker_slots", Kind.GAUGE, "Slots owned.", lambda h: len(h.slots)),
    Metric("cpor_worker_held_partitions", Kind.GAUGE, "Partitions that wait for something.", lambda h: h.held),
    Metric("cpor_worker_held_timers", Kind.GAUGE, "Due timers that the gate holds back.", lambda h: h.gate_held),
    Metric(
        "cpor_worker_lateness_seconds",
        Kind.GAUGE,
        "Age of the newest record when its round was committed.",
        lambda h: h.lateness_ms / 1000,
    ),
    Metric(
        "cpor_worker_up",
        Kind.GAUGE,
        "1 while the worker makes rounds, 0 while it joins or restores.",
        lambda h: float(h.state in ROUNDS),
    ),
)

_FAMILY: dict[Kind, type[CounterMetricFamily] | type[GaugeMetricFamily]] = {
    Kind.COUNTER: CounterMetricFamily,
    Kind.GAUGE: GaugeMetricFamily,
}


class HealthCollector(Collector):
    """A worker's health as metrics."""

    def __init__(self, health: Health) -> None:
        self._health = health

    def collect(self) -> Iterable[CounterMetricFamily | GaugeMetricFamily]:
        labels = (self._health.service, self._health.member)
        for metric in CATALOGUE:
            family = _FAMILY[metric.kind](metric.name, metric.help, labels=LABELS)
            family.add_metric(labels, metric.read(self._health))
            yield family
        own = GaugeMetricFamily(OWN, "A figure of the service's own.", labels=(*LABELS, "name"))
        for name, number in sorted(self._health.counts.items()):
            own.add_metric((*labels, name), number)
        yield own


def serve(health: Health, host: str, port: int) -> int:
    """Serve `/metrics` beside the loop; returns the port (0 asks for a free one), 0 where none could be had.

    A port that is taken is told and is no reason to stop: a worker without metrics still does its work.
    """
    registry = CollectorRegistry()
    registry.register(HealthCollector(health))
    try:
        server, _ = start_http_server(port, addr=host, registry=registry)
    except OSError as fault:
        log.error("no metrics: the port cannot be had", host=host, port=port, cause=str(fault))
        return 0
    return int(server.server_port)
