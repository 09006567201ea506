"""Files that are closed here and live on as duplicates elsewhere, and descriptors in two uses."""

import asyncio
import os
import socket
import tempfile
import time

import pytest

from tests.conftest import Loop
from tests.unit.successors import Pair, received, successors

SIZE = 3_000_000


async def busy_share() -> float:
    """How much of a core this thread takes while nothing is to be done."""
    before = time.thread_time()
    await asyncio.sleep(0.2)
    return (time.thread_time() - before) / 0.2


@pytest.mark.parametrize("is_reused", [False, True])
async def test_the_loop_sleeps_while_a_duplicate_is_ready(
    loop: Loop, pair: Pair, is_reused: bool
) -> None:
    loop.call_later(0.002, pair[1].send, b"x")
    assert await loop.sock_recv(pair[0], 100) == b"x"
    number = pair[0].fileno()
    with pair[0].dup() as duplicate:
        pair[0].close()
        pair[1].send(b"for the duplicate")
        ours, peer = successors(number) if is_reused else socket.socketpair()
        with ours, peer:
            ours.setblocking(False)
            assert await busy_share() < 0.5
            loop.call_later(0.002, peer.send, b"for the successor")
            assert await loop.sock_recv(ours, 100) == b"for the successor"
            assert await busy_share() < 0.5
        assert received(duplicate) == b"for the duplicate"


async def test_all_else_is_watched_on_after_a_duplicate_was_dropped(loop: Loop, pair: Pair) -> None:
    others = [socket.socketpair() for _ in range(5)]
    for sock, _ in others:
        sock.setblocking(False)
    receiving = [asyncio.ensure_future(loop.sock_recv(sock, 100)) for sock, _ in others]
    woken = loop.create_future()
    loop.add_writer(others[0][1], lambda: woken.done() or woken.set_result(None))
    await woken
    loop.remove_writer(others[0][1])
    loop.call_later(0.002, pair[1].send, b"x")
    assert await loop.sock_recv(pair[0], 100) == b"x"
    with pair[0].dup():
        pair[0].close()
        pair[1].send(b"for the duplicate")
        await asyncio.sleep(0.01)
        for number, (_, peer) in enumerate(others):
            peer.send(b"%d" % number)
        results = await asyncio.wait_for(asyncio.gather(*receiving), 20)
        assert results == [b"%d" % number for number in range(5)]
        loop.call_soon_threadsafe(lambda: None)
        assert await busy_share() < 0.5
    for two in others:
        for sock in two:
            sock.close()


async def test_a_transport_reads_while_a_file_is_sent(loop: Loop, pair: Pair) -> None:
    """As a server that answers with a file while it still receives."""
    data = bytearray()

    class Protocol(asyncio.Protocol):
        def data_received(self, received: bytes) -> None:
            data.extend(received)

    transport, _ = await loop.create_connection(Protocol, sock=pair[0])
    with tempfile.TemporaryFile() as file:
        file.truncate(SIZE)
        sending = asyncio.ensure_future(loop.sendfile(transport, file))
        await asyncio.sleep(0.001)
        transport.resume_reading()
        pair[1].send(b"during")
        taken = 0
        while taken < SIZE:
            taken += len(await asyncio.wait_for(loop.sock_recv(pair[1], 1 << 20), 20))
        assert await asyncio.wait_for(sending, 20) == SIZE
    assert data == b"during"
    transport.write(b"after")
    pair[1].send(b" and after")
    assert await loop.sock_recv(pair[1], 100) == b"after"
    await asyncio.sleep(0.01)
    assert data == b"during and after"
    transport.abort()
    await asyncio.sleep(0.001)


async def test_a_reader_and_an_operation_share_a_socket(loop: Loop, pair: Pair) -> None:
    calls: list[bytes | None] = []
    loop.add_reader(pair[0].fileno(), lambda: calls.append(received(pair[0])))
    sending = asyncio.ensure_future(loop.sock_sendall(pair[0], bytes(SIZE)))
    await asyncio.sleep(0.001)
    pair[1].send(b"meanwhile")
    taken = 0
    while taken < SIZE:
        taken += len(await loop.sock_recv(pair[1], 1 << 20))
    await sending
    assert calls == [b"meanwhile"]
    assert loop.remove_reader(pair[0])


async def test_two_objects_of_one_descriptor_share_it(loop: Loop, pair: Pair) -> None:
    twin = socket.socket(fileno=os.dup(pair[0].fileno()))
    same = socket.socket(fileno=pair[0].fileno())
    try:
        sending = asyncio.ensure_future(loop.sock_sendall(pair[0], bytes(SIZE)))
        receiving = asyncio.ensure_future(loop.sock_recv(same, 100))
        await asyncio.sleep(0.001)
        pair[1].send(b"for the twin")
        assert await asyncio.wait_for(receiving, 20) == b"for the twin"
        taken = 0
        while taken < SIZE:
            taken += len(await loop.sock_recv(pair[1], 1 << 20))
        await sending
    finally:
        same.detach()
        twin.close()
