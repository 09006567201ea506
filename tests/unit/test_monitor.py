"""Rules of `rloop.monitor`: histograms that agree with what a program does, and slow calls."""

import asyncio
import contextvars
import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest

import rloop
from rloop.metrics.histogram import Histogram
from rloop.metrics.monitoring import Monitor
from rloop.metrics.slow_calls import SlowCall
from tests.hazards.scripts import assert_clean, on_loop, run_script
from tests.unit import own_loops

BLOCK_SECONDS = 0.03
THRESHOLD_SECONDS = 0.02
ROUNDS = 10
PRECISION = 1 / 60


@pytest.fixture(params=own_loops.KINDS)
def loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[rloop.RLoop]:
    yield from own_loops.make(request.param, monkeypatch)


def block(seconds: float = BLOCK_SECONDS) -> float:
    started = time.monotonic()
    time.sleep(seconds)
    return time.monotonic() - started


def run_calls(loop: rloop.RLoop) -> None:
    loop.call_soon(loop.stop)
    loop.run_forever()


def test_durations_are_those_that_callbacks_measure(loop: rloop.RLoop) -> None:
    measured: list[float] = []
    with rloop.monitor(loop, threshold=None) as monitor:
        for _ in range(ROUNDS):
            loop.call_soon(lambda: measured.append(block()))
        loop.call_soon(block).cancel()
        run_calls(loop)
    durations = monitor.callback_duration
    assert durations.count == ROUNDS + 1
    assert durations.max >= max(measured)
    assert durations.total >= sum(measured)
    assert durations.percentile(50) >= BLOCK_SECONDS * (1 - PRECISION)
    assert durations.count - durations.count_up_to(BLOCK_SECONDS * (1 - PRECISION)) >= ROUNDS
    assert durations.min <= min(measured)


def test_a_call_is_late_by_those_that_run_before_it(loop: rloop.RLoop) -> None:
    measured: list[float] = []
    with rloop.monitor(loop, threshold=None) as monitor:
        for _ in range(3):
            loop.call_soon(lambda: measured.append(block()))
        run_calls(loop)
    delays = monitor.scheduling_delay
    assert delays.count == 4
    assert delays.max >= sum(measured)
    assert delays.total >= 3 * measured[0] + 2 * measured[1] + measured[2]


def test_a_timer_is_late_from_its_deadline_on(loop: rloop.RLoop) -> None:
    loop.call_later(BLOCK_SECONDS, loop.stop)
    loop.call_later(BLOCK_SECONDS / 2, block, 2 * BLOCK_SECONDS)
    with rloop.monitor(loop, threshold=None) as monitor:
        loop.run_forever()
    assert monitor.scheduling_delay.max >= 1.4 * BLOCK_SECONDS


def test_a_timer_whose_time_has_passed_is_not_late_for_that(loop: rloop.RLoop) -> None:
    started = loop.time()
    loop.call_at(started - 3600, int)
    with rloop.monitor(loop, threshold=None) as monitor:
        loop.call_soon(lambda: loop.call_at(started - 3600, loop.stop))
        loop.run_forever()
    assert monitor.scheduling_delay.max <= loop.time() - started


def test_the_delay_of_a_loop_is_how_long_it_works(loop: rloop.RLoop) -> None:
    async def main() -> tuple[float, float]:
        worked, started = 0.0, time.monotonic()
        for _ in range(ROUNDS):
            worked += block()
            await asyncio.sleep(BLOCK_SECONDS)
        return worked, time.monotonic() - started

    with rloop.monitor(loop, threshold=None, resolution=0.001) as monitor:
        worked, took = loop.run_until_complete(main())
    delays = monitor.loop_delay
    assert delays.count == pytest.approx(took / 0.001, rel=0.1)
    assert delays.max >= BLOCK_SECONDS * 0.9
    late = delays.count - delays.count_up_to(0.0005)
    assert late / delays.count >= 0.9 * worked / took
    assert late / delays.count <= 1 - 0.7 * ROUNDS * BLOCK_SECONDS / took


def test_an_idle_loop_is_never_late(loop: rloop.RLoop) -> None:
    with rloop.monitor(loop) as monitor:
        loop.run_until_complete(asyncio.sleep(0.2))
    delays = monitor.loop_delay
    assert delays.count >= 19
    assert delays.percentile(50) == 0


def test_time_between_runs_delays_nobody(loop: rloop.RLoop) -> None:
    with rloop.monitor(loop, threshold=None) as monitor:
        run_calls(loop)
        monitor.reset()
        time.sleep(10 * BLOCK_SECONDS)
        run_calls(loop)
    assert monitor.loop_delay.max < 10 * BLOCK_SECONDS


def test_a_reset_monitor_goes_on_from_nothing(loop: rloop.RLoop) -> None:
    with rloop.monitor(loop, threshold=None) as monitor:
        run_calls(loop)
        monitor.reset()
        assert monitor.callback_duration == Histogram(0, 0.0, 0.0, 0.0, ())
        assert monitor.callback_duration.percentile(99) == 0
        loop.call_soon(int)
        run_calls(loop)
        assert monitor.callback_duration.count == 2


def test_a_closed_monitor_keeps_what_it_has_seen(loop: rloop.RLoop) -> None:
    monitor = rloop.monitor(loop, threshold=None)
    run_calls(loop)
    monitor.close()
    monitor.close()
    run_calls(loop)
    loop.close()
    assert monitor.callback_duration.count == 1


def test_a_monitor_may_outlive_its_loop(loop: rloop.RLoop) -> None:
    monitor = rloop.monitor(loop)
    run_calls(loop)
    loop.close()
    assert monitor.callback_duration.count == 1
    monitor.close()


