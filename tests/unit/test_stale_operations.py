"""Operations on a socket that is closed while they wait, or after they were given up.

Its number is the next socket's: whoever comes with that has it to himself, and what waited for the
old one neither sends to the new one nor takes from it.
"""

import asyncio
import contextlib
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.conftest import Loop
from tests.unit.connections import give_up, until
from tests.unit.pollers import USES_EPOLL, is_registered_with_epoll
from tests.unit.successors import Pair, follows_duplicates, received, successors

MUCH = b"x" * 5_000_000
Operate = Callable[[Loop, socket.socket], Awaitable[Any]]


async def send_file(loop: Loop, sock: socket.socket) -> None:
    with tempfile.TemporaryFile() as file:
        file.truncate(len(MUCH))
        await loop.sock_sendfile(sock, file)


WAITING: dict[str, Operate] = {
    "recv": lambda loop, sock: loop.sock_recv(sock, 100),
    "recv_into": lambda loop, sock: loop.sock_recv_into(sock, bytearray(100)),
    "recvfrom": lambda loop, sock: loop.sock_recvfrom(sock, 100),
    "recvfrom_into": lambda loop, sock: loop.sock_recvfrom_into(sock, bytearray(100)),
    "sendall": lambda loop, sock: loop.sock_sendall(sock, MUCH),
    "sendfile": send_file,
}
operations = pytest.mark.parametrize("operation", list(WAITING))


async def start(loop: Loop, operation: str, sock: socket.socket) -> "asyncio.Future[Any]":
    task = asyncio.ensure_future(WAITING[operation](loop, sock))
    await asyncio.sleep(0.001)
    if operation == "sendfile":  # another thread may be sending still
        await until(lambda: not select.select([], [sock], [], 0)[1])
        if USES_EPOLL:  # its answer has come once the loop waits for room
            await until(lambda: is_registered_with_epoll(sock))
        else:
            await asyncio.sleep(0.01)
    assert not task.done()
    return task


async def use_all_ways(loop: Loop, pair: Pair) -> None:
    """Whatever may be done with a connection works with this one, and nothing else is in it."""
    ours, peer = pair
    await loop.sock_sendall(ours, b"sent")
    assert received(peer) == b"sent"
    loop.call_later(0.001, peer.send, b"received")
    assert await asyncio.wait_for(loop.sock_recv(ours, 100), 20) == b"received"

    readable, writable = loop.create_future(), loop.create_future()
    loop.add_reader(ours, lambda: readable.done() or readable.set_result(None))
    loop.add_writer(ours, lambda: writable.done() or writable.set_result(None))
    await asyncio.wait_for(writable, 20)
    assert not readable.done()
    peer.send(b"watched")
    await asyncio.wait_for(readable, 20)
    assert loop.remove_reader(ours)
    assert loop.remove_writer(ours)
    assert await loop.sock_recv(ours, 100) == b"watched"

    sending = asyncio.ensure_future(loop.sock_sendall(ours, MUCH))
    taken = 0
    while taken < len(MUCH):
        chunk = await loop.sock_recv(peer, 1 << 20)
        assert chunk.count(b"x") == len(chunk)
        taken += len(chunk)
    await sending


@operations
async def test_a_successor_is_free_of_an_operation_that_was_given_up(
    loop: Loop, pair: Pair, operation: str
) -> None:
    number = pair[0].fileno()
    await give_up(WAITING[operation](loop, pair[0]))
    for sock in pair:
        sock.close()
    ours, peer = successors(number)
    with ours, peer:
        await use_all_ways(loop, (ours, peer))


@operations
async def test_a_successor_is_free_of_an_operation_that_waits_for_ever(
    loop: Loop, pair: Pair, operation: str
) -> None:
    number = pair[0].fileno()
    task = await start(loop, operation, pair[0])
    for sock in pair:
        sock.close()
    ours, peer = successors(number)
    with ours, peer:
        peer.send(b"for the successor")
        await loop.sock_sendall(ours, b"hello")
        await asyncio.sleep(0.01)
        assert received(peer) == b"hello"
        assert received(ours) == b"for the successor"
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if operation != "sendfile":  # asyncio forgets the writer of a closed socket there
            await use_all_ways(loop, (ours, peer))


@follows_duplicates
@operations
async def test_a_duplicate_that_gets_ready_ends_an_operation(
    loop: Loop, pair: Pair, operation: str
) -> None:
    task = await start(loop, operation, pair[0])
    with pair[0].dup():
        pair[0].close()
        pair[1].send(b"for the duplicate")
        with contextlib.suppress(BlockingIOError):
            while pair[1].recv(1 << 20):
                pass
        with pytest.raises(OSError, match="Bad file descriptor"):
            await asyncio.wait_for(task, 20)


