"""How TLS connections end: politely, rudely, and by the clock."""

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import Callable

import pytest

from tests.unit.connections import Recorder, tcp_pair, turns, until, until_lost, until_received
from tests.unit.tls.peers import TlsConnector, TlsPeer, ViewRecorder, certificates

SOON_SECONDS = 0.05
MUCH = bytes(300_000)  # for which a loop that has lent its I/O takes it home


async def test_close_sends_what_was_written_and_says_goodbye(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    data = bytes(3 << 20)
    connection.transport.write(data)
    connection.transport.close()
    assert connection.transport.is_closing()
    assert len(await connection.peer.receive(len(data))) == len(data)
    assert await connection.peer.receive_end()
    await connection.peer.send_ciphertext(connection.peer.seal_close_notify())
    await until_lost(connection.protocol)
    assert connection.protocol.lost_with is None


@pytest.mark.parametrize("protocol", [Recorder, ViewRecorder])
async def test_the_peer_says_goodbye(
    connect: TlsConnector, protocol: Callable[[], Recorder | ViewRecorder]
) -> None:
    connection = await connect(protocol)
    await connection.peer.send_ciphertext(
        connection.peer.seal(b"last words") + connection.peer.seal_close_notify()
    )
    await until_lost(connection.protocol)
    assert connection.protocol.received == b"last words"
    assert connection.protocol.calls[-2:] == ["eof_received", "connection_lost"]
    assert connection.protocol.lost_with is None


async def test_what_is_written_at_the_peers_goodbye_is_sent(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    received = connection.protocol.data_received

    def answer(data: bytes) -> None:
        received(data)
        connection.transport.write(b"answer")

    connection.protocol.data_received = answer  # type: ignore[method-assign]
    await connection.peer.send_ciphertext(
        connection.peer.seal(b"question") + connection.peer.seal_close_notify()
    )
    await until_lost(connection.protocol)
    while await connection.peer.receive_ciphertext():
        pass
    assert connection.peer.tls.read(100) == b"answer"


async def test_the_peer_hangs_up_without_goodbye(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    await connection.peer.send(b"last words")
    connection.peer.socket.close()
    await until_lost(connection.protocol)
    assert connection.protocol.received == b"last words"
    assert connection.protocol.calls[-2:] == ["eof_received", "connection_lost"]


async def test_the_peer_hangs_up_within_a_record(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    await connection.peer.send_ciphertext(connection.peer.seal(b"never whole")[:-3])
    connection.peer.socket.close()
    await until_lost(connection.protocol)
    assert connection.protocol.received == b""


async def test_abort_drops_the_connection(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    connection.transport.write(b"sent at once")
    connection.transport.abort()
    await until_lost(connection.protocol)
    assert connection.protocol.lost_with is None
    assert await connection.peer.receive(100) == b"sent at once"
    assert not await connection.peer.receive_end()


async def test_abort_drops_what_the_peer_does_not_take(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    connection.transport.write(bytes(32 << 20))
    connection.transport.abort()
    await until_lost(connection.protocol)
    assert connection.protocol.lost_with is None


async def test_nothing_is_delivered_after_close(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    received = connection.protocol.data_received

    def close(data: bytes) -> None:
        received(data)
        connection.transport.close()

    connection.protocol.data_received = close  # type: ignore[method-assign]
    await connection.peer.send(b"first")
    await until_received(connection.protocol, 5)
    with contextlib.suppress(OSError):
        await connection.peer.send(b"second")
    await turns(5)
    assert connection.protocol.received == b"first"


async def test_writing_does_nothing_if_the_connection_ends_meanwhile(
    connect: TlsConnector, loop: asyncio.BaseEventLoop
) -> None:
    """Another connection's method is looked up, by code that ends this one."""

    class Ends(Recorder):
        @property
        def data_received(self) -> Callable[[bytes], None]:
            connection.transport.abort()
            return super().data_received

    def write() -> None:
        time.sleep(SOON_SECONDS)  # what has come for the other one is received, but not told
        connection.transport.write(MUCH)

    connection = await connect(Recorder)
    ours, peer = socket.socketpair()
    other, protocol = await loop.create_connection(Ends, sock=ours)
    loop.call_soon(peer.send, b"x")
    await turns(1)
    loop.call_soon(write)
    await until_lost(connection.protocol)
    await until_received(protocol, 1)
    other.abort()
    peer.close()


async def test_writing_after_the_end_does_nothing(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    connection.transport.close()
    connection.transport.write(b"too late")
    assert await connection.peer.receive_end()
    assert await connection.peer.receive(100) == b""


async def test_closing_twice_is_closing_once(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    connection.transport.close()
    connection.transport.close()
    await connection.peer.receive_end()
    connection.peer.socket.close()
    await until_lost(connection.protocol)
    assert connection.protocol.calls.count("connection_lost") == 1


async def test_a_peer_that_does_not_answer_the_goodbye_is_left(loop: asyncio.BaseEventLoop) -> None:
    ours, far_end = tcp_pair()
    peer = TlsPeer(far_end, certificates().server_context(), None)
    (transport, protocol), _ = await asyncio.gather(
        loop.create_connection(
            Recorder,
            sock=ours,
            ssl=certificates().client_context(),
            server_hostname="localhost",
            ssl_shutdown_timeout=SOON_SECONDS,
        ),
        peer.handshake(),
    )
    transport.close()
    await until_lost(protocol)
    assert isinstance(protocol.lost_with, TimeoutError)
    far_end.close()


async def test_closing_while_paused_ends_the_connection(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    connection.transport.pause_reading()
    connection.transport.close()
    await connection.peer.receive_end()
    await connection.peer.send_ciphertext(connection.peer.seal_close_notify())
    await until_lost(connection.protocol)


async def test_the_writing_side_cannot_be_closed_alone(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    assert not connection.transport.can_write_eof()
    with pytest.raises(NotImplementedError):
        connection.transport.write_eof()


async def test_a_server_closes_its_clients(loop: asyncio.BaseEventLoop) -> None:
    """By the transport below TLS, which the server knows from Python 3.13 on."""
    protocols: list[Recorder] = []

    def make() -> Recorder:
        protocols.append(Recorder())
        return protocols[-1]

    server = await loop.create_server(make, "127.0.0.1", 0, ssl=certificates().server_context())
    reader, writer = await asyncio.open_connection(
        *server.sockets[0].getsockname(),
        ssl=certificates().client_context(),
        server_hostname="localhost",
    )
    await until(lambda: protocols and "connection_made" in protocols[0].calls)
    protocols[0].transport.write(bytes(1 << 20))  # type: ignore[attr-defined]
    if not hasattr(server, "close_clients"):
        protocols[0].transport.close()
    else:
        server.close_clients()
    assert len(await reader.read()) == 1 << 20
    writer.close()
    with contextlib.suppress(ssl.SSLError, ConnectionError):
        await writer.wait_closed()
    await until_lost(protocols[0])
    server.close()
    await server.wait_closed()


async def test_the_loop_may_be_closed_with_connections_open(loop: asyncio.BaseEventLoop) -> None:
    ours, far_end = tcp_pair()
    peer = TlsPeer(far_end, certificates().server_context(), None)
    (transport, _), _ = await asyncio.gather(
        loop.create_connection(
            Recorder, sock=ours, ssl=certificates().client_context(), server_hostname="localhost"
        ),
        peer.handshake(),
    )
    transport.write(bytes(32 << 20))
    transport.abort()
    far_end.close()
