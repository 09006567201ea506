"""A loop's figures for Prometheus; needs the package ``prometheus-client``.

::

    from rloop.prometheus import LoopCollector

    async def main():
        LoopCollector()  # the running loop, in the client's own registry

They are collected when they are scraped, on the scraper's thread. Names begin with ``rloop_``; each
sample has the label ``loop``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

try:
    from prometheus_client import REGISTRY, CollectorRegistry
    from prometheus_client.core import (
        CounterMetricFamily,
        GaugeMetricFamily,
        HistogramMetricFamily,
        Metric,
    )
    from prometheus_client.registry import Collector
except ImportError as error:
    raise ImportError(
        "rloop.prometheus needs Prometheus's client: install the package prometheus-client"
    ) from error

from .java import fork
from .loops.rloop import RLoop
from .monitors import monitor

if TYPE_CHECKING:
    from .metrics.figures import LoopMetrics
    from .metrics.histogram import Histogram

BUCKETS = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    *(0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
"""Upper bounds of the histograms' buckets, in seconds."""

_LABEL = "loop"


class LoopCollector(Collector):
    """Collects a loop's figures until it is closed, or ``close()`` is called.

    ``loop`` is an ``RLoop`` or ``TokioLoop``, the running one by default. A process that has
    several gives each a ``name``, and a registry or a name of its own. With ``histograms`` the loop
    gets a monitor (``rloop.monitor``), which is what knows delays and callbacks' durations, and
    costs a little.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop | None = None,
        *,
        name: str = "main",
        registry: CollectorRegistry | None = REGISTRY,
        histograms: bool = True,
        buckets: Sequence[float] = BUCKETS,
    ) -> None:
        chosen = asyncio.get_running_loop() if loop is None else loop
        if not isinstance(chosen, RLoop):
            raise TypeError(f"only loops of rloop can be collected from, not {chosen!r}")
        self._loop = chosen
        self._name = name
        self._registry = registry
        self._buckets = buckets
        self._monitor = monitor(chosen, threshold=None) if histograms else None
        if registry is not None:
            registry.register(self)

    def close(self) -> None:
        """Ends the collection, and leaves the registry."""
        if self._monitor is not None:
            self._monitor.close()
        if self._registry is not None:
            registry, self._registry = self._registry, None
            registry.unregister(self)

    def describe(self) -> Iterable[Metric]:
        """Nothing: several loops' collectors may share a registry, each with a name."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The figures of this moment; none of a loop that is closed, or of a parent process."""
        if not (fork.is_child() or self._loop.is_closed()):
            metrics = self._loop.metrics()
            yield from self._times(metrics)
            yield from self._counters(metrics)
            yield from self._gauges(metrics)
            yield from self._histograms()

    def _times(self, metrics: LoopMetrics) -> Iterable[Metric]:
        time = CounterMetricFamily(
            "rloop_time_seconds", "How long the loop was in each state.", labels=[_LABEL, "state"]
        )
        time.add_metric([self._name, "active"], metrics.busy_time)
        time.add_metric([self._name, "idle"], metrics.idle_time)
        yield time

    def _counters(self, metrics: LoopMetrics) -> Iterable[Metric]:
        for name, what, value in (
            ("iterations", "How often the loop went round.", metrics.iterations),
            ("callbacks", "Callbacks and steps of tasks that ran.", metrics.callbacks),
            ("threadsafe_calls", "Calls of call_soon_threadsafe.", metrics.threadsafe_calls),
            ("wakeups", "Waits that another thread ended.", metrics.wakeups),
            ("polls", "How often the kernel was asked for events.", metrics.polls),
            ("accepted_connections", "Connections accepted.", metrics.accepted_connections),
            ("received_bytes", "Bytes received.", metrics.bytes_received),
            ("sent_bytes", "Bytes sent.", metrics.bytes_sent),
            ("receive_calls", "System calls that receive.", metrics.receive_calls),
            ("send_calls", "System calls that send.", metrics.send_calls),
        ):
            counter = CounterMetricFamily(f"rloop_{name}", what, labels=[_LABEL])
            counter.add_metric([self._name], value)
            yield counter

    def _gauges(self, metrics: LoopMetrics) -> Iterable[Metric]:
        for name, what, value in (
            ("ready_queue_depth", "Callbacks that wait.", metrics.ready_queue_depth),
            ("timers", "Timers that wait.", metrics.timers),
            ("watched_fds", "Descriptors that are watched.", metrics.watched_fds),
            ("largest_batch", "The most callbacks of one iteration.", metrics.largest_batch),
            (
                "longest_callback_seconds",
                "The longest time that a callback took, or the iteration it was in.",
                metrics.longest_callback,
            ),
        ):
            gauge = GaugeMetricFamily(f"rloop_{name}", what, labels=[_LABEL])
            gauge.add_metric([self._name], value)
            yield gauge
        transports = GaugeMetricFamily("rloop_transports", "Transports.", labels=[_LABEL, "kind"])
        transports.add_metric([self._name, "stream"], metrics.stream_transports.open)
        transports.add_metric([self._name, "datagram"], metrics.datagram_transports.open)
        transports.add_metric([self._name, "pipe"], metrics.pipe_transports.open)
        yield transports

    def _histograms(self) -> Iterable[Metric]:
        if self._monitor is None:
            return
        snapshot = self._monitor.snapshot()
        for name, what, histogram in (
            ("callback_duration", "How long callbacks took.", snapshot.callback_duration),
            (
                "scheduling_delay",
                "From when callbacks were ready until they started.",
                snapshot.scheduling_delay,
            ),
            (
                "loop_delay",
                "How long the loop goes on to work before it asks for what has come.",
                snapshot.loop_delay,
            ),
        ):
            family = HistogramMetricFamily(f"rloop_{name}_seconds", what, labels=[_LABEL])
            family.add_metric([self._name], self._bucketed(histogram), histogram.total)
            yield family

    def _bucketed(self, histogram: Histogram) -> Sequence[tuple[str, float]]:
        bounded = [(str(float(bound)), histogram.count_up_to(bound)) for bound in self._buckets]
        return [*bounded, ("+Inf", histogram.count)]
