"""What a transport tells of itself, and what it is as a Python object."""

import asyncio
import gc
import socket
import sys
import weakref
from contextvars import ContextVar

import pytest

from tests.conftest import Loop, forget
from tests.unit.connections import Connector, Recorder, tcp_pair, turns, until


async def test_a_transport_is_one_of_asyncio(connect: Connector) -> None:
    connection = await connect(Recorder)
    assert isinstance(connection.transport, asyncio.Transport)


async def test_names_of_both_ends_are_known(connect: Connector) -> None:
    connection = await connect(Recorder)
    far = connection.peer.socket
    assert connection.transport.get_extra_info("sockname") == far.getpeername()
    assert connection.transport.get_extra_info("peername") == far.getsockname()


async def test_the_socket_can_be_asked_and_set(connect: Connector) -> None:
    connection = await connect(Recorder)
    sock = connection.transport.get_extra_info("socket")
    assert sock.family == socket.AF_INET
    assert sock.type == socket.SOCK_STREAM
    assert sock.getpeername() == connection.peer.socket.getsockname()
    assert sock.gettimeout() == 0
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0


async def test_small_packets_are_not_delayed(connect: Connector) -> None:
    connection = await connect(Recorder)
    sock = connection.transport.get_extra_info("socket")
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


async def test_what_is_not_known_is_the_default(connect: Connector) -> None:
    connection = await connect(Recorder)
    assert connection.transport.get_extra_info("unknown") is None
    assert connection.transport.get_extra_info("unknown", 42) == 42
    assert connection.transport.get_extra_info("sslcontext") is None


async def test_names_are_known_after_the_end(connect: Connector) -> None:
    connection = await connect(Recorder)
    names = [connection.transport.get_extra_info(key) for key in ("sockname", "peername")]
    connection.transport.abort()
    await until(lambda: connection.protocol.is_lost)
    await turns()
    assert names == [connection.transport.get_extra_info(key) for key in ("sockname", "peername")]


async def test_a_socket_without_a_peer_has_no_peername(loop: Loop) -> None:
    ours, peer = socket.socketpair()
    peer.close()
    transport, protocol = await loop.create_connection(Recorder, sock=ours)
    assert transport.get_extra_info("sockname") == ""
    await until(lambda: protocol.is_lost)
    await turns()


async def test_repr_tells_descriptor_and_state(connect: Connector) -> None:
    connection = await connect(Recorder)
    await turns()
    transport = connection.transport
    fd = transport.get_extra_info("socket").fileno()
    assert f"fd={fd} " in repr(transport)
    assert "read=polling" in repr(transport)
    assert "write=<idle, bufsize=0>" in repr(transport)
    transport.pause_reading()
    await turns()
    assert "read=idle" in repr(transport)
    transport.write(bytes(20_000_000))
    await turns()
    assert f"write=<polling, bufsize={transport.get_write_buffer_size()}>" in repr(transport)
    transport.close()
    assert f"closing fd={fd}" in repr(transport)
    transport.abort()
    await until(lambda: connection.protocol.is_lost)
    await turns()
    assert f"closed fd={fd}" in repr(transport)


async def test_a_transport_takes_weak_references_and_attributes(connect: Connector) -> None:
    connection = await connect(Recorder)
    assert weakref.ref(connection.transport)() is connection.transport
    connection.transport.mine = 42  # type: ignore[attr-defined]
    assert connection.transport.mine == 42  # type: ignore[attr-defined]


async def test_a_transport_is_a_key_of_dicts_and_sets(connect: Connector) -> None:
    one, two = await connect(Recorder), await connect(Recorder)
    assert one.transport == one.transport
    assert one.transport != two.transport
    assert len({one.transport, two.transport, one.transport}) == 2
    names = weakref.WeakKeyDictionary({one.transport: "one"})
    assert names[one.transport] == "one"


def test_a_transport_dropped_without_being_closed_warns_and_closes(loop: Loop) -> None:
    ours, peer = tcp_pair()
    transport, protocol = loop.run_until_complete(loop.create_connection(Recorder, sock=ours))
    # As asyncio's registers it: only a paused transport is held by nobody but its user.
    transport.pause_reading()
    loop.run_until_complete(turns())
    kept: list[object] = [transport, protocol]
    del transport, protocol
    with pytest.warns(ResourceWarning, match="unclosed transport"):
        forget(kept)
    assert ours.fileno() == -1
    assert peer.recv(1) == b""
    peer.close()


def test_a_transport_of_a_closed_loop_warns_when_dropped(loop: Loop) -> None:
    ours, peer = tcp_pair()
    transport, protocol = loop.run_until_complete(loop.create_connection(Recorder, sock=ours))
    loop.close()
    kept: list[object] = [transport, protocol]
    del transport, protocol
    with pytest.warns(ResourceWarning, match="unclosed transport"):
        forget(kept)
    peer.close()


async def test_a_transport_that_reads_lives_without_being_held(loop: Loop) -> None:
    ours, peer = tcp_pair()
    received: list[bytes] = []

    class Unattached(asyncio.Protocol):
        def data_received(self, data: bytes) -> None:
            received.append(data)

    await loop.create_connection(Unattached, sock=ours)
    gc.collect()
    peer.sendall(b"x")
    await until(lambda: received)
    peer.close()
    await until(lambda: ours.fileno() == -1)


async def test_a_transport_that_still_sends_lives_without_being_held(loop: Loop) -> None:
    ours, peer = tcp_pair()
    data = bytes(20_000_000)
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
    transport.write(data)
    transport.close()
    del transport
    gc.collect()

    def receive() -> int:
        received = 0
        while piece := len(peer.recv(1 << 20)):
            received += piece
        return received

    assert await loop.run_in_executor(None, receive) == len(data)
    peer.close()


async def test_garbage_collections_find_no_fault_in_open_connections(connect: Connector) -> None:
    connections = [await connect(Recorder) for _ in range(20)]
    for _ in range(5):
        for connection in connections:
            connection.peer.send(b"x")
            connection.transport.write(b"y")
        gc.collect()
        await turns()
        gc.collect()
    await until(lambda: all(c.protocol.received == b"xxxxx" for c in connections))
    for connection in connections:
        assert connection.peer.receive(5) == b"yyyyy"


@pytest.mark.skipif(sys.version_info < (3, 15), reason="before 3.15 each call has its own copy")
async def test_the_methods_of_a_protocol_share_a_context(loop: Loop) -> None:
    seen = ContextVar("seen", default="nothing")
    values: list[str] = []

    class Protocol(asyncio.Protocol):
        def connection_made(self, _: asyncio.BaseTransport) -> None:
            seen.set("connection_made")

        def data_received(self, _: bytes) -> None:
            values.append(seen.get())
            seen.set("data_received")

        def connection_lost(self, _: Exception | None) -> None:
            values.append(seen.get())
            lost.set_result(None)

    lost = loop.create_future()
    ours, peer = socket.socketpair()
    await loop.create_connection(Protocol, sock=ours)
    with peer:
        peer.send(b"data")
        await turns(5)
    await lost
    assert values == ["connection_made", "data_received"]
    assert seen.get() == "nothing"
