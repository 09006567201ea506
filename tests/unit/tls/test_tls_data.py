"""What is written at one end of a TLS connection arrives at the other, however it travels."""

import asyncio
import random
import socket
import ssl
import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from tests.conftest import Loop
from tests.unit.connections import Recorder, turns, until, until_received
from tests.unit.tls.peers import TlsConnector, ViewRecorder

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
BIG = bytes(range(256)) * 4096  # more than a socket buffers, and than one read takes
LARGEST_RECORD = 16384


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("server_side", [False, True])
async def test_data_arrives_both_ways(
    connect: TlsConnector, version: ssl.TLSVersion, server_side: bool
) -> None:
    connection = await connect(Recorder, server_side=server_side, version=version)
    connection.transport.write(b"there")
    assert await connection.peer.receive(5) == b"there"
    await connection.peer.send(b"back")
    await until_received(connection.protocol, 4)
    assert connection.protocol.received == b"back"


@pytest.mark.parametrize("version", VERSIONS)
async def test_much_data_arrives_both_ways(connect: TlsConnector, version: ssl.TLSVersion) -> None:
    connection = await connect(Recorder, version=version)
    connection.transport.write(BIG)
    assert await connection.peer.receive(len(BIG)) == BIG
    await connection.peer.send(BIG)
    await until_received(connection.protocol, len(BIG))
    assert connection.protocol.received == BIG


@pytest.mark.parametrize("protocol", [Recorder, ViewRecorder])
@pytest.mark.parametrize("version", VERSIONS)
async def test_records_may_be_cut_anywhere(
    connect: TlsConnector,
    protocol: Callable[[], Recorder | ViewRecorder],
    version: ssl.TLSVersion,
) -> None:
    connection = await connect(protocol, version=version)
    data = random.Random(1).randbytes(5000)
    sealed = b"".join(
        connection.peer.seal(data[start:end])
        for start, end in pairwise([0, 1, 3, 500, 501, 3000, 5000])
    )
    for byte in sealed[:600]:
        await connection.peer.send_ciphertext(bytes([byte]))
        await asyncio.sleep(0)
    await connection.peer.send_ciphertext(sealed[600:])
    await until_received(connection.protocol, len(data))
    assert connection.protocol.received == data


