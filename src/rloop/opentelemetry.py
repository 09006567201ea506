"""A loop's figures as metrics of OpenTelemetry; needs the package ``opentelemetry-api``.

::

    from rloop.opentelemetry import instrument

    async def main():
        instrument()  # the running loop, with the global meter provider

The names and units are those of the semantic conventions' event-loop metrics, which are there for
Node.js alone as yet: ``….utilization``, ``….time`` by ``….state``, ``….delay.p99`` and so on, here
below ``python.eventloop`` unless another prefix is given. All else that ``loop.metrics()`` tells is
there as well. They are observed when a reader collects them, on its thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

try:
    from opentelemetry.metrics import (
        CallbackOptions,
        MeterProvider,
        Observation,
        get_meter_provider,
    )
except ImportError as error:
    raise ImportError(
        "rloop.opentelemetry needs OpenTelemetry's API: install the package opentelemetry-api"
    ) from error

from . import __version__
from .java import fork
from .loops.rloop import RLoop
from .monitors import monitor

if TYPE_CHECKING:
    from .metrics.figures import LoopMetrics
    from .metrics.histogram import Histogram
    from .metrics.monitoring import Monitor, Snapshot

PREFIX = "python.eventloop"

_NOTHING: dict[str, str] = {}

Attributes = Mapping[str, str]
Observed = Iterable[tuple[float, Attributes]]
Look = Callable[["_Moment"], Observed]


def instrument(
    loop: asyncio.AbstractEventLoop | None = None,
    *,
    meter_provider: MeterProvider | None = None,
    attributes: Attributes | None = None,
    prefix: str = PREFIX,
    delays: bool = True,
) -> Instrumentation:
    """Has a loop's figures observed until it is closed, or until ``close()`` of what this returns.

    ``loop`` is an ``RLoop`` or ``TokioLoop``, the running one by default. A process that has
    several tells them apart by ``attributes``. With ``delays`` the loop gets a monitor
    (``rloop.monitor``), which is what knows delays and callbacks' durations, and costs a little.
    """
    chosen = asyncio.get_running_loop() if loop is None else loop
    if not isinstance(chosen, RLoop):
        raise TypeError(f"only loops of rloop can be instrumented, not {chosen!r}")
    provider = get_meter_provider() if meter_provider is None else meter_provider
    instruments = _instruments.setdefault(provider, {})
    if prefix not in instruments:
        instruments[prefix] = _Instruments(provider, prefix)
    instrumentation = Instrumentation(instruments[prefix], chosen, attributes or {}, delays)
    instruments[prefix].observed.append(instrumentation)
    return instrumentation


class Instrumentation:
    """A loop that is observed."""

    def __init__(
        self, instruments: _Instruments, loop: RLoop, attributes: Attributes, delays: bool
    ) -> None:
        self._instruments = instruments
        self._loop = loop
        self._attributes = dict(attributes)
        self._monitor = monitor(loop, threshold=None) if delays else None
        self._moment = _Moment(loop.metrics(), None, None)
        self._seen: set[str] = set()

    def close(self) -> None:
        """Ends the observation; on any thread."""
        with suppress(ValueError):  # another thread has closed it
            self._instruments.observed.remove(self)
        if self._monitor is not None:
            self._monitor.close()

    def observe(self, name: str, look: Look) -> Iterable[Observation]:
        """What an instrument shows of this loop."""
        if fork.is_child() or self._loop.is_closed():
            self.close()
            return
        if name in self._seen or not self._seen:  # a new collection has begun
            self._seen.clear()
            self._moment = _Moment(self._loop.metrics(), self._moment.metrics, self._monitor)
        self._seen.add(name)
        for value, attributes in look(self._moment):
            yield Observation(value, {**self._attributes, **attributes})


class _Moment:
    """What one collection shows, the same for all instruments: since the collection before it."""

    def __init__(
        self, metrics: LoopMetrics, before: LoopMetrics | None, monitor: Monitor | None
    ) -> None:
        self.metrics = metrics
        self.before = before
        self.delays: Snapshot | None = None
        if monitor is not None:
            self.delays = monitor.snapshot()
            monitor.reset()


class _Instruments:
    """The instruments of one provider, which can have each name once."""

    def __init__(self, provider: MeterProvider, prefix: str) -> None:
        self.observed: list[Instrumentation] = []
        self._meter = provider.get_meter("rloop", __version__)
        self._prefix = prefix
        self._add_time()
        self._add_delays()
        self._add_counters()
        self._add_gauges()

    def _callback(
        self, name: str, look: Look
    ) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observe(_: CallbackOptions) -> Iterable[Observation]:
            for loop in tuple(self.observed):
                yield from loop.observe(name, look)

        return observe

    def _gauge(self, name: str, unit: str, description: str, look: Look) -> None:
        full = f"{self._prefix}.{name}"
        callbacks = [self._callback(full, look)]
        self._meter.create_observable_gauge(full, callbacks, unit, description)

    def _counter(self, name: str, unit: str, description: str, look: Look) -> None:
        full = f"{self._prefix}.{name}"
        callbacks = [self._callback(full, look)]
        self._meter.create_observable_counter(full, callbacks, unit, description)

    def _population(self, name: str, unit: str, description: str, look: Look) -> None:
        full = f"{self._prefix}.{name}"
        callbacks = [self._callback(full, look)]
        self._meter.create_observable_up_down_counter(full, callbacks, unit, description)

    def _add_time(self) -> None:
        def utilization(moment: _Moment) -> Observed:
            return [(moment.metrics.utilization(since=moment.before), _NOTHING)]

        def time(moment: _Moment) -> Observed:
            state = f"{self._prefix}.state"
            return [
                (moment.metrics.busy_time, {state: "active"}),
                (moment.metrics.idle_time, {state: "idle"}),
            ]

        self._gauge("utilization", "1", "Event loop utilization.", utilization)
        self._counter("time", "s", "How long the event loop was in each state.", time)

    def _add_delays(self) -> None:
        def add(prefix: str, what: str, of: Callable[[Snapshot], Histogram]) -> None:
            for name, value in _VALUES.items():

                def look(moment: _Moment, value: _Value = value) -> Observed:
                    delays = moment.delays
                    return [] if delays is None else [(value(of(delays)), _NOTHING)]

                self._gauge(f"{prefix}.{name}", "s", f"{what}, {name}.", look)

        add("delay", "Event loop delay", lambda delays: delays.loop_delay)
        add(
            "scheduling_delay",
            "From when callbacks were ready until they started",
            lambda delays: delays.scheduling_delay,
        )
        add("callback.duration", "How long callbacks took", lambda delays: delays.callback_duration)

    def _add_counters(self) -> None:
        def add(name: str, unit: str, what: str, of: Callable[[LoopMetrics], float]) -> None:
            self._counter(name, unit, what, lambda moment: [(of(moment.metrics), _NOTHING)])

        add("iterations", "{iteration}", "How often the loop went round.", lambda m: m.iterations)
        add("callbacks", "{callback}", "Callbacks and steps of tasks.", lambda m: m.callbacks)
        add("wakeups", "{wakeup}", "Waits that another thread ended.", lambda m: m.wakeups)
        add(
            "connections.accepted",
            "{connection}",
            "Connections that servers accepted.",
            lambda m: m.accepted_connections,
        )

        def directions(
            of: Callable[[LoopMetrics], tuple[int, int]],
        ) -> Look:
            def look(moment: _Moment) -> Observed:
                received, sent = of(moment.metrics)
                return [
                    (received, {"network.io.direction": "receive"}),
                    (sent, {"network.io.direction": "transmit"}),
                ]

            return look

        self._counter(
            "io",
            "By",
            "Bytes of transports.",
            directions(lambda m: (m.bytes_received, m.bytes_sent)),
        )
        self._counter(
            "io.calls",
            "{call}",
            "System calls of transports.",
            directions(lambda m: (m.receive_calls, m.send_calls)),
        )

    def _add_gauges(self) -> None:
        def add(name: str, unit: str, what: str, of: Callable[[LoopMetrics], int]) -> None:
            self._population(name, unit, what, lambda moment: [(of(moment.metrics), _NOTHING)])

        add("ready", "{callback}", "Callbacks that wait.", lambda m: m.ready_queue_depth)
        add("timers", "{timer}", "Timers that wait.", lambda m: m.timers)
        add("descriptors", "{descriptor}", "Descriptors that are watched.", lambda m: m.watched_fds)

        def transports(moment: _Moment) -> Observed:
            kind = f"{self._prefix}.transport.kind"
            metrics = moment.metrics
            return [
                (metrics.stream_transports.open, {kind: "stream"}),
                (metrics.datagram_transports.open, {kind: "datagram"}),
                (metrics.pipe_transports.open, {kind: "pipe"}),
            ]

        self._population("transports", "{transport}", "Transports.", transports)


_Value = Callable[["Histogram"], float]
_VALUES: dict[str, _Value] = {
    "min": lambda histogram: histogram.min,
    "max": lambda histogram: histogram.max,
    "mean": lambda histogram: histogram.mean,
    "stddev": lambda histogram: histogram.stddev,
    "p50": lambda histogram: histogram.percentile(50),
    "p90": lambda histogram: histogram.percentile(90),
    "p99": lambda histogram: histogram.percentile(99),
}

_instruments: WeakKeyDictionary[MeterProvider, dict[str, _Instruments]] = WeakKeyDictionary()
