"""A transport whose socket or pipe its user closes: it ends, and spares who has its number next.

As in asyncio: nothing is told of the closing, and whatever is done next meets EBADF.
"""

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Loop
from tests.unit.successors import Pair, follows_duplicates, received, successors


class Recorder(asyncio.Protocol, asyncio.DatagramProtocol):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.received = b""
        self.errors: list[Exception] = []
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.received += data

    def datagram_received(self, data: bytes, _: Any) -> None:
        self.received += data

    def error_received(self, exc: Exception) -> None:
        self.errors.append(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(exc)


async def stream(loop: Loop, pair: Pair) -> tuple[Any, Recorder]:
    return await loop.create_connection(Recorder, sock=pair[0])


def datagram_pair() -> Pair:
    """Two sockets that are connected with each other."""
    ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ours.bind(("127.0.0.1", 0))
    peer.bind(("127.0.0.1", 0))
    ours.connect(peer.getsockname())
    peer.connect(ours.getsockname())
    return ours, peer


def close_both(pair: Pair) -> int:
    number = pair[0].fileno()
    pair[0].close()
    pair[1].close()
    return number


@pytest.mark.parametrize(
    "write",
    [
        lambda transport: transport.write(b"data"),
        lambda transport: transport.writelines([b"da", b"ta"]),
        lambda transport: transport.write(b"data" * 1_000_000),
    ],
)
async def test_what_is_written_is_lost_with_the_connection(
    loop: Loop, pair: Pair, write: Callable[[Any], None]
) -> None:
    transport, protocol = await stream(loop, pair)
    ours, peer = successors(close_both(pair))
    write(transport)
    exc = await asyncio.wait_for(protocol.lost, 20)
    assert isinstance(exc, OSError)
    assert exc.errno == errno.EBADF
    assert received(peer) is None
    ours.close()
    peer.close()


@pytest.mark.parametrize("end", ["close", "abort"])
async def test_its_end_leaves_the_successor_connected(loop: Loop, pair: Pair, end: str) -> None:
    transport, protocol = await stream(loop, pair)
    ours, peer = successors(close_both(pair))
    getattr(transport, end)()
    assert await asyncio.wait_for(protocol.lost, 20) is None
    await loop.sock_sendall(ours, b"still there")
    assert received(peer) == b"still there"
    ours.close()
    peer.close()


async def test_write_eof_does_not_end_the_successor(loop: Loop, pair: Pair) -> None:
    transport, _ = await stream(loop, pair)
    ours, peer = successors(close_both(pair))
    with pytest.raises(OSError, match="Bad file descriptor"):
        transport.write_eof()
    assert received(peer) is None
    transport.abort()
    ours.close()
    peer.close()


async def test_who_reads_again_loses_the_connection(loop: Loop, pair: Pair) -> None:
    transport, protocol = await stream(loop, pair)
    transport.pause_reading()
    await asyncio.sleep(0.001)
    ours, peer = successors(close_both(pair))
    peer.send(b"for the successor")
    transport.resume_reading()
    exc = await asyncio.wait_for(protocol.lost, 20)
    assert isinstance(exc, OSError)
    assert exc.errno == errno.EBADF
    assert protocol.received == b""
    assert received(ours) == b"for the successor"
    ours.close()
    peer.close()


async def test_who_reads_again_where_nobody_has_the_number_is_refused(
    loop: Loop, pair: Pair
) -> None:
    transport, protocol = await stream(loop, pair)
    transport.pause_reading()
    await asyncio.sleep(0.001)
    close_both(pair)
    with pytest.raises(OSError, match="Bad file descriptor"):
        transport.resume_reading()
    transport.abort()
    assert await asyncio.wait_for(protocol.lost, 20) is None


async def test_nothing_is_read_of_the_successor(loop: Loop, pair: Pair) -> None:
    transport, protocol = await stream(loop, pair)
    await asyncio.sleep(0.001)
    ours, peer = successors(close_both(pair))
    peer.send(b"for the successor")
    await asyncio.sleep(0.01)
    assert protocol.received == b""
    assert await loop.sock_recv(ours, 100) == b"for the successor"
    transport.abort()
    ours.close()
    peer.close()


async def test_resuming_to_read_says_that_it_is_closed(loop: Loop, pair: Pair) -> None:
    transport, _ = await stream(loop, pair)
    transport.pause_reading()
    await asyncio.sleep(0)
    pair[0].close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        transport.resume_reading()
    transport.abort()


@follows_duplicates
async def test_a_duplicate_that_gets_ready_ends_the_connection(loop: Loop, pair: Pair) -> None:
    _, protocol = await stream(loop, pair)
    await asyncio.sleep(0.001)
    duplicate = pair[0].dup()
    pair[0].close()
    pair[1].send(b"for the duplicate")
    exc = await asyncio.wait_for(protocol.lost, 20)
    assert isinstance(exc, OSError)
    assert exc.errno == errno.EBADF
    assert received(duplicate) == b"for the duplicate"
    duplicate.close()


async def test_the_number_stays_the_transports_until_it_ends(loop: Loop, pair: Pair) -> None:
    transport, protocol = await stream(loop, pair)
    ours, peer = successors(close_both(pair))
    with pytest.raises(RuntimeError, match="is used by transport"):
        loop.add_reader(ours, lambda: None)
    with pytest.raises(RuntimeError, match="is used by transport"):
        loop.add_writer(ours, lambda: None)
    with pytest.raises(RuntimeError, match="is used by transport"):
        await loop.sock_recv(ours, 1)
    transport.abort()
    await protocol.lost
    peer.send(b"x")
    assert await loop.sock_recv(ours, 1) == b"x"
    ours.close()
    peer.close()


async def test_the_successors_transport_is_known_after_the_old_one_has_ended(
    loop: Loop, pair: Pair
) -> None:
    old, old_protocol = await stream(loop, pair)
    successor = successors(close_both(pair))
    old.abort()
    new, new_protocol = await stream(loop, successor)
    await old_protocol.lost
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="is used by transport"):
        loop.add_reader(successor[0].fileno(), lambda: None)
    successor[1].send(b"for the new one")
    new.write(b"from the new one")
    await asyncio.sleep(0.01)
    assert new_protocol.received == b"for the new one"
    assert received(successor[1]) == b"from the new one"
    new.abort()
    await new_protocol.lost
    successor[1].close()


async def test_a_datagram_is_refused_and_the_successors_left_alone(loop: Loop) -> None:
    first = datagram_pair()
    transport, protocol = await loop.create_datagram_endpoint(Recorder, sock=first[0])
    await asyncio.sleep(0.001)
    ours, peer = successors(close_both(first), datagram_pair)
    peer.send(b"for the successor")
    transport.sendto(b"from the old one")
    await asyncio.sleep(0.01)
    assert [getattr(exc, "errno", None) for exc in protocol.errors] == [errno.EBADF]
    assert protocol.received == b""
    assert received(peer) is None
    assert received(ours) == b"for the successor"
    transport.abort()
    assert await protocol.lost is None
    ours.close()
    peer.close()


async def test_a_pipe_that_is_closed_can_be_aborted(loop: Loop) -> None:
    reading, writing = os.pipe()
    pipe = os.fdopen(writing, "wb", buffering=0)
    transport, protocol = await loop.connect_write_pipe(Recorder, pipe)
    assert isinstance(protocol, Recorder)
    pipe.close()
    os.close(reading)
    transport.abort()
    assert await protocol.lost is None
