"""Several workers: the connections of servers, from when they are accepted to their end."""

import asyncio
import gc
import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rloop import TokioLoop
from rloop.workers.crew import Worker, current_worker
from tests.unit.workers import crew, needs_free_threading, new_loop_of, others

pytestmark = needs_free_threading


@pytest.fixture(params=[2, 4])
def loop(request: pytest.FixtureRequest) -> Iterator[TokioLoop]:
    yield from new_loop_of(request)


class Noting(asyncio.Protocol):
    """Notes that its connection was made, and that it was lost."""

    def __init__(self, told: list[str]) -> None:
        self.told = told

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.told.append("made")

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append("lost")


async def test_connections_are_shared_out_evenly(loop: TokioLoop) -> None:
    homes: list[Worker | None] = []

    class Protocol(asyncio.Protocol):
        def __init__(self) -> None:
            self.home = current_worker()

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert current_worker() is self.home
            homes.append(self.home)
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            assert current_worker() is self.home
            self.transport.write(data)  # type: ignore[attr-defined]

        def connection_lost(self, exc: Exception | None) -> None:
            assert current_worker() is self.home

    server = await loop.create_server(Protocol, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    count = 10 * (1 + len(others(loop)))
    streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]
    for reader, writer in streams:
        writer.write(b"x")
        assert await reader.read(1) == b"x"
    assert {homes.count(worker) for worker in [crew(loop)[0], *others(loop)]} == {10}
    assert {worker.load for worker in others(loop)} == {10}
    for _, writer in streams:
        writer.close()
        await writer.wait_closed()
    server.close()
    await server.wait_closed()


def test_what_is_written_before_the_end_is_sent(loop: TokioLoop) -> None:
    a, b = socket.socketpair()

    async def write() -> None:
        def connect() -> None:
            connecting = loop.create_task(loop.create_connection(asyncio.Protocol, sock=a))
            connecting.add_done_callback(
                lambda done: (done.result()[0].write(b"bye"), written.set_result(None))
            )

        others(loop)[0].call_soon(connect)
        await written

    written: asyncio.Future[None] = loop.create_future()
    loop.run_until_complete(write())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # of the transport left open
        loop.close()
        assert b.recv(10) == b"bye"
        b.close()
        a.close()
        gc.collect()


