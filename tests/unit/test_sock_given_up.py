"""Operations that are cancelled in the very batch in which their sockets get ready.

The calls that come first in a batch may give up what waits for a socket. It has taken nothing then:
whoever uses the socket next, the program itself included, finds all there was.
"""

import asyncio
import contextlib
import socket
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Loop
from tests.unit.connections import tcp_pair, turns
from tests.unit.datagrams import FILLER, full_mailbox, receive_all
from tests.unit.pollers import USES_POLL

Pair = tuple[socket.socket, socket.socket]
Operation = Callable[[Loop, socket.socket, bytearray], Awaitable[Any]]

UNTOUCHED = b"untouched"

RECEIVES: dict[str, Operation] = {
    "recv": lambda loop, sock, _: loop.sock_recv(sock, 100),
    "recv_into": lambda loop, sock, buffer: loop.sock_recv_into(sock, buffer),
    "recvfrom": lambda loop, sock, _: loop.sock_recvfrom(sock, 100),
    "recvfrom_into": lambda loop, sock, buffer: loop.sock_recvfrom_into(sock, buffer),
}


async def give_up_as_it_gets_ready(
    loop: Loop, operation: Awaitable[object], make_ready: Callable[[], object], by: str
) -> None:
    """Cancels the operation by a call that comes before it in the batch in which it is due."""
    task = asyncio.ensure_future(operation)
    await turns(3)
    await asyncio.sleep(0.005)  # another thread may be trying to send from a file
    assert not task.done()
    if by == "call":

        def arrives() -> None:
            make_ready()
            loop.call_soon(task.cancel)
            time.sleep(0.001)  # longer than any loop goes without a look at what is ready

        loop.call_soon(arrives)
        await asyncio.wait([task])
    else:
        first, first_peer = socket.socketpair()
        with first, first_peer:
            loop.add_reader(first, lambda: (first.recv(1), task.cancel()))
            # A loop whose turns take microseconds doesn't ask the kernel in each. Until it has, the
            # operation's socket is on the kernel's list, from the time before, and comes first.
            await asyncio.sleep(0.001)
            first_peer.send(b"x")  # the poller tells of it first
            make_ready()
            await asyncio.wait([task])
            loop.remove_reader(first)
    assert task.cancelled()


in_the_order_of_events = pytest.mark.skipif(
    USES_POLL,
    reason="poll(2) tells of descriptors by their places, whatever came first",
)

BY = pytest.mark.parametrize("by", ["call", pytest.param("reader", marks=in_the_order_of_events)])


@BY
@pytest.mark.parametrize("name", RECEIVES)
@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET])
async def test_a_receive_takes_nothing(loop: Loop, by: str, name: str, kind: int) -> None:
    ours, peer = socket.socketpair(socket.AF_UNIX, kind)
    with ours, peer:
        ours.setblocking(False)
        for _ in range(3):
            buffer = bytearray(UNTOUCHED)
            operation = RECEIVES[name](loop, ours, buffer)
            await give_up_as_it_gets_ready(loop, operation, lambda: peer.send(b"precious"), by)
            assert buffer == UNTOUCHED
            assert ours.recv(100) == b"precious"


@BY
@pytest.mark.parametrize("name", RECEIVES)
@pytest.mark.parametrize("next_name", RECEIVES)
async def test_the_next_receive_gets_it(loop: Loop, by: str, name: str, next_name: str) -> None:
    ours, peer = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, peer:
        ours.setblocking(False)
        operation = RECEIVES[name](loop, ours, bytearray(100))
        await give_up_as_it_gets_ready(loop, operation, lambda: peer.send(b"precious"), by)
        buffer = bytearray(8)
        received = await asyncio.wait_for(RECEIVES[next_name](loop, ours, buffer), 5)
        assert received in (b"precious", 8, (b"precious", None), (8, None))
        assert next_name.endswith("into") == (buffer == b"precious")


