"""TLS for protocols that give their transport a buffer to read into."""

import asyncio
import random
import ssl
import time
from collections.abc import Callable

import pytest

from tests.unit.connections import Recorder, turns, until, until_lost, until_received
from tests.unit.tls.peers import TlsConnection, TlsConnector, ViewRecorder

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
DATA = random.Random(4).randbytes(100_000)
A_BUFFER = 1000


def on_update(connection: TlsConnection[ViewRecorder], call: Callable[[int], None]) -> None:
    """Replaces ``buffer_updated``, which asyncio looks up when it is given the protocol."""
    connection.protocol.buffer_updated = call  # type: ignore[method-assign, assignment]
    connection.transport.set_protocol(connection.protocol)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("size", [1, 1000, 16384, 16385, 1 << 20])
async def test_buffers_of_any_size_are_filled(
    connect: TlsConnector, size: int, version: ssl.TLSVersion
) -> None:
    connection = await connect(lambda: ViewRecorder(size), version=version)
    data = DATA[: 500 * size]
    await connection.peer.send(data)
    await until_received(connection.protocol, len(data))
    assert connection.protocol.received == data


async def test_what_fits_is_told_at_once(connect: TlsConnector) -> None:
    """Several records are one update."""
    connection = await connect(lambda: ViewRecorder(1 << 20))
    await connection.peer.send_ciphertext(
        b"".join(connection.peer.seal(piece) for piece in (b"one", b"two", b"three"))
    )
    await until_received(connection.protocol, 11)
    assert connection.protocol.received == b"onetwothree"
    assert connection.protocol.calls.count("buffer_updated") == 1


async def test_an_update_can_pause_with_data_left(connect: TlsConnector) -> None:
    connection = await connect(lambda: ViewRecorder(A_BUFFER))
    updated = connection.protocol.buffer_updated

    def pause(nbytes: int) -> None:
        updated(nbytes)
        connection.transport.pause_reading()

    on_update(connection, pause)
    data = DATA[: 5 * A_BUFFER]
    await connection.peer.send(data)
    for updates in range(1, 6):
        await until_received(connection.protocol, updates * A_BUFFER)
        await turns(5)
        assert connection.protocol.received == data[: updates * A_BUFFER]
        connection.transport.resume_reading()
    on_update(connection, updated)
    connection.transport.resume_reading()
    await connection.peer.send(b"after")
    await until_received(connection.protocol, len(data) + 5)
    assert connection.protocol.received == data + b"after"


async def test_what_a_buffer_had_no_room_for_goes_to_the_next_protocol(
    connect: TlsConnector,
) -> None:
    connection = await connect(lambda: ViewRecorder(A_BUFFER))
    updated = connection.protocol.buffer_updated
    second = Recorder()

    def give_up(nbytes: int) -> None:
        updated(nbytes)
        connection.transport.set_protocol(second)

    on_update(connection, give_up)
    data = DATA[:50_000]
    await connection.peer.send(data)
    await until_received(second, len(data) - A_BUFFER)
    await connection.peer.send(b"after")
    await until_received(second, len(data) - A_BUFFER + 5)
    assert connection.protocol.received + second.received == data + b"after"


