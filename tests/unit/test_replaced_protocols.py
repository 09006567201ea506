"""A protocol is replaced by a `BufferedProtocol` while data waits for it: each call takes its own.

With asyncio what waits is in the kernel, and each turn of the loop fills one buffer.
"""

import asyncio
import time
from collections.abc import Callable

import pytest

from tests.conftest import Loop
from tests.unit.connections import (
    BufferedRecorder,
    Connection,
    Connector,
    Recorder,
    turns,
    until,
    until_received,
)

DATA = b"0123456789"
A_BUFFER = 3


class Buffered(BufferedRecorder):
    """Does something after each update."""

    def __init__(self, then: Callable[[], object] = lambda: None, size: int = A_BUFFER) -> None:
        super().__init__(size)
        self.then = then

    def buffer_updated(self, nbytes: int) -> None:
        super().buffer_updated(nbytes)
        self.then()


def let_wait(connection: Connection[Recorder], protocol: asyncio.BaseProtocol) -> None:
    """Data is there, and its protocol is replaced in the same turn of the loop, before it."""
    connection.peer.send(DATA)
    time.sleep(0.001)  # so long that a loop asks the kernel even while calls are ready
    asyncio.get_running_loop().call_soon(connection.transport.set_protocol, protocol)


async def test_one_buffer_is_filled_a_turn(connect: Connector) -> None:
    connection = await connect(Recorder)
    protocol = Buffered()
    let_wait(connection, protocol)
    await turns(1)
    seen = [len(protocol.received)]
    for _ in range(4):
        await turns(1)
        seen.append(len(protocol.received))
    assert seen == [0, 3, 6, 9, 10]
    assert protocol.received == DATA
    assert connection.protocol.received == b""


async def test_an_update_pauses_with_data_left(connect: Connector) -> None:
    connection = await connect(Recorder)
    protocol = Buffered(then=connection.transport.pause_reading)
    let_wait(connection, protocol)
    for size in (3, 6, 9, 10):
        await until_received(protocol, size)
        await turns(5)
        assert protocol.received == DATA[:size]
        connection.transport.resume_reading()


async def test_pausing_and_resuming_within_a_turn_fills_one_buffer(connect: Connector) -> None:
    connection = await connect(Recorder)

    def pause_and_resume() -> None:
        connection.transport.pause_reading()
        connection.transport.resume_reading()

    protocol = Buffered(then=pause_and_resume)
    let_wait(connection, protocol)
    await turns(2)
    assert protocol.received == DATA[:3]
    await turns(1)
    assert protocol.received == DATA[:6]
    await until_received(protocol, len(DATA))
    assert protocol.received == DATA


async def test_an_update_replaces_the_protocol_with_data_left(connect: Connector) -> None:
    connection = await connect(Recorder)
    third = Recorder()
    protocol = Buffered(then=lambda: connection.transport.set_protocol(third))
    let_wait(connection, protocol)
    await until_received(third, 7)
    assert protocol.received == DATA[:3]
    assert third.received == DATA[3:]
    assert third.calls == ["data_received"]


async def test_buffers_take_turns(connect: Connector) -> None:
    connection = await connect(Recorder)
    one, two = Buffered(size=2), Buffered(size=3)
    one.then = lambda: connection.transport.set_protocol(two)
    two.then = lambda: connection.transport.set_protocol(one)
    let_wait(connection, one)
    await turns(8)
    assert one.received == b"0156"
    assert two.received == b"234789"


@pytest.mark.parametrize("end", ["close", "abort"])
async def test_an_update_ends_the_connection_with_data_left(connect: Connector, end: str) -> None:
    connection = await connect(Recorder)
    protocol = Buffered(then=getattr(connection.transport, end))
    let_wait(connection, protocol)
    await turns(5)
    assert protocol.received == DATA[:3]
    assert protocol.calls == ["buffer_updated", "connection_lost"]


async def test_the_end_comes_after_all_the_data(connect: Connector) -> None:
    connection = await connect(Recorder)
    protocol = Buffered()
    let_wait(connection, protocol)
    connection.peer.socket.close()
    await until(lambda: protocol.is_lost)
    assert protocol.received == DATA
    assert protocol.calls == ["buffer_updated"] * 4 + ["eof_received", "connection_lost"]


@pytest.mark.parametrize(
    ("protocol", "method", "error"),
    [
        (Buffered(then=lambda: 1 / 0), "buffer_updated", ZeroDivisionError),
        (Buffered(size=0), "get_buffer", RuntimeError),
    ],
)
async def test_an_error_is_reported_under_the_methods_name(
    loop: Loop, connect: Connector, protocol: Buffered, method: str, error: type[Exception]
) -> None:
    reports: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: reports.append(context))
    connection = await connect(Recorder)
    let_wait(connection, protocol)
    await turns(5)
    (report,) = reports
    assert report["message"] == f"Fatal error: protocol.{method}() call failed."
    assert isinstance(report["exception"], error)
    assert protocol.lost_with is report["exception"]


async def test_data_for_nobody_ends_the_connection(loop: Loop, connect: Connector) -> None:
    reports: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: reports.append(context))
    connection = await connect(Recorder)
    connection.transport.set_protocol(None)  # type: ignore[arg-type]
    connection.peer.send(DATA)
    assert await connection.peer.receive_everything_soon() == b""  # and no reset: it was read
    received, lost = reports
    assert received["message"] == "Fatal error: protocol.data_received() call failed."
    assert "no attribute 'data_received'" in str(received["exception"])
    assert "no attribute 'connection_lost'" in str(lost["exception"])