@BY
async def test_an_error_is_told_to_the_next(loop: Loop, by: str) -> None:
    ours, peer = tcp_pair()
    with ours, peer:
        ours.setblocking(False)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        await give_up_as_it_gets_ready(loop, loop.sock_recv(ours, 100), peer.close, by)
        with pytest.raises(ConnectionResetError):
            ours.recv(100)


@BY
async def test_a_reader_and_a_transport_find_it(loop: Loop, by: str) -> None:
    ours, peer = socket.socketpair()
    with ours, peer:
        ours.setblocking(False)
        await give_up_as_it_gets_ready(
            loop, loop.sock_recv(ours, 100), lambda: peer.send(b"precious"), by
        )
        readable = loop.create_future()
        loop.add_reader(ours, lambda: readable.done() or readable.set_result(None))
        await asyncio.wait_for(readable, 5)
        loop.remove_reader(ours)
        reader, writer = await asyncio.open_connection(sock=ours)
        assert await asyncio.wait_for(reader.read(100), 5) == b"precious"
        writer.close()
        await writer.wait_closed()


def fill(sock: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        while True:
            sock.send(bytes(1 << 16))


def drain(sock: socket.socket) -> bytes:
    received = bytearray()
    with contextlib.suppress(BlockingIOError):
        while True:
            received += sock.recv(1 << 16)
    return bytes(received)


@BY
async def test_a_sendall_sends_no_more(loop: Loop, pair: Pair, by: str) -> None:
    ours, peer = pair
    fill(ours)
    await give_up_as_it_gets_ready(
        loop, loop.sock_sendall(ours, b"never mind"), lambda: drain(peer), by
    )
    await turns(3)
    assert drain(peer) == b""
    await loop.sock_sendall(ours, b"after all")
    assert drain(peer) == b"after all"


@BY
async def test_a_sendfile_sends_no_more(loop: Loop, pair: Pair, by: str) -> None:
    ours, peer = pair
    with tempfile.TemporaryFile() as file:
        file.write(b"never mind")
        file.seek(0)
        fill(ours)
        operation = loop.sock_sendfile(ours, file, fallback=False)
        await give_up_as_it_gets_ready(loop, operation, lambda: drain(peer), by)
        await turns(3)
        assert drain(peer) == b""
        assert file.tell() == 0


@BY
async def test_a_sendto_sends_nothing(loop: Loop, tmp_path: Path, by: str) -> None:
    with (
        full_mailbox(tmp_path) as mailbox,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours,
    ):
        ours.setblocking(False)
        ours.connect(mailbox.getsockname())  # or else it counts as ready all the time
        operation = loop.sock_sendto(ours, b"never mind", mailbox.getsockname())
        await give_up_as_it_gets_ready(loop, operation, lambda: receive_all(mailbox), by)
        await turns(3)
        assert set(receive_all(mailbox)) <= {FILLER}


@BY
async def test_an_accept_takes_no_connection(loop: Loop, loop_name: str, by: str) -> None:
    if loop_name == "asyncio":
        pytest.skip("drops the connection in versions before the fix of CPython's issue 153761")
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as client:
        listener.setblocking(False)
        await give_up_as_it_gets_ready(
            loop,
            loop.sock_accept(listener),
            lambda: client.connect(listener.getsockname()),
            by,
        )
        accepted, address = await asyncio.wait_for(loop.sock_accept(listener), 5)
        accepted.close()
        assert address == client.getsockname()


async def test_a_buffer_that_is_being_sent_is_held_while_it_waits(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    fill(ours)
    data = bytearray(b"payload")
    sending = asyncio.ensure_future(loop.sock_sendall(ours, data))
    await turns(3)
    with pytest.raises(BufferError):
        data.extend(b"more")
    data[:] = b"changed"  # as asyncio, which sends what is there then
    drain(peer)
    await sending
    assert drain(peer) == b"changed"
    data.extend(b"nobody holds it")