async def test_a_buffer_takes_over_from_a_plain_protocol(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    second = ViewRecorder(A_BUFFER)
    received = connection.protocol.data_received

    def give_up(data: bytes) -> None:
        received(data)
        connection.transport.set_protocol(second)

    connection.protocol.data_received = give_up  # type: ignore[method-assign]
    await connection.peer.send(b"first")
    await until_received(connection.protocol, 5)
    await connection.peer.send(DATA)
    await until_received(second, len(DATA))
    assert connection.protocol.received == b"first"
    assert second.received == DATA


def replace_before_data(
    connection: TlsConnection[Recorder], protocol: asyncio.BaseProtocol, ciphertext: bytes
) -> None:
    """Data is there, and its protocol is replaced in the same turn of the loop, before it."""
    connection.peer.socket.send(ciphertext)
    time.sleep(0.001)  # so long that a loop asks the kernel even while calls are ready
    asyncio.get_running_loop().call_soon(connection.transport.set_protocol, protocol)


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_buffer_that_takes_over_can_pause_with_data_left(
    connect: TlsConnector, version: ssl.TLSVersion
) -> None:
    connection = await connect(Recorder, version=version)
    await connection.peer.send(b"first")
    await until_received(connection.protocol, 5)
    second = ViewRecorder(A_BUFFER)
    updated = second.buffer_updated

    def pause(nbytes: int) -> None:
        updated(nbytes)
        connection.transport.pause_reading()

    second.buffer_updated = pause  # type: ignore[method-assign]
    data = DATA[: 5 * A_BUFFER]
    replace_before_data(connection, second, connection.peer.seal(data))
    for updates in range(1, 6):
        await until_received(second, updates * A_BUFFER)
        await turns(5)
        assert second.received == data[: updates * A_BUFFER]
        connection.transport.resume_reading()
    await turns(5)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("make_second", [Recorder, lambda: ViewRecorder(A_BUFFER)])
@pytest.mark.parametrize("pauses", [False, True])
async def test_data_and_the_end_go_to_who_takes_over(
    connect: TlsConnector,
    version: ssl.TLSVersion,
    make_second: Callable[[], Recorder | ViewRecorder],
    pauses: bool,
) -> None:
    connection = await connect(Recorder, version=version)
    await connection.peer.send(b"first")
    await until_received(connection.protocol, 5)
    second = make_second()
    data = DATA[:5000]
    sealed = connection.peer.seal(data) + connection.peer.seal_close_notify()
    replace_before_data(connection, second, sealed)
    if pauses:
        asyncio.get_running_loop().call_soon(connection.transport.pause_reading)
        await turns(5)
        assert second.received == b""
        connection.transport.resume_reading()
    await until_lost(second)
    assert second.received == data
    assert second.calls[-2:] == ["eof_received", "connection_lost"]
    assert connection.protocol.received == b"first"


async def test_protocols_change_places_all_the_time(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    received = bytearray()
    choose = random.Random(5).choice

    class Plain(asyncio.Protocol):
        def data_received(self, data: bytes) -> None:
            received.extend(data)
            change()

    class Buffered(asyncio.BufferedProtocol):
        def __init__(self) -> None:
            self.view = memoryview(bytearray(A_BUFFER))

        def get_buffer(self, sizehint: int) -> memoryview:
            return self.view

        def buffer_updated(self, nbytes: int) -> None:
            received.extend(self.view[:nbytes])
            change()

    def change() -> None:
        connection.transport.set_protocol(choose([Plain, Buffered])())
        if choose([True, False]):
            connection.transport.pause_reading()
            connection.transport.resume_reading()

    change()
    for start in range(0, len(DATA), 3000):
        await connection.peer.send(DATA[start : start + 3000])
        if choose([True, False]):
            await asyncio.sleep(0)
    await until(lambda: len(received) >= len(DATA))
    assert received == DATA


async def test_an_empty_buffer_is_taken_for_the_end(connect: TlsConnector) -> None:
    connection = await connect(lambda: ViewRecorder(A_BUFFER))
    connection.protocol.buffer = bytearray()
    await connection.peer.send(b"data")
    await until(lambda: "eof_received" in connection.protocol.calls)
    await connection.peer.receive_end()
    connection.peer.socket.close()
    await until_lost(connection.protocol)
    assert not connection.protocol.received


async def test_a_buffer_that_cannot_be_written_loses_the_connection(
    connect: TlsConnector, caplog: pytest.LogCaptureFixture
) -> None:
    connection = await connect(lambda: ViewRecorder(A_BUFFER))
    connection.protocol.buffer = b"read only"  # type: ignore[assignment]
    await connection.peer.send(b"data")
    await until_lost(connection.protocol)
    assert isinstance(connection.protocol.lost_with, TypeError)
    assert "Fatal error on SSL protocol" in caplog.text
    caplog.clear()


@pytest.mark.parametrize("method", ["get_buffer", "buffer_updated"])
async def test_a_protocol_that_raises_loses_the_connection(
    connect: TlsConnector, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    connection = await connect(ViewRecorder)

    def fail(size: int) -> memoryview:
        raise ZeroDivisionError("the protocol's own")

    setattr(connection.protocol, method, fail)
    connection.transport.set_protocol(connection.protocol)
    await connection.peer.send(b"data")
    await until_lost(connection.protocol)
    assert isinstance(connection.protocol.lost_with, ZeroDivisionError)
    assert "Fatal error on SSL protocol" in caplog.text
    caplog.clear()


@pytest.mark.parametrize("error", [asyncio.CancelledError, GeneratorExit])
@pytest.mark.parametrize("method", ["get_buffer", "buffer_updated"])
async def test_what_is_no_exception_is_reported_and_ends_the_connection(
    connect: TlsConnector,
    caplog: pytest.LogCaptureFixture,
    method: str,
    error: type[BaseException],
) -> None:
    connection = await connect(ViewRecorder)

    def fail(size: int) -> memoryview:
        raise error

    setattr(connection.protocol, method, fail)
    connection.transport.set_protocol(connection.protocol)
    await connection.peer.send(b"data")
    await until_lost(connection.protocol)
    assert isinstance(connection.protocol.lost_with, error)
    assert "Fatal error: protocol.buffer_updated() call failed." in caplog.text
    caplog.clear()


async def test_nothing_is_delivered_after_abort(connect: TlsConnector) -> None:
    connection = await connect(lambda: ViewRecorder(A_BUFFER))
    updated = connection.protocol.buffer_updated

    def abort(nbytes: int) -> None:
        updated(nbytes)
        connection.transport.abort()

    on_update(connection, abort)
    await connection.peer.send(DATA[: 3 * A_BUFFER])
    await until_lost(connection.protocol)
    await turns(5)
    assert connection.protocol.received == DATA[:A_BUFFER]


async def test_an_echo_through_a_buffer(connect: TlsConnector) -> None:
    connection = await connect(lambda: ViewRecorder(A_BUFFER))

    def echo(nbytes: int) -> None:
        connection.transport.write(connection.protocol.buffer[:nbytes])

    on_update(connection, echo)
    await connection.peer.send(DATA)
    assert await connection.peer.receive(len(DATA)) == DATA
