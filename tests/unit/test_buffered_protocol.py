"""Protocols that give their transport the buffer to read into."""

import asyncio
import socket
from typing import Any

import pytest

from tests.conftest import Loop
from tests.unit.connections import (
    BufferedRecorder,
    Connector,
    Recorder,
    turns,
    until,
    until_received,
)


@pytest.fixture
def reports(loop: Loop) -> list[dict[str, Any]]:
    """What the loop reports to its exception handler."""
    reports: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: reports.append(context))
    return reports


async def test_data_is_read_into_the_buffer(connect: Connector) -> None:
    connection = await connect(BufferedRecorder)
    connection.peer.send(b"into the buffer")
    await until(lambda: connection.protocol.received)
    assert connection.protocol.received == b"into the buffer"
    assert connection.protocol.buffer.startswith(b"into the buffer")


async def test_data_larger_than_the_buffer_comes_in_pieces(connect: Connector) -> None:
    connection = await connect(lambda: BufferedRecorder(size=7))
    connection.peer.send(b"0123456789" * 100)
    await until(lambda: len(connection.protocol.received) == 1000)
    assert connection.protocol.received == b"0123456789" * 100
    assert connection.protocol.calls.count("buffer_updated") >= 1000 // 7


async def test_big_data_is_read_whole(connect: Connector) -> None:
    connection = await connect(lambda: BufferedRecorder(size=256 * 1024))
    data = bytes(range(256)) * 20_000
    sending = asyncio.get_running_loop().run_in_executor(None, connection.peer.send, data)
    await until(lambda: len(connection.protocol.received) == len(data))
    await sending
    assert connection.protocol.received == data


async def test_the_size_hint_is_minus_one(connect: Connector) -> None:
    hints: list[int] = []

    class Hints(BufferedRecorder):
        def get_buffer(self, sizehint: int) -> bytearray:
            hints.append(sizehint)
            return super().get_buffer(sizehint)

    connection = await connect(Hints)
    connection.peer.send(b"x")
    await until(lambda: connection.protocol.received)
    assert set(hints) == {-1}


async def test_a_new_buffer_each_time_is_fine(connect: Connector) -> None:
    class Fresh(BufferedRecorder):
        def get_buffer(self, sizehint: int) -> bytearray:
            self.buffer = bytearray(3)
            return self.buffer

    connection = await connect(Fresh)
    connection.peer.send(b"0123456789")
    await until(lambda: len(connection.protocol.received) == 10)
    assert connection.protocol.received == b"0123456789"


async def test_a_memoryview_is_a_buffer(connect: Connector) -> None:
    class Sliced(BufferedRecorder):
        def get_buffer(self, sizehint: int) -> memoryview:  # type: ignore[override]
            return memoryview(self.buffer)[len(self.received) :]

        def buffer_updated(self, nbytes: int) -> None:
            start = len(self.received)
            self.received += self.buffer[start : start + nbytes]

    connection = await connect(Sliced)
    for number in range(10):
        connection.peer.send(b"%d" % number)
        await until_received(connection.protocol, number + 1)
    assert connection.protocol.buffer.startswith(b"0123456789")


async def test_the_buffer_is_free_to_change_after_buffer_updated(connect: Connector) -> None:
    class Shrinking(BufferedRecorder):
        def buffer_updated(self, nbytes: int) -> None:
            super().buffer_updated(nbytes)
            self.buffer.extend(b"!")  # fails with BufferError while the buffer is held

    connection = await connect(Shrinking)
    for number in range(3):
        connection.peer.send(b"x")
        await until_received(connection.protocol, number + 1)


async def test_the_end_is_told(connect: Connector) -> None:
    connection = await connect(BufferedRecorder)
    connection.peer.send(b"x")
    connection.peer.socket.close()
    await until(lambda: connection.protocol.is_lost)
    assert connection.protocol.calls == [
        "connection_made", "buffer_updated", "eof_received", "connection_lost",
    ]  # fmt: skip


@pytest.mark.parametrize("is_reset", [False, True])
async def test_the_end_is_told_before_what_get_buffer_scheduled(
    connect: Connector, is_reset: bool
) -> None:
    class Hasty(BufferedRecorder):
        def get_buffer(self, sizehint: int) -> bytearray:
            asyncio.get_running_loop().call_soon(connection.transport.close)
            return super().get_buffer(sizehint)

    connection = await connect(Hasty)
    protocol = connection.protocol
    if is_reset:
        connection.peer.reset()
    else:
        connection.peer.socket.close()
    await until(lambda: protocol.is_lost)
    assert ("eof_received" in protocol.calls) == (not is_reset)
    assert isinstance(protocol.lost_with, ConnectionResetError) == is_reset