async def test_what_is_incomplete_is_not_delivered(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    sealed = connection.peer.seal(b"complete") + connection.peer.seal(b"incomplete")
    await connection.peer.send_ciphertext(sealed[:-1])
    await until_received(connection.protocol, 8)
    await turns(5)
    assert connection.protocol.received == b"complete"
    await connection.peer.send_ciphertext(sealed[-1:])
    await until_received(connection.protocol, 18)


async def test_many_small_writes_keep_their_order(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    pieces = [bytes([i % 256]) * (i % 700) for i in range(1000)]
    for index, piece in enumerate(pieces):
        connection.transport.write(piece)
        if index % 100 == 0:
            await asyncio.sleep(0)
    expected = b"".join(pieces)
    assert await connection.peer.receive(len(expected)) == expected


async def test_writelines_writes_everything(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    connection.transport.writelines([b"a" * 20000, b"", bytearray(b"b"), memoryview(b"c")])
    assert await connection.peer.receive(20002) == b"a" * 20000 + b"bc"


async def test_a_buffer_may_change_after_the_write(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    data = bytearray(b"before")
    connection.transport.write(data)
    data[:] = b"after!"
    assert await connection.peer.receive(6) == b"before"


async def test_only_bytes_can_be_written(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    with pytest.raises(TypeError, match="expecting a bytes-like instance, got str"):
        connection.transport.write("text")  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [LARGEST_RECORD - 1, LARGEST_RECORD, LARGEST_RECORD + 1])
async def test_sizes_around_a_record(connect: TlsConnector, size: int) -> None:
    connection = await connect(Recorder)
    data = random.Random(size).randbytes(size)
    connection.transport.write(data)
    connection.transport.write(b"end")
    assert await connection.peer.receive(size + 3) == data + b"end"
    await connection.peer.send(data)
    await until_received(connection.protocol, size)
    assert connection.protocol.received == data


async def test_a_buffered_protocol_gets_more_than_its_buffer_holds(connect: TlsConnector) -> None:
    connection = await connect(lambda: ViewRecorder(100))
    data = random.Random(2).randbytes(50_000)
    await connection.peer.send(data)
    await until_received(connection.protocol, len(data))
    assert connection.protocol.received == data


async def test_the_protocol_can_be_changed_for_one_of_the_other_kind(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    await connection.peer.send(b"one")
    await until_received(connection.protocol, 3)
    buffered = ViewRecorder()
    connection.transport.set_protocol(buffered)
    assert connection.transport.get_protocol() is buffered
    await connection.peer.send(b"two")
    await until_received(buffered, 3)
    plain = Recorder()
    connection.transport.set_protocol(plain)
    await connection.peer.send(b"three")
    await until_received(plain, 5)
    assert connection.protocol.received == b"one"
    assert buffered.received == b"two"
    assert plain.received == b"three"


async def test_data_for_a_changed_protocol_goes_to_the_new_one(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    second = Recorder()
    connection.protocol.data_received = lambda data: connection.transport.set_protocol(second)  # type: ignore[method-assign]
    await connection.peer.send(b"first")
    await until(lambda: connection.transport.get_protocol() is second)
    await connection.peer.send(b"second")
    await until_received(second, 6)
    assert second.received == b"second"


async def test_an_echo_answers_in_the_same_order(connect: TlsConnector) -> None:
    connection = await connect(Recorder)

    def echo(data: bytes) -> None:
        connection.transport.write(data)

    connection.protocol.data_received = echo  # type: ignore[method-assign]
    data = random.Random(3).randbytes(300_000)
    for start in range(0, len(data), 10_000):
        await connection.peer.send(data[start : start + 10_000])
    assert await connection.peer.receive(len(data)) == data


async def test_a_protocol_that_raises_loses_the_connection(
    connect: TlsConnector, caplog: pytest.LogCaptureFixture
) -> None:
    connection = await connect(Recorder)

    def fail(data: bytes) -> None:
        raise ZeroDivisionError("the protocol's own")

    connection.protocol.data_received = fail  # type: ignore[method-assign]
    await connection.peer.send(b"data")
    await until(lambda: connection.protocol.is_lost)
    assert isinstance(connection.protocol.lost_with, ZeroDivisionError)
    assert "Fatal error on SSL protocol" in caplog.text
    caplog.clear()


@pytest.mark.parametrize("error", [asyncio.CancelledError, GeneratorExit])
@pytest.mark.parametrize("begins", [True, False])
async def test_what_is_no_exception_is_reported_and_ends_the_connection(
    connect: TlsConnector,
    caplog: pytest.LogCaptureFixture,
    error: type[BaseException],
    begins: bool,
) -> None:
    connection = await connect(Recorder)
    if not begins:
        await connection.peer.send(b"x")
        await until_received(connection.protocol, 1)

    def fail(data: bytes) -> None:
        raise error

    connection.protocol.data_received = fail  # type: ignore[method-assign]
    await connection.peer.send(b"data")
    await until(lambda: connection.protocol.is_lost)
    assert isinstance(connection.protocol.lost_with, error)
    assert "Fatal error: protocol.buffer_updated() call failed." in caplog.text
    caplog.clear()


async def test_a_shutdown_of_the_socket_comes_after_what_was_written(
    connect: TlsConnector,
) -> None:
    connection = await connect(Recorder)
    connection.transport.write(b"last words")
    connection.transport.get_extra_info("socket").shutdown(socket.SHUT_WR)
    assert await connection.peer.receive(20) == b"last words"


async def test_what_was_written_leaves_while_callbacks_compute(
    loop: Loop, connect: TlsConnector
) -> None:
    connection = await connect(Recorder, version=ssl.TLSVersion.TLSv1_2)  # no tickets follow
    await turns()
    seen = []

    def compute() -> None:
        try:
            seen.append(connection.peer.socket.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            seen.append(b"")
        time.sleep(0.002)

    loop.call_soon(connection.transport.write, b"soon")
    for _ in range(5):
        loop.call_soon(compute)
    await turns()
    assert all(seen[1:])
    assert await connection.peer.receive(4) == b"soon"
