"""Rules of `rloop.prometheus`, with Prometheus's own client as the reader."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

import rloop
from rloop.prometheus import LoopCollector
from tests.unit import own_loops
from tests.unit.loaded_uvicorn import REQUEST, LoadedUvicorn

CLIENTS = 5
REQUESTS = 40
BLOCK_SECONDS = 0.05


@pytest.fixture(params=own_loops.KINDS)
def loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[rloop.RLoop]:
    yield from own_loops.make(request.param, monkeypatch)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def value(registry: CollectorRegistry, name: str, **labels: str) -> float:
    """A sample, of the text that Prometheus would get."""
    wanted = {"loop": "main", **labels}
    (found,) = [
        sample.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
        if sample.name == f"rloop_{name}" and sample.labels == wanted
    ]
    return found


def test_a_uvicorn_under_load_is_seen(loop: rloop.RLoop, registry: CollectorRegistry) -> None:
    async def main() -> int:
        LoopCollector(registry=registry)
        async with LoadedUvicorn() as server:
            await server.load(CLIENTS, REQUESTS)
            return server.requests

    requests = loop.run_until_complete(main())
    assert requests == CLIENTS * REQUESTS
    assert value(registry, "accepted_connections_total") == CLIENTS
    received = value(registry, "received_bytes_total")
    assert received == value(registry, "sent_bytes_total") > requests * len(REQUEST)
    metrics = loop.metrics()
    assert value(registry, "callbacks_total") == metrics.callbacks >= requests
    assert value(registry, "time_seconds_total", state="active") == metrics.busy_time
    assert value(registry, "time_seconds_total", state="idle") == metrics.idle_time
    assert value(registry, "transports", kind="stream") == 0
    count = value(registry, "callback_duration_seconds_count")
    assert count == metrics.callbacks - 1  # which the one that made the collector isn't in
    assert value(registry, "callback_duration_seconds_bucket", le="+Inf") == count
    assert 0 < value(registry, "callback_duration_seconds_sum") <= metrics.busy_time


def test_blocked_time_is_in_the_right_bucket(
    loop: rloop.RLoop, registry: CollectorRegistry
) -> None:
    LoopCollector(loop, registry=registry, buckets=[BLOCK_SECONDS / 2, 60])
    loop.call_soon(time.sleep, BLOCK_SECONDS)
    loop.run_until_complete(asyncio.sleep(0))
    name = "callback_duration_seconds"
    count = value(registry, f"{name}_count")
    assert value(registry, f"{name}_bucket", le=str(BLOCK_SECONDS / 2)) == count - 1
    assert value(registry, f"{name}_bucket", le="60.0") == count
    assert value(registry, f"{name}_sum") >= BLOCK_SECONDS


def test_a_closed_loop_and_a_closed_collector_show_nothing(registry: CollectorRegistry) -> None:
    loop = rloop.RLoop()
    collector = LoopCollector(loop, registry=registry)
    assert b"rloop_timers" in generate_latest(registry)
    loop.close()
    assert not generate_latest(registry)
    collector.close()
    collector.close()
    assert not list(registry.collect())


def test_loops_are_told_apart_by_their_names(registry: CollectorRegistry) -> None:
    loops = {"one": rloop.RLoop(), "two": rloop.RLoop()}
    for name, loop in loops.items():
        LoopCollector(loop, registry=registry, name=name, histograms=False)
    for name, loop in loops.items():
        assert value(registry, "timers", loop=name) == 0
        loop.close()


def test_other_loops_are_refused() -> None:
    other = asyncio.new_event_loop()
    with pytest.raises(TypeError, match="only loops of rloop"):
        LoopCollector(other)
    other.close()
