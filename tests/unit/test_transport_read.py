"""What a transport reads, and to whom and when it gives it: pausing, switching protocols, ends."""

import asyncio
import socket
import time
from collections.abc import Callable

import pytest

from tests.conftest import Loop
from tests.unit.connections import (
    BufferedRecorder,
    Connection,
    Connector,
    Recorder,
    tcp_pair,
    turns,
    until,
    until_received,
)


class Keeper(asyncio.Protocol):
    """Keeps every third piece of data as it came, beside a copy of it, and its hash."""

    def __init__(self) -> None:
        self.count = 0
        self.kept: list[tuple[bytes, bytearray, int]] = []

    def data_received(self, data: bytes) -> None:
        self.count += 1
        if self.count % 3 == 0:
            self.kept.append((data, bytearray(data), hash(data)))


async def test_data_that_is_kept_stays_as_it_is(connect: Connector) -> None:
    connection = await connect(Keeper)
    for number in range(300):
        connection.peer.send(bytes([number % 256]) * (1000 + number))
        await until(lambda number=number: connection.protocol.count > number)  # type: ignore[misc]
    for data, copy, hash_then in connection.protocol.kept:
        assert data == copy
        assert hash(data) == hash_then == hash(bytes(copy))
        assert data + b"!" == bytes(copy) + b"!"  # its end is where it was


async def test_data_arrives_as_bytes(connect: Connector) -> None:
    kinds: list[type] = []

    class Kinds(Recorder):
        def data_received(self, data: bytes) -> None:
            kinds.append(type(data))

    connection = await connect(Kinds)
    connection.peer.send(b"x")
    await until(lambda: kinds)
    assert kinds == [bytes]