def test_monitors_do_not_mind_each_other(loop: rloop.RLoop) -> None:
    with rloop.monitor(loop, threshold=None) as outer:
        run_calls(loop)
        with rloop.monitor(loop, threshold=None) as inner:
            run_calls(loop)
            inner.reset()
            run_calls(loop)
        run_calls(loop)
    assert inner.callback_duration.count == 1
    assert outer.callback_duration.count == 4


def test_a_monitor_can_come_and_go_while_calls_run(loop: rloop.RLoop) -> None:
    monitors: list[Monitor] = []
    seen: list[SlowCall] = []
    loop.call_soon(lambda: monitors.append(rloop.monitor(loop, threshold=0, on_slow=seen.append)))
    loop.call_soon(int)
    loop.call_soon(lambda: [monitor.close() for monitor in monitors])
    loop.call_soon(int)
    run_calls(loop)
    assert monitors[0].callback_duration.count == 1
    assert len(seen) == 1


def test_the_running_loop_is_monitored_by_default(loop: rloop.RLoop) -> None:
    async def main() -> int:
        with rloop.monitor() as monitor:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        return monitor.callback_duration.count

    assert loop.run_until_complete(main()) == 1


def test_other_loops_cannot_be_monitored() -> None:
    other = asyncio.new_event_loop()
    with pytest.raises(TypeError, match="only loops of rloop"):
        rloop.monitor(other)
    other.close()


@pytest.mark.parametrize("wrong", [{"threshold": -1}, {"resolution": 0}, {"resolution": 1e999}])
def test_arguments_are_checked(loop: rloop.RLoop, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="seconds"):
        rloop.monitor(loop, **wrong)
    run_calls(loop)


def test_what_a_call_holds_dies_before_the_next_one_starts(loop: rloop.RLoop) -> None:
    class Argument:
        pass

    alive: list[bool] = []

    def call(argument: Argument) -> None:
        reference = weakref.ref(argument)
        loop.call_soon(lambda: alive.append(reference() is not None))

    with rloop.monitor(loop, threshold=60):
        loop.call_soon(call, Argument(), context=contextvars.Context())
        loop.call_soon(int)
        run_calls(loop)
        run_calls(loop)
    assert alive == [False]


def test_a_run_that_an_exception_ends_leaves_nothing_behind(loop: rloop.RLoop) -> None:
    class Argument:
        pass

    def leave(_: Argument) -> None:
        raise KeyboardInterrupt

    argument = Argument()
    reference = weakref.ref(argument)
    with rloop.monitor(loop, threshold=0, on_slow=lambda _: None):
        loop.call_soon(leave, argument)
        with pytest.raises(KeyboardInterrupt):
            loop.run_forever()
        del argument
        gc.collect()
        assert reference() is None
        run_calls(loop)


NESTED = """
import asyncio, time, nest_asyncio, rloop

loop = new_loop()
nest_asyncio.apply(loop)
seen = []

async def inner():
    time.sleep(0.03)
    await asyncio.sleep(0.01)
    return 5

async def outer():
    loop.call_soon(time.sleep, 0.03)
    return loop.run_until_complete(loop.create_task(inner(), name="inner"))

with rloop.monitor(loop, threshold=0, on_slow=seen.append) as monitor:
    assert loop.run_until_complete(loop.create_task(outer(), name="outer")) == 5
    loop.run_until_complete(asyncio.sleep(0.01))
assert max(slow.duration for slow in seen if slow.task_name == "inner") >= 0.03
assert max(slow.duration for slow in seen if "sleep" in slow.callback) >= 0.03
assert len(seen) <= monitor.callback_duration.count <= 20
"""


@pytest.mark.parametrize("kind", ["rloop", "tokio"])
def test_runs_within_runs_are_measured(kind: str) -> None:
    pytest.importorskip("nest_asyncio")
    assert_clean(run_script(on_loop(kind, NESTED)))


def test_what_takes_the_same_time_does_not_deviate() -> None:
    bucket = (0.1016, 5)
    assert Histogram(5, 0.5, 0.1, 0.1, (bucket,)).stddev == 0
    two = Histogram(10, 2.5, 0.1, 0.4, (bucket, (0.4016, 5)))
    assert two.stddev == pytest.approx(0.15)


def test_any_thread_may_read_reset_and_close_a_monitor(loop: rloop.RLoop) -> None:
    failed: list[threading.ExceptHookArgs] = []
    done = threading.Event()

    async def main() -> None:
        while not done.is_set():
            await asyncio.sleep(0)

    def together(*functions: Callable[[], object]) -> None:
        threads = [threading.Thread(target=function) for function in functions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def come_and_go() -> None:
        for _ in range(ROUNDS):
            monitor = rloop.monitor(loop, threshold=None)
            together(monitor.snapshot, monitor.close, monitor.close, monitor.reset)
            assert monitor.callback_duration.count >= 0

    running = threading.Thread(target=lambda: loop.run_until_complete(main()))
    running.start()
    with mock.patch("threading.excepthook", failed.append):
        together(*[come_and_go] * 3)
    done.set()
    running.join()
    assert not failed
    assert not loop._monitors


def test_histograms_can_be_read_while_the_loop_runs(loop: rloop.RLoop) -> None:
    counts: list[int] = []
    done = threading.Event()

    def look(monitor: Monitor) -> None:
        while not done.is_set():
            durations = monitor.callback_duration
            assert durations.count == sum(n for _, n in durations.buckets)
            counts.append(durations.count)

    async def main() -> None:
        for _ in range(1000):
            await asyncio.sleep(0)

    with rloop.monitor(loop, threshold=None) as monitor:
        thread = threading.Thread(target=look, args=(monitor,))
        thread.start()
        loop.run_until_complete(main())
        done.set()
        thread.join()
    assert counts == sorted(counts)
