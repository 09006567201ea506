"""`sock_*` operations that are given up, and descriptors that come back as other sockets."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator

import pytest

from tests.conftest import Loop
from tests.unit.connections import give_up, tcp_pair

Pair = tuple[socket.socket, socket.socket]


def nonblocking_pair() -> Pair:
    ours, peer = tcp_pair()
    ours.setblocking(False)
    peer.setblocking(False)
    return ours, peer


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two connected TCP sockets that do not block."""
    ours, peer = nonblocking_pair()
    with ours, peer:
        yield ours, peer


async def test_recv_works_after_a_cancelled_recv(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    for number in range(10):
        await give_up(loop.sock_recv(ours, 100))
        peer.send(b"%d" % number)
        assert await loop.sock_recv(ours, 100) == b"%d" % number


async def test_a_cancelled_recv_takes_no_data(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    task = asyncio.ensure_future(loop.sock_recv(ours, 100))
    await asyncio.sleep(0.001)
    task.cancel()
    peer.send(b"for the next")
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await loop.sock_recv(ours, 100) == b"for the next"


async def test_recv_after_a_cancelled_recv_is_not_disturbed_by_its_removal(
    loop: Loop, pair: Pair
) -> None:
    # The old operation's clean-up runs an iteration later: it must leave the new one alone.
    ours, peer = pair
    first = asyncio.ensure_future(loop.sock_recv(ours, 100))
    await asyncio.sleep(0.001)
    first.cancel()
    second = asyncio.ensure_future(loop.sock_recv(ours, 100))
    await asyncio.sleep(0.002)
    peer.send(b"for the second")
    assert await asyncio.wait_for(second, 20) == b"for the second"
    assert first.cancelled()


async def test_recv_into_leaves_the_buffer_alone_after_its_cancellation(
    loop: Loop, pair: Pair
) -> None:
    ours, peer = pair
    buffer = bytearray(b"unchanged")
    await give_up(loop.sock_recv_into(ours, buffer))
    peer.send(b"something")
    await asyncio.sleep(0.002)
    assert buffer == b"unchanged"
    buffer.extend(b"the buffer is not held any more")
    assert await loop.sock_recv(ours, 100) == b"something"


async def test_sendall_works_after_a_cancelled_sendall(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    await give_up(loop.sock_sendall(ours, b"x" * 20_000_000))
    received = bytearray()
    while True:
        try:
            received += await asyncio.wait_for(loop.sock_recv(peer, 1 << 20), 0.05)
        except TimeoutError:
            break
    assert set(received) == {ord("x")}
    await loop.sock_sendall(ours, b"next")
    assert await loop.sock_recv(peer, 100) == b"next"


async def test_accept_works_after_a_cancelled_accept(loop: Loop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        for _ in range(5):
            await give_up(loop.sock_accept(listener))
            with socket.create_connection(listener.getsockname()) as client:
                accepted, address = await loop.sock_accept(listener)
                accepted.close()
                assert address == client.getsockname()


async def test_a_new_socket_on_a_descriptor_is_not_the_old_one(loop: Loop) -> None:
    for number in range(50):
        ours, peer = nonblocking_pair()
        with ours, peer:
            receiving = asyncio.ensure_future(loop.sock_recv(ours, 100))
            await asyncio.sleep(0)
            await loop.sock_sendall(peer, b"%d" % number)
            assert await receiving == b"%d" % number


async def test_a_socket_closed_after_a_cancelled_recv_leaves_nothing_to_its_successor(
    loop: Loop,
) -> None:
    for number in range(20):
        old, old_peer = nonblocking_pair()
        await give_up(loop.sock_recv(old, 100))
        old_peer.send(b"never read")
        old.close()
        new, new_peer = nonblocking_pair()
        receiving = asyncio.ensure_future(loop.sock_recv(new, 100))
        await asyncio.sleep(0.001)
        assert not receiving.done()
        await loop.sock_sendall(new_peer, b"%d" % number)
        assert await receiving == b"%d" % number
        for sock in (old_peer, new, new_peer):
            sock.close()


async def test_a_finished_recv_leaves_nothing_to_a_transport_on_its_descriptor(
    loop: Loop,
) -> None:
    for _ in range(10):
        old, old_peer = nonblocking_pair()
        old_peer.send(b"x")
        receiving = asyncio.ensure_future(loop.sock_recv(old, 1))
        await receiving
        old.close()
        old_peer.close()
        new, new_peer = nonblocking_pair()
        lost = loop.create_future()

        class Protocol(asyncio.Protocol):
            received = b""

            def data_received(self, data: bytes) -> None:
                self.received += data

            def connection_lost(self, _: object, lost: asyncio.Future[None] = lost) -> None:
                lost.set_result(None)

        _, protocol = await loop.create_connection(Protocol, sock=new)
        new_peer.send(b"for the transport")
        new_peer.close()
        await asyncio.wait_for(lost, 20)
        assert protocol.received == b"for the transport"


async def test_a_socket_that_was_received_from_becomes_a_transport(loop: Loop, pair: Pair) -> None:
    # As HTTP proxies do it: read the head with sock_recv, hand the rest to a transport.
    ours, peer = pair
    receiving = asyncio.ensure_future(loop.sock_recv(ours, 4))
    await asyncio.sleep(0.001)
    peer.send(b"headbody")
    assert await receiving == b"head"
    received: asyncio.Future[bytes] = loop.create_future()

    class Protocol(asyncio.Protocol):
        def data_received(self, data: bytes) -> None:
            received.set_result(data)

    transport, _ = await loop.create_connection(Protocol, sock=ours)
    assert await asyncio.wait_for(received, 20) == b"body"
    transport.abort()
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_a_socket_that_was_received_from_can_be_watched(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    receiving = asyncio.ensure_future(loop.sock_recv(ours, 1))
    await asyncio.sleep(0.001)
    peer.send(b"xy")
    assert await receiving == b"x"
    await asyncio.sleep(0)
    readable = loop.create_future()
    loop.add_reader(ours, lambda: readable.done() or readable.set_result(None))
    await asyncio.wait_for(readable, 20)
    assert loop.remove_reader(ours) is True
    assert loop.remove_reader(ours) is False


@pytest.mark.parametrize(
    "operate",
    [
        lambda loop, sock: loop.sock_recv(sock, 1),
        lambda loop, sock: loop.sock_recv_into(sock, bytearray(1)),
    ],
)
def test_an_operation_that_waits_when_the_loop_is_closed_is_dropped(
    loop: Loop, pair: Pair, operate: Callable[[Loop, socket.socket], Awaitable[object]]
) -> None:
    async def start() -> "asyncio.Future[object]":
        task = asyncio.ensure_future(operate(loop, pair[0]))
        await asyncio.sleep(0.001)
        return task

    task = loop.run_until_complete(start())
    task.cancel()
    loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    loop.close()
    pair[1].send(b"x")


async def test_a_hundred_receivers_are_cancelled_at_once(loop: Loop) -> None:
    pairs = [nonblocking_pair() for _ in range(100)]
    tasks = [asyncio.ensure_future(loop.sock_recv(ours, 1)) for ours, _ in pairs]
    await asyncio.sleep(0.001)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert all(task.cancelled() for task in tasks)
    for ours, peer in pairs:
        peer.send(b"x")
        assert await loop.sock_recv(ours, 1) == b"x"
        ours.close()
        peer.close()


async def test_a_timeout_ends_a_recv_and_the_next_gets_the_data(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.005):
            await loop.sock_recv(ours, 1)
    peer.send(b"x")
    assert await loop.sock_recv(ours, 1) == b"x"
