"""When a loop runs and when it stops: an iteration that has begun is always finished."""

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.conftest import Loop, LoopFactory, forget


@contextmanager
def running_in_a_thread(loop: Loop) -> Iterator[None]:
    started = threading.Event()
    loop.call_soon(started.set)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    started.wait()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def test_stop_before_run_forever_makes_one_iteration(loop: Loop) -> None:
    ran: list[str] = []
    loop.call_soon(lambda: (ran.append("once"), loop.call_soon(ran.append, "twice")))
    loop.stop()
    loop.run_forever()
    assert ran == ["once"]


def test_stop_inside_a_callback_lets_the_iteration_end(loop: Loop) -> None:
    ran: list[str] = []
    loop.call_soon(ran.append, "before")
    loop.call_soon(loop.stop)
    loop.call_soon(ran.append, "after")
    loop.run_forever()
    assert ran == ["before", "after"]


def test_what_is_scheduled_after_stop_runs_when_the_loop_runs_again(loop: Loop) -> None:
    ran: list[str] = []
    loop.call_soon(lambda: (loop.stop(), loop.call_soon(ran.append, "later")))
    loop.run_forever()
    assert ran == []
    loop.stop()
    loop.run_forever()
    assert ran == ["later"]


def test_stop_twice_stops_one_run(loop: Loop) -> None:
    loop.stop()
    loop.stop()
    loop.run_forever()
    loop.call_later(0.01, loop.stop)
    start = loop.time()
    loop.run_forever()
    assert loop.time() - start >= 0.009


def test_a_loop_runs_many_times(loop: Loop) -> None:
    for number in range(100):
        assert loop.run_until_complete(asyncio.sleep(0, number)) == number


def test_is_running_is_true_only_inside_run(loop: Loop) -> None:
    seen: list[bool] = []
    loop.call_soon(lambda: seen.append(loop.is_running()))
    loop.stop()
    assert not loop.is_running()
    loop.run_forever()
    assert seen == [True]
    assert not loop.is_running()


def test_the_running_loop_is_known_inside_callbacks(loop: Loop) -> None:
    seen: list[asyncio.AbstractEventLoop] = []
    loop.call_soon(lambda: seen.append(asyncio.get_running_loop()))
    loop.stop()
    loop.run_forever()
    assert seen == [loop]
    with pytest.raises(RuntimeError, match="no running event loop"):
        asyncio.get_running_loop()


def test_run_until_complete_gives_the_result(loop: Loop) -> None:
    async def answer() -> int:
        return 42

    assert loop.run_until_complete(answer()) == 42


def test_run_until_complete_raises_what_the_coroutine_raised(loop: Loop) -> None:
    async def fail() -> None:
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        loop.run_until_complete(fail())


def test_run_until_complete_takes_a_future(loop: Loop) -> None:
    future = loop.create_future()
    loop.call_later(0.001, future.set_result, "done")
    assert loop.run_until_complete(future) == "done"


def test_run_until_complete_raises_when_the_loop_is_stopped_first(loop: Loop) -> None:
    future = loop.create_future()
    loop.call_soon(loop.stop)
    with pytest.raises(RuntimeError, match=r"^Event loop stopped before Future completed\.$"):
        loop.run_until_complete(future)


def test_run_until_complete_refuses_a_future_of_another_loop(
    loop: Loop, loop_factory: LoopFactory
) -> None:
    other = loop_factory()
    with pytest.raises(ValueError, match="belongs to a different loop"):
        loop.run_until_complete(other.create_future())
    other.close()


def test_run_until_complete_refuses_what_cannot_be_awaited(loop: Loop) -> None:
    with pytest.raises(TypeError, match="An asyncio.Future, a coroutine or an awaitable"):
        loop.run_until_complete(42)  # type: ignore[arg-type]


def test_running_a_running_loop_is_refused(loop: Loop) -> None:
    async def run_again() -> None:
        loop.run_forever()

    with pytest.raises(RuntimeError, match="^This event loop is already running$"):
        loop.run_until_complete(run_again())


def test_running_another_loop_inside_a_running_one_is_refused(
    loop: Loop, loop_factory: LoopFactory
) -> None:
    other = loop_factory()

    async def run_other() -> None:
        other.run_forever()

    message = "^Cannot run the event loop while another loop is running$"
    with pytest.raises(RuntimeError, match=message):
        loop.run_until_complete(run_other())
    other.close()


def test_running_a_loop_that_runs_in_another_thread_is_refused(loop: Loop) -> None:
    with (
        running_in_a_thread(loop),
        pytest.raises(RuntimeError, match="^This event loop is already running$"),
    ):
        loop.run_forever()


def test_a_loop_runs_in_another_thread_than_it_was_made_in(loop: Loop) -> None:
    results: list[int] = []

    def run() -> None:
        results.append(loop.run_until_complete(asyncio.sleep(0.001, 7)))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert results == [7]
    assert loop.run_until_complete(asyncio.sleep(0, 8)) == 8


def test_loops_run_in_several_threads_at_once(loop_factory: LoopFactory) -> None:
    results: list[int] = []

    def run(number: int) -> None:
        loop = loop_factory()
        try:
            results.append(loop.run_until_complete(asyncio.sleep(0.01, number)))
        finally:
            loop.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == list(range(8))


def test_an_idle_loop_costs_no_cpu(loop: Loop) -> None:
    before = time.thread_time()
    loop.run_until_complete(asyncio.sleep(0.5))
    assert time.thread_time() - before < 0.25


def test_time_is_the_monotonic_clock(loop: Loop) -> None:
    before = time.monotonic()
    now = loop.time()
    assert isinstance(now, float)
    assert before <= now <= time.monotonic()


def test_a_loop_is_a_selector_event_loop(loop: Loop) -> None:
    assert isinstance(loop, asyncio.AbstractEventLoop)
    assert isinstance(loop, asyncio.SelectorEventLoop)


def test_repr_tells_the_state_of_the_loop(loop: Loop) -> None:
    name = type(loop).__name__
    assert name in repr(loop)
    assert "running=False closed=False debug=False" in repr(loop)
    loop.close()
    assert "closed=True" in repr(loop)


def test_a_loop_dropped_without_being_closed_warns(loop_factory: LoopFactory) -> None:
    kept: list[object] = [loop_factory()]
    with pytest.warns(ResourceWarning, match="unclosed event loop"):
        forget(kept)


@pytest.mark.parametrize("rounds", [200])
def test_loops_are_made_and_closed_without_leaking_descriptors(
    loop_factory: LoopFactory, rounds: int
) -> None:
    def descriptors() -> int:
        return len(os.listdir("/proc/self/fd"))

    loop_factory().close()
    before = descriptors()
    for _ in range(rounds):
        loop = loop_factory()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
    assert descriptors() <= before