async def test_pausing_in_buffer_updated_holds_back_the_rest(connect: Connector) -> None:
    class OneByOne(BufferedRecorder):
        def __init__(self) -> None:
            super().__init__(size=1)

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            self.transport = transport

        def buffer_updated(self, nbytes: int) -> None:
            super().buffer_updated(nbytes)
            self.transport.pause_reading()

    connection = await connect(OneByOne)
    connection.peer.send(b"abc")
    for expected in (b"a", b"ab", b"abc"):
        await until_received(connection.protocol, len(expected))
        await asyncio.sleep(0.003)
        assert bytes(connection.protocol.received) == expected
        connection.transport.resume_reading()


async def test_an_empty_buffer_is_reported_and_ends_the_connection(
    connect: Connector, reports: list[dict[str, Any]]
) -> None:
    connection = await connect(lambda: BufferedRecorder(size=0))
    connection.peer.send(b"x")
    await until(lambda: connection.protocol.is_lost)
    (report,) = reports
    assert report["message"] == "Fatal error: protocol.get_buffer() call failed."
    assert isinstance(report["exception"], RuntimeError)
    assert str(report["exception"]) == "get_buffer() returned an empty buffer"
    assert report["transport"] is connection.transport
    assert report["protocol"] is connection.protocol
    assert connection.protocol.lost_with is report["exception"]


@pytest.mark.parametrize(
    ("bad", "message", "error"),
    [
        (None, "protocol.get_buffer() call failed.", "object of type 'NoneType' has no len()"),
        (5, "protocol.get_buffer() call failed.", "object of type 'int' has no len()"),
        ("text", "read error on socket transport", "must be read-write bytes-like object, not str"),
        (b"fixed", "read error on socket transport", "read-write bytes-like object, not bytes"),
        (memoryview(b"fixed"), "read error on socket transport", "not memoryview"),
        (memoryview(bytearray(8))[::2], "read error on socket transport", "not memoryview"),
    ],
)
async def test_what_is_no_buffer_is_refused_in_pythons_words(
    connect: Connector, reports: list[dict[str, Any]], bad: object, message: str, error: str
) -> None:
    class Bad(BufferedRecorder):
        def get_buffer(self, sizehint: int) -> Any:
            return bad

    connection = await connect(Bad)
    connection.peer.send(b"x")
    await until(lambda: connection.protocol.is_lost)
    (report,) = reports
    assert report["message"].endswith(message)
    assert type(report["exception"]) is TypeError
    assert str(report["exception"]).endswith(error)
    assert connection.protocol.lost_with is report["exception"]
    assert connection.protocol.received == b""


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("get_buffer", "Fatal error: protocol.get_buffer() call failed."),
        ("buffer_updated", "Fatal error: protocol.buffer_updated() call failed."),
        ("eof_received", "Fatal error: protocol.eof_received() call failed."),
    ],
)
async def test_a_method_that_raises_is_reported_and_ends_the_connection(
    connect: Connector, reports: list[dict[str, Any]], method: str, message: str
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    connection = await connect(BufferedRecorder)
    setattr(connection.protocol, method, fail)
    connection.peer.send(b"x")
    connection.peer.socket.shutdown(socket.SHUT_WR)
    await until(lambda: connection.protocol.is_lost)
    (report,) = reports
    assert report["message"] == message
    assert isinstance(report["exception"], ZeroDivisionError)
    assert connection.protocol.lost_with is report["exception"]


@pytest.mark.parametrize("bad", [b"read-only", 42, None, "text"])
async def test_what_is_not_a_writable_buffer_is_reported(
    connect: Connector, reports: list[dict[str, Any]], bad: object
) -> None:
    class Bad(BufferedRecorder):
        def get_buffer(self, sizehint: int) -> Any:
            return bad

    connection = await connect(Bad)
    connection.peer.send(b"x")
    await until(lambda: connection.protocol.is_lost)
    (report,) = reports
    assert isinstance(report["exception"], TypeError)
    assert connection.protocol.lost_with is report["exception"]


async def test_a_buffered_protocol_writes_as_others_do(connect: Connector) -> None:
    connection = await connect(BufferedRecorder)
    connection.transport.write(b"x" * 1_000_000)
    connection.transport.close()
    assert await connection.peer.receive_everything_soon() == b"x" * 1_000_000


async def test_a_protocol_is_buffered_by_its_class_not_by_its_methods(connect: Connector) -> None:
    class Both(Recorder):
        def get_buffer(self, sizehint: int) -> bytearray:
            pytest.fail("not a BufferedProtocol")

        def buffer_updated(self, nbytes: int) -> None:
            pytest.fail("not a BufferedProtocol")

    connection = await connect(Both)
    connection.peer.send(b"x")
    await until(lambda: connection.protocol.received == b"x")
    await turns()
