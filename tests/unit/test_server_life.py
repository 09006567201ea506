"""The `Server` object: from start to close, and who waits for it."""

import asyncio
import gc
import socket
import sys
import warnings

import pytest

from tests.conftest import Loop
from tests.unit.connections import Recorder, turns, until

# Earlier versions do not wait for open connections, or not in every case.
waits_for_connections = pytest.mark.skipif(
    sys.version_info < (3, 12, 1), reason="wait_closed() was repaired in Python 3.12.1"
)
has_clients = pytest.mark.skipif(sys.version_info < (3, 13), reason="new in Python 3.13")


class Served:
    """A server with one client, and the protocol that serves it."""

    def __init__(self) -> None:
        self.protocol = Recorder()

    async def start(self, loop: Loop) -> asyncio.Server:
        server = await loop.create_server(lambda: self.protocol, "127.0.0.1", 0)
        self.client = socket.create_connection(server.sockets[0].getsockname())
        await until(lambda: self.protocol.calls)
        return server

    async def leave(self) -> None:
        self.client.close()
        await until(lambda: self.protocol.is_lost)


async def test_a_server_serves_from_the_start(loop: Loop) -> None:
    server = await loop.create_server(Recorder, "127.0.0.1", 0)
    assert isinstance(server, asyncio.AbstractServer)
    assert server.is_serving()
    assert server.get_loop() is loop
    server.close()
    assert not server.is_serving()
    await server.wait_closed()


async def test_a_server_may_start_later(loop: Loop) -> None:
    server = await loop.create_server(Recorder, "127.0.0.1", 0, start_serving=False)
    assert not server.is_serving()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(server.sockets[0].getsockname())
    await server.start_serving()
    await server.start_serving()
    assert server.is_serving()
    socket.create_connection(server.sockets[0].getsockname()).close()
    server.close()
    await turns(5)
    await server.wait_closed()


async def test_a_closed_server_has_no_sockets_and_refuses_clients(loop: Loop) -> None:
    server = await loop.create_server(Recorder, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    assert len(server.sockets) == 1
    server.close()
    server.close()
    assert not server.sockets
    await turns()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
    await server.wait_closed()


async def test_the_port_can_be_used_again_after_close(loop: Loop) -> None:
    server = await loop.create_server(Recorder, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for _ in range(5):
        server.close()
        await server.wait_closed()
        server = await loop.create_server(Recorder, "127.0.0.1", port)
    server.close()
    await server.wait_closed()


async def test_a_server_is_an_asynchronous_context(loop: Loop) -> None:
    async with await loop.create_server(Recorder, "127.0.0.1", 0) as server:
        assert server.is_serving()
    assert not server.is_serving()


async def test_repr_shows_the_sockets(loop: Loop) -> None:
    async with await loop.create_server(Recorder, "127.0.0.1", 0) as server:
        assert "Server sockets=(<asyncio.TransportSocket fd=" in repr(server)


@waits_for_connections
async def test_wait_closed_waits_for_the_connections(loop: Loop) -> None:
    served = Served()
    server = await served.start(loop)
    waiting = asyncio.ensure_future(server.wait_closed())
    await asyncio.sleep(0.005)
    assert not waiting.done()
    server.close()
    await asyncio.sleep(0.005)
    assert not waiting.done()
    await served.leave()
    await waiting


async def test_wait_closed_returns_when_there_is_no_connection(loop: Loop) -> None:
    server = await loop.create_server(Recorder, "127.0.0.1", 0)
    server.close()
    await server.wait_closed()
    await server.wait_closed()


async def test_several_tasks_wait_for_the_close(loop: Loop) -> None:
    server = await loop.create_server(Recorder, "127.0.0.1", 0)
    waiting = [asyncio.ensure_future(server.wait_closed()) for _ in range(3)]
    await turns()
    server.close()
    await asyncio.gather(*waiting)


async def test_serve_forever_serves_until_cancelled(loop: Loop) -> None:
    server = await loop.create_server(Recorder, "127.0.0.1", 0, start_serving=False)
    serving = asyncio.ensure_future(server.serve_forever())
    await turns()
    assert server.is_serving()
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert not server.is_serving()


async def test_serve_forever_ends_when_the_server_is_closed(loop: Loop) -> None:
    server = await loop.create_server(Recorder, "127.0.0.1", 0)
    serving = asyncio.ensure_future(server.serve_forever())
    await turns()
    server.close()
    with pytest.raises(asyncio.CancelledError):
        await serving


async def test_serve_forever_twice_is_refused(loop: Loop) -> None:
    server = await loop.create_server(Recorder, "127.0.0.1", 0)
    serving = asyncio.ensure_future(server.serve_forever())
    await turns()
    with pytest.raises(RuntimeError, match="is already being awaited on serve_forever"):
        await server.serve_forever()
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    with pytest.raises(RuntimeError, match="is closed$"):
        await server.serve_forever()


@has_clients
async def test_close_clients_closes_connections_after_what_was_written(loop: Loop) -> None:
    served = Served()
    server = await served.start(loop)
    data = bytes(5_000_000)
    assert isinstance(served.protocol.transport, asyncio.Transport)
    served.protocol.transport.write(data)
    server.close()
    server.close_clients()  # type: ignore[attr-defined]

    def receive() -> int:
        received = 0
        while piece := len(served.client.recv(1 << 20)):
            received += piece
        return received

    assert await loop.run_in_executor(None, receive) == len(data)
    await server.wait_closed()
    assert served.protocol.is_lost
    served.client.close()


@has_clients
async def test_abort_clients_drops_connections(loop: Loop) -> None:
    served = Served()
    server = await served.start(loop)
    assert isinstance(served.protocol.transport, asyncio.Transport)
    served.protocol.transport.write(bytes(50_000_000))
    server.close()
    server.abort_clients()  # type: ignore[attr-defined]
    await server.wait_closed()
    assert served.protocol.is_lost
    served.client.close()


@has_clients
async def test_the_server_forgets_clients_that_left(loop: Loop) -> None:
    served = Served()
    server = await served.start(loop)
    await served.leave()
    await turns()
    server.close_clients()  # type: ignore[attr-defined]
    server.abort_clients()  # type: ignore[attr-defined]
    server.close()
    await server.wait_closed()


def test_closing_the_loop_with_an_open_server_is_fine(loop: Loop) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    loop.run_until_complete(loop.create_server(Recorder, sock=listener))
    loop.close()
    listener.close()


async def test_a_client_that_left_before_it_was_accepted_does_no_harm(loop: Loop) -> None:
    protocols: list[Recorder] = []

    def make() -> Recorder:
        protocol = Recorder()  # not the last of all: other workers make some at the same time
        protocols.append(protocol)
        return protocol

    async with await loop.create_server(make, "127.0.0.1", 0) as server:
        for _ in range(10):
            socket.create_connection(server.sockets[0].getsockname()).close()
        await until(lambda: len(protocols) == 10 and all(p.is_lost for p in protocols))


# The destructor of the transport that was not attached fails in some versions of asyncio.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_closing_the_server_in_its_protocol_factory_is_fine(loop: Loop) -> None:
    protocols: list[Recorder] = []

    def make() -> Recorder:
        server.close()
        protocols.append(Recorder())
        return protocols[-1]

    loop.set_exception_handler(lambda *_: None)  # asyncio cannot attach it: an AssertionError
    server = await loop.create_server(make, "127.0.0.1", 0)
    with socket.create_connection(server.sockets[0].getsockname()):
        await until(lambda: protocols)
    await turns(5)
    assert not server.is_serving()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # of the connection not attached
        gc.collect()
