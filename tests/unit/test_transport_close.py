"""How a connection ends: closed, aborted, half-closed, or lost; and that it ends once."""

import asyncio
import errno
import gc
import socket
import time
import weakref

import pytest

from tests.conftest import Loop
from tests.unit.connections import (
    BufferedRecorder,
    Connector,
    Recorder,
    tcp_pair,
    turns,
    until,
    until_lost,
    until_received,
)

MANY_BYTES = bytes(range(256)) * 20_000  # 5 MB, more than the kernel buffers


async def test_close_calls_connection_lost_with_nothing_in_a_later_iteration(
    connect: Connector,
) -> None:
    connection = await connect(Recorder)
    connection.transport.close()
    assert connection.transport.is_closing()
    assert not connection.protocol.is_lost
    await until(lambda: connection.protocol.is_lost)
    assert connection.protocol.lost_with is None
    assert connection.peer.receive_everything() == b""


async def test_close_delivers_what_was_written(connect: Connector) -> None:
    connection = await connect(Recorder)
    connection.transport.write(MANY_BYTES)
    connection.transport.write(b"the end")
    connection.transport.close()
    assert connection.transport.is_closing()
    assert await connection.peer.receive_everything_soon() == MANY_BYTES + b"the end"
    await until(lambda: connection.protocol.is_lost)
    assert connection.protocol.lost_with is None


async def test_connection_lost_waits_until_everything_is_sent(connect: Connector) -> None:
    connection = await connect(Recorder)
    connection.transport.write(MANY_BYTES * 4)
    connection.transport.close()
    await asyncio.sleep(0.01)
    assert not connection.protocol.is_lost
    await connection.peer.receive_everything_soon()
    await until(lambda: connection.protocol.is_lost)


async def test_what_resume_writing_writes_while_closing_is_sent(connect: Connector) -> None:
    last_words = b"x" * 100_000

    class LastWords(Recorder):
        def resume_writing(self) -> None:
            super().resume_writing()
            assert isinstance(self.transport, asyncio.WriteTransport)
            self.transport.write(last_words)

    connection = await connect(LastWords)
    connection.transport.write(MANY_BYTES)
    assert connection.transport.get_write_buffer_size() > 0
    connection.transport.close()
    received = await connection.peer.receive_everything_soon()
    assert received == MANY_BYTES + last_words
    await until_lost(connection.protocol)
    assert connection.protocol.lost_with is None


async def test_a_closing_transport_reads_no_more(connect: Connector) -> None:
    connection = await connect(Recorder)
    connection.transport.write(MANY_BYTES * 4)
    connection.transport.close()
    connection.peer.send(b"unread")
    await asyncio.sleep(0.01)
    assert connection.protocol.received == b""
    connection.transport.abort()
    await until(lambda: connection.protocol.is_lost)
    assert connection.protocol.received == b""


async def test_abort_drops_what_was_not_sent(connect: Connector) -> None:
    connection = await connect(Recorder)
    connection.transport.write(MANY_BYTES * 4)
    await turns()
    connection.transport.abort()
    assert connection.transport.is_closing()
    assert connection.transport.get_write_buffer_size() == 0
    await until(lambda: connection.protocol.is_lost)
    assert connection.protocol.lost_with is None
    received = await connection.peer.receive_everything_soon()
    assert len(received) < 4 * len(MANY_BYTES)
    assert received == (MANY_BYTES * 4)[: len(received)]


async def test_abort_after_close_drops_what_is_left(connect: Connector) -> None:
    connection = await connect(Recorder)
    connection.transport.write(MANY_BYTES * 4)
    connection.transport.close()
    await turns()
    connection.transport.abort()
    await until(lambda: connection.protocol.is_lost)
    assert len(await connection.peer.receive_everything_soon()) < 4 * len(MANY_BYTES)


@pytest.mark.parametrize(
    "ends",
    [
        ["close", "close"],
        ["abort", "abort"],
        ["close", "abort", "close", "abort"],
        ["abort", "close"],
        ["write_eof", "close"],
        ["close", "write_eof"],
    ],
)
async def test_a_connection_is_lost_once(connect: Connector, ends: list[str]) -> None:
    connection = await connect(Recorder)
    for end in ends:
        getattr(connection.transport, end)()
    await until(lambda: connection.protocol.is_lost)
    for end in ends:
        getattr(connection.transport, end)()
    await turns(5)
    assert connection.protocol.calls == ["connection_made", "connection_lost"]


async def test_close_in_connection_made_closes(connect: Connector) -> None:
    class Refuser(Recorder):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            transport.close()

    connection = await connect(Refuser)
    await until(lambda: connection.protocol.is_lost)
    assert connection.protocol.calls == ["connection_made", "connection_lost"]


