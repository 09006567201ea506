"""Which connections a server with several workers shares out among them."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest

import rloop
from tests.conftest import running_loop
from tests.unit.workers import contexts_for, here, needs_free_threading, new_loop

pytestmark = needs_free_threading

EACH = 3


@pytest.fixture
def loop(request: pytest.FixtureRequest) -> Iterator[rloop.TokioLoop]:
    for loop in new_loop():
        request.node.stash[running_loop] = loop
        yield loop


class Around:
    """A listener that isn't a socket, as gunicorn has them."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class Listener(socket.socket):
    """A socket with a method of its own."""

    def accept(self) -> tuple[socket.socket, Any]:
        return super().accept()


@pytest.mark.parametrize("kind", ["plain", "around", "class"])
async def test_whatever_the_listener_is(loop: rloop.TokioLoop, kind: str) -> None:
    sock = Listener() if kind == "class" else socket.socket()
    sock.bind(("127.0.0.1", 0))
    listener: Any = Around(sock) if kind == "around" else sock

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes([here().index]))
        await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, sock=listener)
    streams = [
        await asyncio.open_connection(*sock.getsockname()) for _ in range(EACH * len(loop.workers))
    ]
    homes = [(await reader.readexactly(1))[0] for reader, _ in streams]
    assert sorted(homes) == sorted(EACH * list(range(len(loop.workers))))
    for _, writer in streams:
        writer.close()
        await writer.wait_closed()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("security", ["plain", "tls"])
@pytest.mark.parametrize("is_debugged", [True, False])
async def test_whether_it_is_debugged_or_not(
    loop: rloop.TokioLoop, security: str, is_debugged: bool
) -> None:
    loop.set_debug(is_debugged)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes([here().index]))
        await reader.read()
        writer.close()

    own, peers = contexts_for(security)
    name = peers and "localhost"
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=own)
    address = server.sockets[0].getsockname()
    homes: list[int] = []
    writers = []
    for _ in range(EACH * len(loop.workers)):
        reader, writer = await asyncio.open_connection(*address, ssl=peers, server_hostname=name)
        homes += await reader.readexactly(1)
        writers.append(writer)
    assert sorted(homes) == sorted(EACH * list(range(len(loop.workers))))
    for writer in writers:
        writer.close()
        await writer.wait_closed()
    server.close()
    await server.wait_closed()
