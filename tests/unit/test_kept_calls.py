"""What a program keeps of the loop's own objects stays as it is, and keeps nothing else alive.

The loop uses tuples and handles again that nobody has; a program may have any of them, by way of an
exception handler's context or of `gc.get_objects()`.
"""

import asyncio
import gc
import os
import ssl
import sys
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Loop
from tests.unit.connections import Connector, Recorder, tcp_pair, until, until_lost
from tests.unit.datagrams import Endpoint, endpoint, plain_socket
from tests.unit.tls.peers import TlsConnector

DELIVERIES = 20


class Keeper:
    """Keeps all that there is, until another callback has run."""

    def __init__(self) -> None:
        self._kept: list[Any] = []

    def keep(self) -> None:
        self._kept.append(gc.get_objects())
        asyncio.get_running_loop().call_later(0.002, self._kept.clear)

    async def let_go(self) -> None:
        await until(lambda: not self._kept)


class Noted(Recorder):
    """Keeps everything with each delivery."""

    def __init__(self) -> None:
        super().__init__()
        self.keeper = Keeper()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self.keeper.keep()


class NotedEndpoint(Endpoint):
    """The same, of datagrams."""

    def __init__(self) -> None:
        super().__init__()
        self.keeper = Keeper()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        super().datagram_received(data, addr)
        self.keeper.keep()


async def receive_and_keep(protocol: Noted, send: Callable[[bytes], Any]) -> None:
    """One delivery after another, each kept for a while; the protocol's references don't grow."""
    before = 0
    for number in range(DELIVERIES):
        sending = send(b"%d" % number)
        if sending is not None:
            await sending
        await until(lambda number=number: protocol.calls.count("data_received") > number)  # type: ignore[misc]
        await protocol.keeper.let_go()
        before = before or sys.getrefcount(protocol)
    assert sys.getrefcount(protocol) <= before


async def test_a_stream_that_was_kept_does_not_keep_its_protocol(loop: Loop) -> None:
    ours, far_end = tcp_pair()
    with far_end:
        transport, protocol = await loop.create_connection(Noted, sock=ours)
        await receive_and_keep(protocol, far_end.sendall)
        transport.close()
        await until_lost(protocol)
        is_dead = weakref.ref(protocol)
        del transport, protocol
        gc.collect()
        assert is_dead() is None


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_tls_that_was_kept_does_not_keep_its_protocol(
    loop: Loop, version: ssl.TLSVersion
) -> None:
    connect = TlsConnector()
    connection = await connect(Noted, version=version)
    await receive_and_keep(connection.protocol, connection.peer.send)
    del connection
    await connect.end()


async def test_a_pipe_that_was_kept_does_not_keep_its_protocol(loop: Loop) -> None:
    reading, writing = os.pipe()
    transport, protocol = await loop.connect_read_pipe(Noted, os.fdopen(reading, "rb", 0))

    def send(data: bytes) -> None:
        os.write(writing, data)

    await receive_and_keep(protocol, send)
    os.close(writing)
    await until_lost(protocol)
    assert transport.is_closing()


async def test_datagrams_that_were_kept_do_not_keep_their_protocol(loop: Loop) -> None:
    _, protocol = await loop.create_datagram_endpoint(NotedEndpoint, local_addr=("127.0.0.1", 0))
    before = 0
    with plain_socket() as peer:
        for number in range(DELIVERIES):
            for _ in range(1 + number % 3):
                peer.sendto(b"x", protocol.address)
            await protocol.until_received(sum(1 + n % 3 for n in range(number + 1)))
            await protocol.keeper.let_go()
            before = before or sys.getrefcount(protocol)
    assert sys.getrefcount(protocol) <= before
    await protocol.end()


async def test_the_context_of_a_failed_delivery_keeps_nothing_longer(loop: Loop) -> None:
    class Raising(Endpoint):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            super().datagram_received(data, addr)
            raise ValueError

    loop.set_exception_handler(lambda _, context: loop.call_soon(id, context))
    _, protocol = await loop.create_datagram_endpoint(Raising, local_addr=("127.0.0.1", 0))
    before = sys.getrefcount(protocol)
    with plain_socket() as peer:
        for number in range(50):
            peer.sendto(b"x", protocol.address)
            await protocol.until_received(number + 1)
    gc.collect()
    assert sys.getrefcount(protocol) < before + 10
    await protocol.end()


async def test_a_delivery_that_was_kept_does_not_change(connect: Connector) -> None:
    kept: list[tuple[Any, ...]] = []

    class Keeping(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            kept.extend(
                each
                for each in gc.get_objects()
                if type(each) is tuple and any(item is data for item in each)
            )

    connection = await connect(Keeping)
    connection.peer.send(b"first data")
    await until(lambda: connection.protocol.received == b"first data")
    snapshot = [tuple(each) for each in kept]
    for number in range(DELIVERIES):
        connection.peer.send(b"other %d data" % number)
        await until(lambda n=number: connection.protocol.received.endswith(b"%d data" % n))  # type: ignore[misc]
        del kept[len(snapshot) :]
    assert kept == snapshot
    assert all(b"first data" in each for each in kept)


async def test_a_handle_that_was_kept_does_not_change(loop: Loop) -> None:
    kept: list[asyncio.Handle] = []
    called: list[int] = []

    def keep() -> None:
        kept.extend(each for each in gc.get_objects() if isinstance(each, asyncio.Handle))

    def call(number: int) -> None:
        called.append(number)

    loop.call_soon(call, 1)
    keep()
    snapshot = [(handle._callback, handle._args) for handle in kept]  # type: ignore[attr-defined]
    for number in range(2, 10):
        loop.call_soon(call, number)
    assert [(handle._callback, handle._args) for handle in kept] == snapshot  # type: ignore[attr-defined]
    for handle in kept:
        if handle._callback is call:  # type: ignore[attr-defined]
            handle.cancel()
    await asyncio.sleep(0)
    assert called == list(range(2, 10))


async def test_an_endpoint_is_freed_at_once_though_its_deliveries_were_kept(loop: Loop) -> None:
    protocol = await endpoint()
    kept: list[Any] = []
    protocol.datagram_received = lambda data, addr: kept.append(gc.get_objects())  # type: ignore[method-assign]
    with plain_socket() as peer:
        peer.sendto(b"x", protocol.address)
        await until(lambda: kept)
    await protocol.end()
    kept.clear()
    del protocol.datagram_received, protocol.transport
    is_dead = weakref.ref(protocol)
    del protocol
    await asyncio.sleep(0)
    gc.collect()
    assert is_dead() is None