@pytest.mark.parametrize("end", ["close", "abort"])
async def test_ending_in_data_received_is_the_end_of_data(connect: Connector, end: str) -> None:
    class Quitter(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            getattr(self.transport, end)()

    connection = await connect(Quitter)
    connection.peer.send(MANY_BYTES[:1_000_000])
    await until(lambda: connection.protocol.is_lost)
    assert connection.protocol.calls.count("data_received") == 1
    assert connection.protocol.calls[-1] == "connection_lost"
    assert connection.protocol.lost_with is None


async def test_write_eof_ends_the_stream_and_keeps_reading(connect: Connector) -> None:
    connection = await connect(Recorder)
    assert connection.transport.can_write_eof()
    connection.transport.write(b"question")
    connection.transport.write_eof()
    assert not connection.transport.is_closing()
    assert await connection.peer.receive_everything_soon() == b"question"
    connection.peer.send(b"answer")
    await until(lambda: connection.protocol.received == b"answer")
    connection.peer.socket.close()
    await until(lambda: connection.protocol.is_lost)


async def test_write_eof_comes_after_what_was_written(connect: Connector) -> None:
    connection = await connect(Recorder)
    connection.transport.write(MANY_BYTES)
    connection.transport.write_eof()
    connection.transport.write_eof()
    assert await connection.peer.receive_everything_soon() == MANY_BYTES
    assert not connection.protocol.is_lost


async def test_the_end_closes_the_transport_unless_the_protocol_keeps_it(
    connect: Connector,
) -> None:
    connection = await connect(Recorder)
    connection.peer.socket.shutdown(socket.SHUT_WR)
    await until(lambda: connection.protocol.is_lost)
    assert connection.protocol.calls == ["connection_made", "eof_received", "connection_lost"]
    assert connection.protocol.lost_with is None


class HalfOpen(Recorder):
    """Keeps writing after the peer has ended its stream."""

    def eof_received(self) -> bool:
        super().eof_received()
        return True


async def test_a_protocol_may_keep_a_half_closed_connection(connect: Connector) -> None:
    connection = await connect(HalfOpen)
    connection.peer.socket.shutdown(socket.SHUT_WR)
    await until(lambda: "eof_received" in connection.protocol.calls)
    await asyncio.sleep(0.01)
    assert not connection.transport.is_closing()
    connection.transport.write(b"still here")
    await turns()
    assert connection.peer.receive(10) == b"still here"
    assert connection.protocol.calls == ["connection_made", "eof_received"]
    connection.transport.close()
    assert await connection.peer.receive_everything_soon() == b""
    await until(lambda: connection.protocol.is_lost)


async def test_a_half_closed_connection_costs_no_cpu(connect: Connector) -> None:
    connection = await connect(HalfOpen)
    connection.peer.socket.shutdown(socket.SHUT_WR)
    await until(lambda: "eof_received" in connection.protocol.calls)
    before = time.thread_time()
    await asyncio.sleep(0.3)
    assert time.thread_time() - before < 0.15


async def test_a_protocol_that_ends_first_is_told_of_the_peers_end(connect: Connector) -> None:
    connection = await connect(HalfOpen)
    connection.transport.write_eof()
    assert await connection.peer.receive_everything_soon() == b""
    connection.peer.socket.shutdown(socket.SHUT_WR)
    await until(lambda: "eof_received" in connection.protocol.calls)
    connection.transport.close()
    await until(lambda: connection.protocol.is_lost)


async def test_data_written_before_the_peers_end_is_delivered(connect: Connector) -> None:
    connection = await connect(Recorder)
    connection.peer.socket.shutdown(socket.SHUT_WR)
    connection.transport.write(MANY_BYTES)
    assert await connection.peer.receive_everything_soon() == MANY_BYTES
    await until(lambda: connection.protocol.is_lost)
    assert connection.protocol.lost_with is None


async def test_a_reset_is_told_to_the_protocol(connect: Connector) -> None:
    connection = await connect(Recorder)
    connection.peer.reset()
    await until(lambda: connection.protocol.is_lost)
    assert connection.protocol.calls == ["connection_made", "connection_lost"]
    assert isinstance(connection.protocol.lost_with, ConnectionResetError)
    assert connection.protocol.lost_with.errno == errno.ECONNRESET
    assert connection.transport.is_closing()


async def test_a_reset_is_told_to_a_buffered_protocol(connect: Connector) -> None:
    connection = await connect(BufferedRecorder)
    connection.peer.reset()
    await until(lambda: connection.protocol.is_lost)
    assert isinstance(connection.protocol.lost_with, ConnectionResetError)


async def test_a_reset_found_while_writing_is_told_to_the_protocol(connect: Connector) -> None:
    connection = await connect(Recorder)
    connection.transport.pause_reading()
    connection.peer.reset()
    await asyncio.sleep(0.005)
    connection.transport.write(b"x")
    await until(lambda: connection.protocol.is_lost)
    assert isinstance(connection.protocol.lost_with, ConnectionError)
    assert connection.protocol.calls == ["connection_made", "connection_lost"]


async def test_a_reset_found_while_writing_is_the_reason_though_the_protocol_aborts(
    connect: Connector,
) -> None:
    connection = await connect(Recorder)
    connection.transport.pause_reading()
    await turns()
    connection.peer.reset()
    connection.transport.write(b"x")
    connection.transport.abort()
    await until(lambda: connection.protocol.is_lost)
    assert isinstance(connection.protocol.lost_with, ConnectionResetError)


async def test_write_eof_after_a_reset_raises(connect: Connector) -> None:
    connection = await connect(Recorder)
    connection.transport.pause_reading()
    await turns()
    connection.peer.reset()
    with pytest.raises(OSError, match="not connected"):
        connection.transport.write_eof()
    connection.transport.abort()
    await until(lambda: connection.protocol.is_lost)


async def test_who_writes_without_waiting_sees_that_it_failed(connect: Connector) -> None:
    connection = await connect(Recorder)
    connection.transport.pause_reading()
    connection.peer.reset()
    await asyncio.sleep(0.005)
    for _ in range(100):  # more than a transport gathers
        connection.transport.write(b"x" * 65536)
    assert connection.transport.is_closing()
    assert not connection.transport.is_reading()
    await until(lambda: connection.protocol.is_lost)


async def test_a_lost_connection_is_not_logged_as_an_error(connect: Connector, loop: Loop) -> None:
    reports: list[object] = []
    loop.set_exception_handler(lambda _, context: reports.append(context))
    connection = await connect(Recorder)
    connection.transport.write(MANY_BYTES)
    connection.peer.reset()
    await until(lambda: connection.protocol.is_lost)
    assert reports == []


async def test_the_socket_is_closed_when_the_connection_is_lost(connect: Connector) -> None:
    connection = await connect(Recorder)
    sock = connection.transport.get_extra_info("socket")
    assert sock.fileno() >= 0
    connection.transport.close()
    await until(lambda: connection.protocol.is_lost)
    await turns()
    assert sock.fileno() == -1


async def test_the_descriptor_can_be_used_again_after_the_end(
    connect: Connector, loop: Loop
) -> None:
    for _ in range(20):
        connection = await connect(Recorder)
        connection.transport.abort()
        await until_lost(connection.protocol)
        await turns()
    ours, peer = tcp_pair()
    with ours, peer:
        loop.add_reader(ours, print)
        assert loop.remove_reader(ours)


async def test_connections_on_reused_descriptors_get_only_their_own_data(
    connect: Connector,
) -> None:
    for number in range(100):
        connection = await connect(Recorder)
        connection.peer.send(b"%d" % number)
        await until_received(connection.protocol, 1)
        assert connection.protocol.received == b"%d" % number
        # Left in the kernel's buffer, and in the poller's list of what is ready.
        connection.peer.send(b"never to be read")
        connection.transport.abort()
        await turns(number % 4)


@pytest.mark.parametrize("factory", [Recorder, BufferedRecorder])
async def test_a_transport_and_its_protocol_are_freed_at_the_end(
    loop: Loop, factory: type[Recorder | BufferedRecorder]
) -> None:
    ours, peer = tcp_pair()
    transport, protocol = await loop.create_connection(factory, sock=ours)
    assert isinstance(protocol, Recorder | BufferedRecorder)
    protocol.transport = transport  # type: ignore[union-attr]
    references: list[weakref.ref[object]] = [weakref.ref(transport), weakref.ref(protocol)]
    transport.write(b"x")
    peer.send(b"y")
    await until_received(protocol, 1)
    gc.disable()
    try:
        transport.close()
        del transport, protocol
        await until(lambda: ours.fileno() == -1)
        await turns()
        # asyncio's transport refers to itself, and waits for the collector; ours doesn't.
        kept = references[1:] if type(loop).__module__.startswith("asyncio") else references
        assert all(reference() is None for reference in kept)
    finally:
        gc.enable()
    gc.collect()
    assert [reference() for reference in references] == [None, None]
    peer.close()


def test_closing_the_loop_leaves_no_descriptor_open(loop: Loop) -> None:
    ours, peer = tcp_pair()
    transport, _ = loop.run_until_complete(loop.create_connection(Recorder, sock=ours))
    transport.close()
    loop.run_until_complete(turns(3))
    loop.close()
    assert ours.fileno() == -1
    peer.close()
