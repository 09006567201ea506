"""Neither side of a TLS connection has to take more than it wants to."""

import asyncio

from tests.unit.connections import Recorder, turns, until, until_received
from tests.unit.tls.peers import TlsConnector

MUCH = bytes(4 << 20)  # more than the sockets' buffers and the high-water mark together


async def test_a_paused_transport_delivers_nothing(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    connection.transport.pause_reading()
    assert not connection.transport.is_reading()
    await connection.peer.send(b"data")
    await asyncio.sleep(0.02)
    assert not connection.protocol.received
    connection.transport.resume_reading()
    assert connection.transport.is_reading()
    await until_received(connection.protocol, 4)


async def test_reading_can_be_paused_by_what_is_received(connect: TlsConnector) -> None:
    connection = await connect(Recorder)

    def pause(data: bytes) -> None:
        connection.protocol.received += data
        connection.transport.pause_reading()

    connection.protocol.data_received = pause  # type: ignore[method-assign]
    for _ in range(3):
        received = len(connection.protocol.received)
        await connection.peer.send(b"piece")
        await until_received(connection.protocol, received + 5)
        await connection.peer.send(b"later")
        await asyncio.sleep(0.01)
        assert len(connection.protocol.received) == received + 5
        connection.transport.resume_reading()
        await until_received(connection.protocol, received + 10)
        connection.transport.resume_reading()
    assert connection.protocol.received == b"piecelater" * 3


async def test_a_callback_pauses_a_transport_whose_data_has_come(connect: TlsConnector) -> None:
    """Both connections are ready at the same poll; the first one's callback pauses the other."""
    first, second = await connect(Recorder), await connect(Recorder)

    def pause_the_other(data: bytes) -> None:
        first.protocol.received += data
        second.transport.pause_reading()

    first.protocol.data_received = pause_the_other  # type: ignore[method-assign]
    await first.peer.send(b"first")
    await second.peer.send(b"second")
    await until_received(first.protocol, 5)
    await turns(5)
    already = bytes(second.protocol.received)
    await second.peer.send(b"third")
    await asyncio.sleep(0.01)
    assert second.protocol.received == already
    second.transport.resume_reading()
    await until_received(second.protocol, 11)
    assert second.protocol.received == b"secondthird"


async def test_a_paused_transport_still_writes(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    connection.transport.pause_reading()
    connection.transport.write(b"data")
    assert await connection.peer.receive(4) == b"data"


async def test_the_protocol_pauses_while_the_peer_does_not_read(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    transport, protocol = connection.transport, connection.protocol
    written = 0
    while "pause_writing" not in protocol.calls:
        transport.write(MUCH)
        written += len(MUCH)
        await asyncio.sleep(0)
    _, high = transport.get_write_buffer_limits()
    assert transport.get_write_buffer_size() >= high
    assert "resume_writing" not in protocol.calls
    assert len(await connection.peer.receive(written)) == written
    await until(lambda: "resume_writing" in protocol.calls)
    assert transport.get_write_buffer_size() == 0
    assert protocol.calls.count("pause_writing") == protocol.calls.count("resume_writing") == 1


async def test_the_water_marks_are_settable(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    transport, protocol = connection.transport, connection.protocol
    assert transport.get_write_buffer_limits() == (128 * 1024, 512 * 1024)
    for high in (10**30, float("inf"), 1e6, 3000):
        transport.set_write_buffer_limits(high=high, low=1000)  # type: ignore[arg-type]
        assert transport.get_write_buffer_limits() == (1000, high)
    written = 0
    while "pause_writing" not in protocol.calls:
        transport.write(bytes(100_000))
        written += 100_000
        await asyncio.sleep(0)
    assert len(await connection.peer.receive(written)) == written
    await until(lambda: "resume_writing" in protocol.calls)


async def test_a_writer_drains(connect: TlsConnector) -> None:
    reader = asyncio.StreamReader()
    connection = await connect(lambda: asyncio.StreamReaderProtocol(reader))
    writer = asyncio.StreamWriter(
        connection.transport, connection.protocol, reader, asyncio.get_running_loop()
    )

    async def write() -> None:
        for _ in range(20):
            writer.write(bytes(200_000))
            await writer.drain()

    _, received = await asyncio.gather(write(), connection.peer.receive(20 * 200_000))
    assert len(received) == 20 * 200_000
    connection.transport.abort()
    await turns(5)


async def test_both_sides_can_send_much_at_once(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    connection.transport.write(MUCH)
    sealed = connection.peer.seal(MUCH)

    async def receive_everything() -> None:
        assert len(await connection.peer.receive(len(MUCH))) == len(MUCH)

    await asyncio.gather(connection.peer.send_ciphertext(sealed), receive_everything())
    await until_received(connection.protocol, len(MUCH))