async def test_data_received_later_does_not_change_what_was_kept(connect: Connector) -> None:
    kept: list[bytes] = []

    class Keeper(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            kept.append(data)

    connection = await connect(Keeper)
    for number in range(50):
        connection.peer.send(b"message %02d" % number)
        await until_received(connection.protocol, len(b"message 00") * (number + 1))
    assert kept == [b"message %02d" % number for number in range(50)]


async def test_big_data_is_read_whole(connect: Connector) -> None:
    connection = await connect(Recorder)
    data = bytes(range(256)) * 40_000  # 10 MB
    sending = asyncio.get_running_loop().run_in_executor(None, connection.peer.send, data)
    await until(lambda: len(connection.protocol.received) == len(data))
    await sending
    assert connection.protocol.received == data


async def test_data_and_end_sent_together_are_both_seen(connect: Connector) -> None:
    connection = await connect(Recorder)
    connection.peer.send(b"last words")
    connection.peer.socket.close()
    await until(lambda: connection.protocol.is_lost)
    assert connection.protocol.calls == [
        "connection_made", "data_received", "eof_received", "connection_lost",
    ]  # fmt: skip
    assert connection.protocol.received == b"last words"
    assert connection.protocol.lost_with is None


async def test_connection_made_comes_before_data(connect: Connector, loop: Loop) -> None:
    ours, peer = tcp_pair()
    peer.sendall(b"already there")
    transport, protocol = await loop.create_connection(Recorder, sock=ours)
    await until(lambda: protocol.received)
    assert protocol.calls == ["connection_made", "data_received"]
    transport.abort()
    peer.close()
    await turns()


async def test_a_transport_reads_until_paused(connect: Connector) -> None:
    connection = await connect(Recorder)
    assert connection.transport.is_reading()
    connection.transport.pause_reading()
    assert not connection.transport.is_reading()
    connection.peer.send(b"x")
    await asyncio.sleep(0.02)
    assert connection.protocol.received == b""
    connection.transport.resume_reading()
    assert connection.transport.is_reading()
    await until(lambda: connection.protocol.received == b"x")


async def test_pausing_and_resuming_twice_is_fine(connect: Connector) -> None:
    connection = await connect(Recorder)
    connection.transport.pause_reading()
    connection.transport.pause_reading()
    connection.transport.resume_reading()
    connection.transport.resume_reading()
    connection.peer.send(b"x")
    await until(lambda: connection.protocol.received == b"x")


async def test_pausing_in_connection_made_holds_back_data(connect: Connector) -> None:
    class Pauser(Recorder):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            assert isinstance(transport, asyncio.Transport)
            transport.pause_reading()

    connection = await connect(Pauser)
    connection.peer.send(b"x")
    await asyncio.sleep(0.02)
    assert connection.protocol.received == b""
    connection.transport.resume_reading()
    await until(lambda: connection.protocol.received == b"x")


async def test_pausing_in_data_received_holds_back_the_rest(connect: Connector) -> None:
    class OneAtATime(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            assert isinstance(self.transport, asyncio.Transport)
            self.transport.pause_reading()

    connection = await connect(OneAtATime)
    for number in range(1, 11):
        connection.peer.send(b"x")
        await until_received(connection.protocol, number)
        connection.peer.send(b"y")
        await asyncio.sleep(0.002)
        assert len(connection.protocol.received) == number
        assert connection.peer.is_silent()
        # Takes the "y" away, so that each round starts alike.
        connection.transport.set_protocol(asyncio.Protocol())
        connection.transport.resume_reading()
        await asyncio.sleep(0.002)
        connection.transport.set_protocol(connection.protocol)


async def test_a_paused_transport_still_writes(connect: Connector) -> None:
    connection = await connect(Recorder)
    connection.transport.pause_reading()
    connection.transport.write(b"still writes")
    await turns()
    assert connection.peer.receive(12) == b"still writes"


async def test_pausing_a_closing_transport_does_nothing(connect: Connector) -> None:
    connection = await connect(Recorder)
    connection.transport.close()
    assert not connection.transport.is_reading()
    connection.transport.pause_reading()
    connection.transport.resume_reading()
    assert not connection.transport.is_reading()
    await until(lambda: connection.protocol.is_lost)


async def test_a_paused_transport_is_not_told_of_the_end(connect: Connector) -> None:
    connection = await connect(Recorder)
    connection.transport.pause_reading()
    connection.peer.socket.close()
    await asyncio.sleep(0.02)
    assert connection.protocol.calls == ["connection_made"]
    connection.transport.resume_reading()
    await until(lambda: connection.protocol.is_lost)


@pytest.mark.parametrize("is_reset", [False, True])
async def test_a_transport_paused_just_before_it_was_told_of_the_end_is_told_later(
    loop: Loop, connect: Connector, is_reset: bool
) -> None:
    connection = await connect(Recorder)
    protocol = connection.protocol
    await turns(3)
    if is_reset:
        connection.peer.reset()
    else:
        connection.peer.socket.close()
    time.sleep(0.001)  # the loop asks before the next call
    loop.call_soon(connection.transport.pause_reading)
    await asyncio.sleep(0.02)
    assert protocol.calls == ["connection_made"]
    connection.transport.resume_reading()
    await until(lambda: protocol.is_lost)
    assert ("eof_received" in protocol.calls) == (not is_reset)
    assert isinstance(protocol.lost_with, ConnectionResetError) == is_reset


Act = Callable[[Connection[Recorder]], object]


async def together(connect: Connector, act: Act) -> tuple[Connection[Recorder], Recorder]:
    """Two connections with data in one batch: the first that is called acts on the other.

    Gives the other connection and the protocol that acted.
    """
    connections: list[Connection[Recorder]] = []
    acted: list[int] = []

    class Actor(Recorder):
        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if not acted:
                acted.append(self.number)
                act(connections[1 - self.number])

    connections.append(await connect(lambda: Actor(0)))
    connections.append(await connect(lambda: Actor(1)))
    await turns(3)
    for connection in connections:
        connection.peer.send(b"x")
    await until(lambda: acted)
    await turns(2)
    return connections[1 - acted[0]], connections[acted[0]].protocol


async def test_a_connection_paused_by_another_of_the_batch_gets_its_data_on_resume(
    connect: Connector,
) -> None:
    other, _ = await together(connect, lambda connection: connection.transport.pause_reading())
    assert other.protocol.received == b""
    await asyncio.sleep(0.01)
    assert other.protocol.received == b""
    other.transport.resume_reading()
    await until(lambda: other.protocol.received == b"x")
    other.peer.send(b"y")
    await until(lambda: other.protocol.received == b"xy")


async def test_a_connection_paused_and_resumed_in_the_batch_gets_its_data_once(
    connect: Connector,
) -> None:
    def blink(connection: Connection[Recorder]) -> None:
        connection.transport.pause_reading()
        connection.transport.resume_reading()

    other, _ = await together(connect, blink)
    await until(lambda: other.protocol.received)
    other.peer.send(b"y")
    await until(lambda: other.protocol.received == b"xy")


async def test_data_held_back_comes_before_what_is_read_after_resume(connect: Connector) -> None:
    other, _ = await together(connect, lambda connection: connection.transport.pause_reading())
    other.peer.send(b"y" * 1000)
    other.peer.socket.shutdown(socket.SHUT_WR)
    await asyncio.sleep(0.01)
    other.transport.resume_reading()
    await until(lambda: other.protocol.is_lost)
    assert other.protocol.received == b"x" + b"y" * 1000
    assert other.protocol.calls[-2:] == ["eof_received", "connection_lost"]


@pytest.mark.parametrize("end", ["close", "abort"])
async def test_a_connection_ended_by_another_of_the_batch_gets_no_data(
    connect: Connector, end: str
) -> None:
    other, _ = await together(connect, lambda connection: getattr(connection.transport, end)())
    await until(lambda: other.protocol.is_lost)
    assert other.protocol.calls == ["connection_made", "connection_lost"]


async def test_a_protocol_set_by_another_of_the_batch_gets_the_data(connect: Connector) -> None:
    successor = Recorder()
    other, _ = await together(
        connect, lambda connection: connection.transport.set_protocol(successor)
    )
    await until(lambda: successor.received == b"x")
    assert other.protocol.received == b""


async def test_a_buffered_protocol_set_by_another_of_the_batch_gets_the_data(
    connect: Connector,
) -> None:
    successor = BufferedRecorder()
    other, _ = await together(
        connect, lambda connection: connection.transport.set_protocol(successor)
    )
    await until(lambda: successor.received == b"x")
    assert other.protocol.received == b""


async def test_a_protocol_that_replaces_itself_passes_on_what_follows(connect: Connector) -> None:
    successor = Recorder()

    class Upgrader(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            assert isinstance(self.transport, asyncio.Transport)
            self.transport.set_protocol(successor)

    connection = await connect(Upgrader)
    connection.peer.send(b"before")
    await until(lambda: connection.protocol.received == b"before")
    assert connection.transport.get_protocol() is successor
    connection.peer.send(b"after")
    await until(lambda: successor.received == b"after")
    connection.peer.socket.close()
    await until(lambda: successor.is_lost)
    assert connection.protocol.calls == ["connection_made", "data_received"]


async def test_protocols_of_both_kinds_take_turns(connect: Connector) -> None:
    connection = await connect(Recorder)
    for _ in range(4):
        for protocol in (BufferedRecorder(), Recorder()):
            connection.transport.set_protocol(protocol)
            connection.peer.send(b"x")
            await until_received(protocol, 1)


async def test_get_protocol_gives_the_protocol(connect: Connector) -> None:
    connection = await connect(Recorder)
    assert connection.transport.get_protocol() is connection.protocol


async def test_a_protocol_needs_no_base_class(connect: Connector) -> None:
    class Bare:
        def __init__(self) -> None:
            self.received: list[bytes] = []
            self.lost = False

        def connection_made(self, transport: object) -> None:
            pass

        def data_received(self, data: bytes) -> None:
            self.received.append(data)

        def eof_received(self) -> None:
            pass

        def connection_lost(self, exc: object) -> None:
            self.lost = True

    connection = await connect(Bare)  # type: ignore[type-var]
    protocol = connection.protocol
    connection.peer.send(b"x")
    await until(lambda: protocol.received == [b"x"])
    connection.peer.socket.close()
    await until(lambda: protocol.lost)


async def test_a_method_set_on_the_protocol_later_is_called(connect: Connector) -> None:
    # Programs replace `data_received` on the instance: it must be looked up at each call.
    connection = await connect(Recorder)
    connection.peer.send(b"x")
    await until(lambda: connection.protocol.received == b"x")
    received: list[bytes] = []
    connection.protocol.data_received = received.append  # type: ignore[method-assign, assignment]
    connection.peer.send(b"y")
    await until(lambda: received == [b"y"])
    assert connection.protocol.received == b"x"


async def test_hundreds_of_connections_get_their_own_data(connect: Connector) -> None:
    connections = [await connect(Recorder) for _ in range(200)]
    for round_ in range(5):
        for number, connection in enumerate(connections):
            connection.peer.send(b"%d/%d " % (round_, number))
    await until(lambda: all(c.protocol.received.count(b" ") == 5 for c in connections))
    for number, connection in enumerate(connections):
        expected = b"".join(b"%d/%d " % (round_, number) for round_ in range(5))
        assert connection.protocol.received == expected
