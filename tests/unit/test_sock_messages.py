"""Sizes of what `sock_*` operations receive: nothing at all, and more than a buffer of a loop's."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from tests.conftest import Loop

LENGTH = 400_000  # more than asyncio's transports take at a time, less than a message may have
ROOM = 1 << 20

Receive = Callable[[Loop, socket.socket, int], Awaitable[bytes]]


async def recv(loop: Loop, sock: socket.socket, room: int) -> bytes:
    return await loop.sock_recv(sock, room)


async def recv_into(loop: Loop, sock: socket.socket, room: int) -> bytes:
    buffer = bytearray(room)
    return bytes(buffer[: await loop.sock_recv_into(sock, buffer)])


async def recvfrom(loop: Loop, sock: socket.socket, room: int) -> bytes:
    return (await loop.sock_recvfrom(sock, room))[0]


async def recvfrom_into(loop: Loop, sock: socket.socket, room: int) -> bytes:
    buffer = bytearray(room)
    return bytes(buffer[: (await loop.sock_recvfrom_into(sock, buffer))[0]])


RECEIVES = [recv, recv_into, recvfrom, recvfrom_into]


@contextlib.contextmanager
def pair(kind: int) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two Unix sockets that do not block, with room for a long message."""
    ours, peer = socket.socketpair(socket.AF_UNIX, kind)
    with ours, peer:
        for sock in (ours, peer):
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ROOM)
        yield ours, peer


KINDS = [socket.SOCK_DGRAM, socket.SOCK_SEQPACKET]


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, *KINDS])
@pytest.mark.parametrize("receive", [recv, recv_into])
@pytest.mark.parametrize("is_used", [False, True])
async def test_who_asks_for_nothing_gets_it_at_once_and_takes_nothing(
    loop: Loop, kind: int, receive: Receive, is_used: bool
) -> None:
    with pair(kind) as (ours, peer):
        if is_used:
            loop.call_later(0.001, peer.send, b"before")
            assert await receive(loop, ours, 100) == b"before"
        assert await asyncio.wait_for(receive(loop, ours, 0), 5) == b""
        peer.send(b"a message")
        assert await receive(loop, ours, 0) == b""
        assert ours.recv(100) == b"a message"


@pytest.mark.parametrize("receive", [recv, recv_into])
async def test_who_asks_a_closed_socket_for_nothing_gets_it(loop: Loop, receive: Receive) -> None:
    with pair(socket.SOCK_STREAM) as (ours, _):
        ours.close()
        assert await receive(loop, ours, 0) == b""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("receive", [recvfrom, recvfrom_into])
async def test_who_asks_for_nothing_and_an_address_takes_a_message(
    loop: Loop, kind: int, receive: Receive
) -> None:
    with pair(kind) as (ours, peer):
        loop.call_later(0.001, peer.send, b"gone")
        assert await asyncio.wait_for(receive(loop, ours, 0), 5) == b""
        with pytest.raises(BlockingIOError):
            ours.recv(100)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("receive", RECEIVES)
@pytest.mark.parametrize("delay", [None, 0.001])
async def test_a_long_message_comes_whole(
    loop: Loop, kind: int, receive: Receive, delay: float | None
) -> None:
    message = bytes(range(256)) * (LENGTH // 256)
    with pair(kind) as (ours, peer):
        for _ in range(2):
            if delay is None:
                peer.send(message)
            else:
                loop.call_later(delay, peer.send, message)
            assert await receive(loop, ours, ROOM) == message
            peer.send(b"short")
            assert await receive(loop, ours, ROOM) == b"short"


@pytest.mark.parametrize("receive", RECEIVES)
@pytest.mark.parametrize("room", [1, 3, 1000])
async def test_a_message_is_cut_to_what_was_asked_for(
    loop: Loop, receive: Receive, room: int
) -> None:
    with pair(socket.SOCK_SEQPACKET) as (ours, peer):
        for delay in (0, 0.001):
            loop.call_later(delay, peer.send, b"abcd" * 1000)
            loop.call_later(delay, peer.send, b"next")
            assert await receive(loop, ours, room) == (b"abcd" * 1000)[:room]
            assert await receive(loop, ours, room) == b"next"[:room]


async def test_an_empty_message_is_received(loop: Loop) -> None:
    with pair(socket.SOCK_DGRAM) as (ours, peer):
        for receive in RECEIVES:
            peer.send(b"")
            assert await receive(loop, ours, 100) == b""


async def test_a_stream_gives_all_that_was_asked_for(loop: Loop) -> None:
    with pair(socket.SOCK_STREAM) as (ours, peer):
        assert peer.send(bytes(LENGTH)) == LENGTH
        assert len(await loop.sock_recv(ours, ROOM)) == LENGTH


@pytest.mark.parametrize("receive", RECEIVES)
@pytest.mark.parametrize("room", [100, ROOM])
async def test_what_cannot_be_received_is_an_error(loop: Loop, receive: Receive, room: int) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as unconnected:
        unconnected.setblocking(False)
        for _ in range(2):
            with pytest.raises(OSError, match="not connected"):
                await receive(loop, unconnected, room)


async def test_a_view_of_larger_items_is_filled_as_asyncio_does(loop: Loop) -> None:
    # The operation asks for as many bytes as the view has items.
    buffer: Any = memoryview(bytearray(16)).cast("I")
    with pair(socket.SOCK_DGRAM) as (ours, peer):
        peer.send(b"0123456789")
        assert (await loop.sock_recvfrom_into(ours, buffer))[0] == 4
        peer.send(b"0123456789")
        assert await loop.sock_recv_into(ours, buffer) == 10
