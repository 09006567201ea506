"""Rules of `rloop.opentelemetry`, with OpenTelemetry's own SDK as the reader."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

import rloop
from rloop.opentelemetry import instrument
from tests.unit import own_loops
from tests.unit.loaded_uvicorn import REQUEST, LoadedUvicorn

CLIENTS = 5
REQUESTS = 40
BLOCK_SECONDS = 0.05


@pytest.fixture(params=own_loops.KINDS)
def loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[rloop.RLoop]:
    yield from own_loops.make(request.param, monkeypatch)


class Collected:
    """A provider, and what its reader has got."""

    def __init__(self) -> None:
        self.reader = InMemoryMetricReader()
        self.provider = MeterProvider(metric_readers=[self.reader])

    def collect(self) -> dict[tuple[str, frozenset[tuple[str, Any]]], float]:
        data = self.reader.get_metrics_data()
        return {
            (metric.name, frozenset((point.attributes or {}).items())): getattr(point, "value")  # noqa: B009  # of a number's point
            for resource in (data.resource_metrics if data is not None else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            for point in metric.data.data_points
        }

    def value(self, name: str, **attributes: str) -> float:
        return self.collect()[f"python.eventloop.{name}", frozenset(attributes.items())]


@pytest.fixture
def collected() -> Iterator[Collected]:
    collected = Collected()
    yield collected
    collected.provider.shutdown()


def test_a_uvicorn_under_load_is_seen(loop: rloop.RLoop, collected: Collected) -> None:
    async def main() -> int:
        instrument(meter_provider=collected.provider, attributes={"loop": "web"})
        async with LoadedUvicorn() as server:
            await server.load(CLIENTS, REQUESTS)
            return server.requests

    requests = loop.run_until_complete(main())
    assert requests == CLIENTS * REQUESTS
    seen = collected.collect()

    def value(name: str, **attributes: str) -> float:
        labels = {"loop": "web", **{key.replace("_", "."): v for key, v in attributes.items()}}
        return seen[f"python.eventloop.{name}", frozenset(labels.items())]

    assert value("connections.accepted") == CLIENTS
    assert value("io", network_io_direction="receive") == value(
        "io", network_io_direction="transmit"
    )
    assert value("io", network_io_direction="receive") > requests * len(REQUEST)
    assert value("callbacks") >= requests
    assert 0 < value("utilization") <= 1
    active = value("time", python_eventloop_state="active")
    idle = value("time", python_eventloop_state="idle")
    metrics = loop.metrics()
    assert active == pytest.approx(metrics.busy_time, abs=0.05)
    assert idle == pytest.approx(metrics.idle_time, abs=0.05)
    assert 0 < value("callback.duration.p50") <= value("callback.duration.p99")
    assert value("callback.duration.p99") <= value("callback.duration.max")
    assert 0 <= value("scheduling_delay.p50") <= value("scheduling_delay.max")


def test_figures_are_those_since_the_collection_before(
    loop: rloop.RLoop, collected: Collected
) -> None:
    instrument(loop, meter_provider=collected.provider)
    loop.call_soon(time.sleep, BLOCK_SECONDS)
    loop.run_until_complete(asyncio.sleep(0))
    first = collected.collect()
    loop.run_until_complete(asyncio.sleep(BLOCK_SECONDS))
    second = collected.collect()

    def values(name: str) -> list[float]:
        return [seen[f"python.eventloop.{name}", frozenset()] for seen in (first, second)]

    blocked, idled = values("callback.duration.max")
    assert blocked >= BLOCK_SECONDS > idled
    blocked, idled = values("utilization")
    assert blocked > idled
    blocked, idled = values("delay.max")
    assert blocked >= BLOCK_SECONDS / 2
    assert values("delay.p50")[1] < BLOCK_SECONDS / 2
    before, after = values("callbacks")
    assert after > before


def test_loops_are_told_apart_by_their_attributes(collected: Collected) -> None:
    loops = {"one": rloop.RLoop(), "two": rloop.RLoop()}
    for name, loop in loops.items():
        instrument(loop, meter_provider=collected.provider, attributes={"loop": name})
        loop.run_until_complete(asyncio.sleep(0))
    loops["two"].run_until_complete(asyncio.sleep(0))
    seen = collected.collect()
    one, two = (seen["python.eventloop.callbacks", frozenset({("loop", name)})] for name in loops)
    assert 0 < one < two
    for loop in loops.values():
        loop.close()
    assert not collected.collect()


def test_without_delays_the_loop_is_not_monitored(loop: rloop.RLoop, collected: Collected) -> None:
    instrument(loop, meter_provider=collected.provider, delays=False, prefix="nodejs.eventloop")
    loop.run_until_complete(asyncio.sleep(0))
    names = {name for name, _ in collected.collect()}
    assert "nodejs.eventloop.utilization" in names
    assert "nodejs.eventloop.delay.max" not in names


def test_a_closed_instrumentation_shows_nothing(loop: rloop.RLoop, collected: Collected) -> None:
    instrumentation = instrument(loop, meter_provider=collected.provider)
    assert collected.collect()
    instrumentation.close()
    instrumentation.close()
    assert not collected.collect()


def test_other_loops_are_refused(collected: Collected) -> None:
    other = asyncio.new_event_loop()
    with pytest.raises(TypeError, match="only loops of rloop"):
        instrument(other, meter_provider=collected.provider)
    other.close()
