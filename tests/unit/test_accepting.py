"""How a server accepts: what the new socket is like, and in which context its protocol is made."""

import asyncio
import contextvars
import fcntl
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.conftest import Loop
from tests.unit.connections import Recorder, Recorders, turns, until, until_received

number: contextvars.ContextVar[int] = contextvars.ContextVar("number")


@asynccontextmanager
async def accepted(listener: socket.socket) -> AsyncIterator[Recorder]:
    """A connection to a server over the listener."""
    loop = asyncio.get_running_loop()
    protocols = Recorders()
    server = await loop.create_server(protocols.make, sock=listener)
    with socket.socket() as peer:
        peer.setblocking(False)
        await loop.sock_connect(peer, listener.getsockname())
        await loop.sock_sendall(peer, b"hello")
        await until(lambda: len(protocols) == 1)
        await until_received(protocols[0], 5)
        yield protocols[0]
    await until(lambda: protocols[0].is_lost)
    server.close()
    await server.wait_closed()


def new_listener(kind: type[socket.socket] = socket.socket) -> socket.socket:
    listener = kind()
    listener.bind(("127.0.0.1", 0))
    return listener


async def test_an_accepted_socket_neither_blocks_nor_is_inherited(loop: Loop) -> None:
    async with accepted(new_listener()) as protocol:
        sock = protocol.transport.get_extra_info("socket")
        assert sock.gettimeout() == 0
        assert fcntl.fcntl(sock.fileno(), fcntl.F_GETFL) & os.O_NONBLOCK
        assert fcntl.fcntl(sock.fileno(), fcntl.F_GETFD) & fcntl.FD_CLOEXEC
        assert sock.type == socket.SOCK_STREAM
        assert sock.family == socket.AF_INET


async def test_a_listener_of_another_class_accepts_by_itself(loop: Loop) -> None:
    class Listener(socket.socket):
        accepted = 0

        def accept(self) -> tuple[socket.socket, Any]:
            connection = super().accept()
            self.accepted += 1
            return connection

    listener = new_listener(Listener)
    async with accepted(listener):
        assert isinstance(listener, Listener)
        assert listener.accepted == 1


async def test_where_the_system_has_no_accept4_python_accepts(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(loop), "_accept", lambda self, fd: False, raising=False)
    async with accepted(new_listener()) as protocol:
        assert protocol.received == b"hello"


async def test_each_connection_has_a_context_of_its_own(loop: Loop) -> None:
    seen: list[tuple[int | None, int | None]] = []

    class Protocol(asyncio.Protocol):
        def __init__(self) -> None:
            self.before = number.get(None)
            number.set(len(seen) + 1)

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            seen.append((self.before, number.get(None)))
            transport.close()

    server = await loop.create_server(Protocol, "127.0.0.1", 0)
    for _ in range(3):
        before = len(seen)
        with socket.socket() as peer:
            peer.setblocking(False)
            await loop.sock_connect(peer, server.sockets[0].getsockname())
            while len(seen) == before:
                await turns()
    assert seen == [(None, 1), (None, 2), (None, 3)]
    server.close()
    await server.wait_closed()
