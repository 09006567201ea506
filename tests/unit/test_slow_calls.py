"""Rules of slow calls, as a monitor tells of them."""

import asyncio
import logging
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

import rloop
from rloop.metrics.slow_calls import SlowCall
from tests.unit import own_loops

BLOCK_SECONDS = 0.03
THRESHOLD_SECONDS = 0.02


@pytest.fixture(params=own_loops.KINDS)
def loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[rloop.RLoop]:
    yield from own_loops.make(request.param, monkeypatch)


def block(seconds: float = BLOCK_SECONDS) -> None:
    time.sleep(seconds)


def run_calls(loop: rloop.RLoop) -> None:
    loop.call_soon(loop.stop)
    loop.run_forever()


async def waits() -> None:
    block()
    await asyncio.sleep(BLOCK_SECONDS)  # where it waits


async def outer() -> None:
    await waits()


@pytest.mark.parametrize("debug", [False, True])
def test_a_slow_step_is_told_with_its_task(loop: rloop.RLoop, debug: bool) -> None:
    seen: list[SlowCall] = []
    loop.set_debug(debug)
    loop.slow_callback_duration = 60
    with rloop.monitor(loop, threshold=THRESHOLD_SECONDS, on_slow=seen.append):
        task = loop.create_task(outer(), name="the slow one")
        loop.run_until_complete(task)
    (slow, *_) = [slow for slow in seen if slow.task_name is not None]
    assert slow.duration >= BLOCK_SECONDS
    assert slow.task_name == "the slow one"
    assert slow.callback == "outer"
    assert slow.place is not None
    assert slow.place.startswith(__file__)
    assert slow.place.endswith(" in waits")
    if sys.version_info >= (3, 14):
        assert slow.call_graph.future is task
    else:
        assert slow.call_graph is None


def test_a_slow_callback_is_told_with_its_function(loop: rloop.RLoop) -> None:
    seen: list[SlowCall] = []
    with rloop.monitor(loop, threshold=THRESHOLD_SECONDS, on_slow=seen.append):
        loop.call_soon(block)
        loop.call_later(0.001, block, BLOCK_SECONDS)
        loop.call_later(0.002, loop.stop)
        loop.run_forever()
    first, second = seen[:2]
    assert "block()" in first.callback
    assert __file__ in first.callback
    assert "block()" in second.callback  # without its arguments, which may be secrets
    assert first.task_name is first.place is first.call_graph is None


class Blocking(asyncio.BufferedProtocol):
    """Is slow with what it receives."""

    def get_buffer(self, _: int) -> bytearray:
        return bytearray(1)

    def buffer_updated(self, _: int) -> None:
        block()


def test_a_protocol_s_slow_call_is_told_with_its_class(
    loop: rloop.RLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    seen: list[SlowCall] = []

    async def main() -> None:
        transport, _ = await loop.create_connection(Blocking, sock=pair[0])
        pair[1].send(b"x")
        while not any(slow.callback.endswith(" for Blocking") for slow in seen):
            await asyncio.sleep(0.001)
        transport.close()
        await asyncio.sleep(0)

    with rloop.monitor(loop, threshold=THRESHOLD_SECONDS, on_slow=seen.append):
        loop.run_until_complete(asyncio.wait_for(main(), 10))


def test_what_cannot_be_described_is_told_all_the_same(loop: rloop.RLoop) -> None:
    class Unprintable:
        def __call__(self) -> None:
            block()

        def __repr__(self) -> str:
            raise ZeroDivisionError

    seen: list[SlowCall] = []
    with rloop.monitor(loop, threshold=THRESHOLD_SECONDS, on_slow=seen.append):
        loop.call_soon(Unprintable())
        run_calls(loop)
    assert "Unprintable, which raises ZeroDivisionError when described, took" in str(seen[0])
    assert seen[0].duration >= BLOCK_SECONDS


def test_a_task_that_ends_by_its_slow_step_has_a_place_all_the_same(loop: rloop.RLoop) -> None:
    async def main() -> None:
        block()

    seen: list[SlowCall] = []
    with rloop.monitor(loop, threshold=THRESHOLD_SECONDS, on_slow=seen.append):
        loop.run_until_complete(main())
        run_calls(loop)
    assert seen[0].place is not None
    assert __file__ in seen[0].place
    assert "main" in seen[0].callback


def test_slow_calls_are_logged(loop: rloop.RLoop, caplog: pytest.LogCaptureFixture) -> None:
    with rloop.monitor(loop, threshold=THRESHOLD_SECONDS):
        loop.run_until_complete(loop.create_task(outer(), name="the slow one"))
    (record, *_) = [one for one in caplog.records if one.name == "rloop.monitor"]
    assert record.levelno == logging.WARNING
    assert "task 'the slow one', outer took 0.0" in record.getMessage()


def test_each_monitor_has_a_threshold_of_its_own(loop: rloop.RLoop) -> None:
    low: list[SlowCall] = []
    high: list[SlowCall] = []
    with (
        rloop.monitor(loop, threshold=THRESHOLD_SECONDS, on_slow=low.append),
        rloop.monitor(loop, threshold=60, on_slow=high.append),
    ):
        loop.call_soon(block)
        run_calls(loop)
    assert low
    assert not high


def test_an_on_slow_that_raises_is_reported_and_nothing_else(loop: rloop.RLoop) -> None:
    reported: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: reported.append(context))

    def fail(_: SlowCall) -> None:
        raise ZeroDivisionError

    with rloop.monitor(loop, threshold=THRESHOLD_SECONDS, on_slow=fail) as monitor:
        loop.call_soon(block)
        loop.call_soon(int)
        run_calls(loop)
    assert isinstance(reported[0]["exception"], ZeroDivisionError)
    assert monitor.callback_duration.count == 3


def test_a_slow_on_slow_is_not_measured(loop: rloop.RLoop) -> None:
    seen: list[SlowCall] = []

    def tell(slow: SlowCall) -> None:
        block()
        seen.append(slow)

    with rloop.monitor(loop, threshold=0, on_slow=tell) as monitor:
        loop.call_soon(int)
        run_calls(loop)
    assert monitor.callback_duration.count == len(seen) == 2


def test_a_call_that_raises_is_measured_and_reported(loop: rloop.RLoop) -> None:
    reported: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: reported.append(context))
    seen: list[SlowCall] = []

    def fail() -> None:
        block()
        raise ZeroDivisionError

    with rloop.monitor(loop, threshold=THRESHOLD_SECONDS, on_slow=seen.append):
        handle = loop.call_soon(fail)
        run_calls(loop)
    assert reported[0]["handle"] is handle
    assert "fail" in seen[0].callback
