"""Figures, monitors and recordings are the parent's: a forked child has none, and says so."""

from .forks import run


def test_figures_of_the_parent_s_loop_are_left_alone_in_the_child() -> None:
    run(
        """
import prometheus_client
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from rloop.opentelemetry import instrument
from rloop.prometheus import LoopCollector

def collected():
    data = reader.get_metrics_data()
    return [] if data is None else data.resource_metrics

def tidy_up():
    assert_refused(loop.metrics)
    assert_refused(monitor.snapshot)
    assert_refused(monitor.reset)
    monitor.close()
    assert not prometheus_client.generate_latest(registry)
    assert not collected()
    collector.close()
    instrumentation.close()
    recording.close()

loop = rloop.RLoop()
reader = InMemoryMetricReader()
registry = prometheus_client.CollectorRegistry()
monitor = rloop.monitor(loop)
collector = LoopCollector(loop, registry=registry)
instrumentation = instrument(loop, meter_provider=MeterProvider(metric_readers=[reader]))
recording = rloop.flight_recorder(os.devnull)
loop.run_until_complete(asyncio.sleep(0.001))
in_a_child(tidy_up)
assert prometheus_client.generate_latest(registry) and collected()
recording.close()
loop.close()
"""
    )


def test_a_loop_of_the_child_says_what_it_lacks() -> None:
    run(
        """
def ask():
    for new_loop in (rloop.RLoop, rloop.TokioLoop):
        loop = new_loop()
        for function in (loop.metrics, lambda: rloop.monitor(loop)):
            try:
                function()
            except RuntimeError as error:
                assert "work as asyncio's, and have neither figures" in str(error), error
            else:
                raise AssertionError("it was not refused")
        loop.close()

async def current():
    return rloop.current_worker()

def ask_for_workers():
    loop = rloop.TokioLoop()
    worker, = loop.workers
    assert loop.run_until_complete(current()) == worker
    assert loop.run_until_complete(loop.spawn(current(), worker=worker)) == worker
    loop.close()

rloop.RLoop().close()
in_a_child(ask)
in_a_child(ask_for_workers)
"""
    )