async def test_a_cancelled_connect_leaves_nothing_to_the_next(loop: Loop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        for _ in range(3):
            client = socket.socket()
            client.setblocking(False)
            await asyncio.wait_for(loop.sock_connect(client, server.getsockname()), 20)
            await give_up(loop.sock_sendall(client, MUCH))
            client.close()


async def test_a_cancelled_recv_leaves_nothing_to_an_accept(loop: Loop, pair: Pair) -> None:
    number = pair[0].fileno()
    await give_up(loop.sock_recv(pair[0], 1))
    for sock in pair:
        sock.close()
    server, _ = successors(
        number, lambda: (socket.create_server(("127.0.0.1", 0)), socket.socket())
    )
    with server, _, socket.socket() as client:
        client.setblocking(False)
        accepting = asyncio.ensure_future(loop.sock_accept(server))
        await asyncio.sleep(0.001)
        await loop.sock_connect(client, server.getsockname())
        accepted, _ = await asyncio.wait_for(accepting, 20)
        accepted.close()


@operations
@pytest.mark.parametrize("is_given_up", [True, False])
async def test_a_successors_transport_and_server_work(
    loop: Loop, pair: Pair, operation: str, is_given_up: bool
) -> None:
    number = pair[0].fileno()
    task = await start(loop, operation, pair[0])
    if is_given_up:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    for sock in pair:
        sock.close()
    ours, peer = successors(number)
    with peer:
        received_by_protocol = loop.create_future()

        class Protocol(asyncio.Protocol):
            def data_received(self, data: bytes) -> None:
                received_by_protocol.set_result(data)

        if is_given_up:
            transport, _ = await loop.create_connection(Protocol, sock=ours)
            transport.write(b"written")
            peer.send(b"received")
            assert await asyncio.wait_for(received_by_protocol, 20) == b"received"
            assert received(peer) == b"written"
            transport.abort()
            await asyncio.sleep(0.001)
        else:
            ours.close()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@operations
async def test_a_process_that_ends_is_noticed(loop: Loop, pair: Pair, operation: str) -> None:
    """Its pidfd may have any number that is free."""
    await give_up(WAITING[operation](loop, pair[0]))
    for sock in pair:
        sock.close()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "", stdin=subprocess.DEVNULL
    )
    assert await asyncio.wait_for(process.wait(), 20) == 0


@pytest.mark.parametrize("end", ["reader", "writer"])
async def test_a_stale_reader_is_not_called_for_a_successor(
    loop: Loop, pair: Pair, end: str
) -> None:
    number = pair[0].fileno()
    calls: list[str] = []
    if end == "writer":
        with contextlib.suppress(BlockingIOError):
            while pair[0].send(MUCH):
                pass
    getattr(loop, f"add_{end}")(pair[0], calls.append, "stale")
    await asyncio.sleep(0.001)
    for sock in pair:
        sock.close()
    ours, peer = successors(number)
    with ours, peer:
        peer.send(b"for the successor")
        await asyncio.sleep(0.01)
        assert await loop.sock_recv(ours, 100) == b"for the successor"
        await asyncio.sleep(0.01)
        assert calls == []
        assert getattr(loop, f"remove_{end}")(number)


@pytest.mark.parametrize("end", ["reader", "writer"])
async def test_who_was_ready_before_its_file_was_closed_is_not_called_for_a_successor(
    loop: Loop, pair: Pair, end: str
) -> None:
    number = pair[0].fileno()
    calls: list[str] = []
    if end == "writer":
        with contextlib.suppress(BlockingIOError):
            while pair[0].send(MUCH):
                pass

    def close_what_is_ready() -> tuple[socket.socket, socket.socket]:
        if end == "writer":
            with contextlib.suppress(BlockingIOError):
                while pair[1].recv(len(MUCH)):
                    pass
        else:
            pair[1].send(b"for the one before")
        time.sleep(0.005)  # an I/O thread finds that out meanwhile
        for sock in pair:
            sock.close()
        return successors(number)

    getattr(loop, f"add_{end}")(pair[0], calls.append, "stale")
    await asyncio.sleep(0.001)
    for _ in range(3):
        await asyncio.sleep(0)  # in a batch, while the I/O may be elsewhere
    ours, peer = close_what_is_ready()
    with ours, peer:
        peer.send(b"for the successor")
        await asyncio.sleep(0.01)
        assert calls == []
        assert received(ours) == b"for the successor"