@pytest.mark.parametrize("end", ["close_clients", "abort_clients"])
async def test_a_connection_on_its_way_belongs_to_its_server(loop: TokioLoop, end: str) -> None:
    """Its worker is busy when it is accepted: the server waits for it, and ends it."""
    told: list[str] = []
    server = await loop.create_server(lambda: Noting(told), "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    busy, go_on = threading.Event(), threading.Event()
    for worker in others(loop):
        worker.call_soon(lambda: (busy.set(), go_on.wait(20)))
    busy.wait()
    clients = [socket.create_connection(address)]
    while not clients[-1].getsockname() or all(worker.awaited == 0 for worker in others(loop)):
        clients.append(socket.create_connection(address))
        await asyncio.sleep(0.001)
    for client in clients[:-1]:
        client.close()
    server.close()
    waiting = asyncio.create_task(server.wait_closed())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    getattr(server, end)()
    go_on.set()
    await waiting
    assert told.count("made") == told.count("lost") == len(clients)
    for client in clients:
        client.close()


async def test_what_a_foreign_thread_writes_leaves_though_its_home_blocks(loop: TokioLoop) -> None:
    """As on any loop: nobody knows how long the callback that runs there takes."""
    made: list[asyncio.Transport] = []

    class Protocol(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            made.append(transport)  # type: ignore[arg-type]

    server = await loop.create_server(Protocol, "127.0.0.1", 0)
    count = len(loop.workers)
    peers = [socket.create_connection(server.sockets[0].getsockname()) for _ in range(count)]
    while len(made) < count:
        await asyncio.sleep(0.001)
    assert write_while_all_block(loop, made, peers) == [b"x"] * count
    for peer in peers:
        peer.close()
    server.close()
    await server.wait_closed()


def write_while_all_block(
    loop: TokioLoop, transports: list[asyncio.Transport], peers: list[socket.socket]
) -> list[bytes]:
    """What the peers of the transports get of what a thread that is no worker writes."""
    blocked = threading.Barrier(1 + len(loop.workers))
    go_on = threading.Event()
    received: list[bytes] = []

    def write() -> None:
        blocked.wait(20)
        for transport in transports:
            transport.write(b"x")
        for peer in peers:
            peer.settimeout(20)
            received.append(peer.recv(1))
        go_on.set()

    def block() -> None:
        blocked.wait(20)
        go_on.wait(20)

    writer = threading.Thread(target=write)
    writer.start()
    for worker in others(loop):
        worker.call_soon(block)
    block()
    writer.join()
    return received


async def test_a_connection_whose_protocol_cannot_be_made_is_closed(loop: TokioLoop) -> None:
    def fail() -> asyncio.Protocol:
        raise ValueError

    server = await loop.create_server(fail, "127.0.0.1", 0)
    for _ in range(2 * len(loop.workers)):
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await asyncio.wait_for(reader.read(), 20) == b""
        writer.close()
    server.close()
    await asyncio.wait_for(server.wait_closed(), 20)


def ask_other(loop: TokioLoop, function: Callable[[], object]) -> None:
    """Has a worker call it that this one is not, and waits for that."""
    called = threading.Event()
    other = next(worker for worker in loop.workers if worker is not current_worker())
    other.call_soon(lambda: (function(), called.set()))
    assert called.wait(20)


@pytest.mark.parametrize("is_early", [True, False])
async def test_a_server_that_another_worker_closes_while_it_accepts(
    loop: TokioLoop, is_early: bool
) -> None:
    """What is not accepted any more, or not opened, is closed, and counts nowhere."""

    class Listener(socket.socket):
        def accept(self) -> tuple[socket.socket, Any]:
            if is_early:
                ask_other(loop, server.close)
            accepted = super().accept()
            ask_other(loop, server.close)
            return accepted

    reported: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: reported.append(context))
    listener = Listener()
    listener.bind(("127.0.0.1", 0))
    server = await loop.create_server(asyncio.Protocol, sock=listener)
    with socket.create_connection(listener.getsockname()) as client:
        await asyncio.wait_for(server.wait_closed(), 20)
        client.setblocking(False)
        try:
            received = await asyncio.wait_for(loop.sock_recv(client, 1), 20)
        except ConnectionResetError:
            received = b""
    assert received == b""
    assert reported == []
    assert [(worker.load, worker.awaited) for worker in loop.workers] == [(0, 0)] * len(
        loop.workers
    )


@pytest.mark.parametrize("end", ["close_clients", "abort_clients"])
async def test_a_connection_is_ended_by_another_worker_while_it_is_opened(
    loop: TokioLoop, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    failed: list[BaseException] = []

    def end_clients() -> None:
        try:
            getattr(server, end)()
        except BaseException as exc:
            failed.append(exc)

    def open_channel(transport: Any) -> None:
        ask_other(loop, end_clients)
        original(transport)

    server = await loop.create_server(lambda: Noting(told), "127.0.0.1", 0)
    from rloop.transports.stream import SocketTransport  # noqa: PLC0415  # needs Java

    original = SocketTransport._open_channel
    monkeypatch.setattr(SocketTransport, "_open_channel", open_channel)
    with socket.create_connection(server.sockets[0].getsockname()) as client:
        client.setblocking(False)
        assert await asyncio.wait_for(loop.sock_recv(client, 1), 20) == b""
    server.close()
    await asyncio.wait_for(server.wait_closed(), 20)
    assert failed == []
    assert told == ["made", "lost"]
