"""Loops whose clock is another one: put there by a test, or a subclass's."""

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest

from tests.conftest import Loop, LoopFactory, run_one_iteration

HOUR = 3600.0


class Traveller:
    """A clock that may be put forward."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


@pytest.fixture
def clock() -> Traveller:
    return Traveller()


def _with_attribute(factory: LoopFactory, clock: Traveller) -> Loop:
    loop = factory()
    loop.time = clock  # type: ignore[method-assign]
    return loop


def _of_subclass(factory: Any, clock: Traveller) -> Loop:
    class Subclass(factory):  # type: ignore[misc]  # a class
        def time(self) -> float:
            return clock()

    return Subclass()


@pytest.fixture(params=[_with_attribute, _of_subclass])
def travelling(
    loop_factory: LoopFactory, clock: Traveller, request: pytest.FixtureRequest
) -> Iterator[Loop]:
    """A loop with that clock."""
    make: Callable[[LoopFactory, Traveller], Loop] = request.param
    loop = make(loop_factory, clock)
    yield loop
    loop.close()


def test_call_later_asks_the_clock(travelling: Loop, clock: Traveller) -> None:
    clock.ahead = HOUR
    when = travelling.call_later(60, print).when()
    assert HOUR + 59 < when - time.monotonic() <= HOUR + 60
    by_name = travelling.call_later(delay=60, callback=print)
    assert when <= by_name.when() < when + 1


def test_a_clock_put_forward_makes_timers_due(travelling: Loop, clock: Traveller) -> None:
    ran: list[str] = []
    travelling.call_later(HOUR, ran.append, "hour")
    travelling.call_later(HOUR / 2, ran.append, "half an hour")
    travelling.call_later(2 * HOUR, pytest.fail, "too early")
    run_one_iteration(travelling)
    assert ran == []
    clock.ahead = HOUR + 1
    run_one_iteration(travelling)
    assert ran == ["half an hour", "hour"]


def test_time_travel_ends_a_sleep(travelling: Loop, clock: Traveller) -> None:
    async def main() -> list[str]:
        log = []

        async def sleeper() -> None:
            await asyncio.sleep(HOUR)
            log.append("woken")

        task = asyncio.create_task(sleeper())
        await asyncio.sleep(0)
        assert not log
        clock.ahead = HOUR
        await task
        return log

    assert travelling.run_until_complete(main()) == ["woken"]


def test_a_timer_waits_by_the_clock(travelling: Loop, clock: Traveller) -> None:
    clock.ahead = -HOUR
    before = time.monotonic()
    travelling.run_until_complete(asyncio.sleep(0.02))
    assert 0.02 <= time.monotonic() - before < 20


def test_io_comes_between_ready_calls_and_timers(travelling: Loop, clock: Traveller) -> None:
    ran: list[str] = []
    wake, waiting = socket.socketpair()
    with wake, waiting:
        wake.send(b"x")
        travelling.add_reader(waiting, lambda: (waiting.recv(1), ran.append("reader")))
        travelling.call_later(0, ran.append, "timer")
        travelling.call_soon(ran.append, "call")
        run_one_iteration(travelling)
        travelling.remove_reader(waiting)
    assert ran == ["call", "reader", "timer"]


def test_a_callback_that_raises_leaves_the_others(
    travelling: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    ran: list[int] = []
    travelling.call_soon(ran.append, 1)
    travelling.call_soon(int, "no number")
    travelling.call_later(0, int, "no number either")
    travelling.call_soon(ran.append, 2)
    travelling.call_later(0.001, travelling.stop)
    travelling.run_forever()
    assert ran == [1, 2]
    assert len(caplog.records) == 2
    caplog.clear()


def test_a_clock_that_raises_ends_the_run_and_nothing_is_lost(loop: Loop) -> None:
    ran: list[str] = []
    loop.call_later(0, ran.append, "timer")
    with mock.patch.object(loop, "time", side_effect=ZeroDivisionError):
        loop.call_soon(ran.append, "call")
        with pytest.raises(ZeroDivisionError):
            loop.run_forever()
    loop.call_later(0.001, loop.stop)
    loop.run_forever()
    assert sorted(ran) == ["call", "timer"]


def test_a_clock_may_come_and_go_while_the_loop_runs(loop: Loop) -> None:
    async def main() -> None:
        hour = asyncio.ensure_future(asyncio.sleep(HOUR))
        await asyncio.sleep(0)
        now = loop.time()
        with mock.patch.object(loop, "time") as clock:
            clock.return_value = now
            await asyncio.sleep(0)
            assert loop.call_later(1, print).when() == now + 1
            clock.return_value = now + HOUR + 1
            await hour
        assert loop.time() < now + HOUR
        await asyncio.sleep(0.001)
        await asyncio.wait_for(asyncio.sleep(0.001), 20)

    loop.run_until_complete(main())


def test_a_clock_is_taken_away_by_del(loop: Loop) -> None:
    with pytest.raises(AttributeError):
        del loop.time
    loop.time = Traveller()  # type: ignore[method-assign]
    del loop.time
    assert abs(loop.time() - time.monotonic()) < 1


def test_a_subclass_asks_the_clock_of_its_base(loop_factory: Any) -> None:
    class Subclass(loop_factory):  # type: ignore[misc]
        def time(self) -> float:
            assert abs(loop_factory.time(self) - super().time()) < 1
            return super().time() + HOUR  # type: ignore[no-any-return]

    loop = Subclass()
    loop.run_until_complete(asyncio.sleep(0.001))
    assert loop.time() > time.monotonic() + HOUR / 2
    loop.close()


def test_a_clock_that_was_taken_away_does_not_stop_the_time(loop: Loop) -> None:
    with mock.patch.object(loop, "time", return_value=loop.time()):
        run_one_iteration(loop)
    loop.run_until_complete(asyncio.sleep(0.001))


def test_the_class_may_be_given_another_clock_for_a_time(loop_factory: LoopFactory) -> None:
    with mock.patch.object(loop_factory, "time", Traveller()):
        loop = loop_factory()
        loop.run_until_complete(asyncio.sleep(0.001))
    loop.run_until_complete(asyncio.sleep(0.001))
    loop.close()


def test_debug_mode_and_another_clock_go_together(
    loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    times = iter(range(1_000_000))
    with mock.patch.object(loop, "time", side_effect=times):
        loop.set_debug(True)
        loop.call_later(3, loop.stop)
        loop.run_forever()
    assert "took 1.000 seconds" in caplog.text
