"""Sockets whose methods are a program's own: asyncio calls those, and so does every loop.

They are a subclass's, an object's, or stand in `socket.socket` itself, where mocks and tracers put
them.
"""

import asyncio
import socket
import unittest.mock
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Loop
from tests.unit.connections import Recorder, until, until_lost, until_received
from tests.unit.datagrams import Endpoint
from tests.unit.own_sockets import Masked, echo_server, mask, masked_listener

METHODS = (
    *("recv", "recv_into", "recvfrom", "recvfrom_into", "send", "sendto", "sendmsg"),
    *("accept", "connect", "shutdown", "getsockname", "close"),
)


class Journal(list[str]):
    """Names of methods that were called, of sockets that have them in their own way."""

    kind: str

    def noting(self, name: str) -> Callable[..., Any]:
        original = getattr(socket.socket, name)

        def method(sock: socket.socket, *args: Any) -> Any:
            self.append(name)
            return original(sock, *args)

        return method

    def subclass(self) -> type[socket.socket]:
        return type("Noting", (socket.socket,), {name: self.noting(name) for name in METHODS})


class WithDictionary(socket.socket):
    """Takes attributes."""


@pytest.fixture(params=["subclass", "object", "class"])
def journal(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Journal:
    """What sockets of `own_pair` note, by methods of each kind."""
    journal = Journal()
    if request.param == "class":
        for name in METHODS:
            monkeypatch.setattr(socket.socket, name, journal.noting(name))
    journal.kind = request.param
    return journal


def own(journal: Journal, sock: socket.socket) -> socket.socket:
    """A socket's successor, which notes what is called."""
    arguments = sock.family, sock.type, sock.proto, sock.detach()
    if journal.kind == "class":
        return socket.socket(*arguments)
    if journal.kind == "subclass":
        return journal.subclass()(*arguments)
    found = WithDictionary(*arguments)
    for name in METHODS:
        setattr(found, name, journal.noting(name).__get__(found))
    return found


@pytest.fixture
def own_pair(journal: Journal) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected sockets that do not block, the first with methods that note their calls."""
    plain, peer = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with own(journal, plain) as ours, peer:
        ours.setblocking(False)
        peer.setblocking(False)
        journal.clear()
        yield ours, peer


Operation = Callable[[Loop, socket.socket], Awaitable[Any]]
RECEIVES: dict[str, Operation] = {
    "recv": lambda loop, sock: loop.sock_recv(sock, 10),
    "recv_into": lambda loop, sock: loop.sock_recv_into(sock, bytearray(10)),
    "recvfrom": lambda loop, sock: loop.sock_recvfrom(sock, 10),
    "recvfrom_into": lambda loop, sock: loop.sock_recvfrom_into(sock, bytearray(10)),
}


@pytest.mark.parametrize("name", RECEIVES)
@pytest.mark.parametrize("delay", [0, 0.002])
async def test_an_operation_receives_by_the_sockets_own_method(
    loop: Loop,
    journal: Journal,
    own_pair: tuple[socket.socket, socket.socket],
    name: str,
    delay: float,
) -> None:
    ours, peer = own_pair
    loop.call_later(delay, peer.sendall, b"data")
    assert await RECEIVES[name](loop, ours) in (b"data", 4, (b"data", None), (4, None))
    assert set(journal) == {name}


async def test_sendall_and_sendto_send_by_the_sockets_own_methods(
    loop: Loop, journal: Journal, own_pair: tuple[socket.socket, socket.socket], tmp_path: Path
) -> None:
    ours, peer = own_pair
    await loop.sock_sendall(ours, b"data")
    assert set(journal) == {"send"}
    assert socket.socket.recvfrom(peer, 10)[0] == b"data"
    journal.clear()
    path = str(tmp_path / "mailbox")
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as mailbox,
        own(journal, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as datagrams,
    ):
        mailbox.bind(path)
        datagrams.setblocking(False)
        await loop.sock_sendto(datagrams, b"data", path)
        assert journal == ["sendto"]


async def test_accept_and_connect_are_the_sockets_own(loop: Loop, journal: Journal) -> None:
    with (
        own(journal, socket.create_server(("127.0.0.1", 0))) as listener,
        own(journal, socket.socket()) as client,
    ):
        listener.setblocking(False)
        client.setblocking(False)
        (accepted, _), _ = await asyncio.gather(
            loop.sock_accept(listener), loop.sock_connect(client, listener.getsockname())
        )
        accepted.close()
        assert {"accept", "connect"} <= set(journal)


async def test_a_transport_uses_the_sockets_own_methods(
    loop: Loop, journal: Journal, own_pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, peer = own_pair
    transport, protocol = await loop.create_connection(Recorder, sock=ours)
    transport.write(b"out")
    await until(lambda: {"send", "sendmsg"} & set(journal))
    peer.send(b"in")
    await until_received(protocol, 2)
    transport.write_eof()
    await until(lambda: "shutdown" in journal)
    transport.close()
    await until_lost(protocol)
    assert {"recv", "shutdown", "getsockname", "close"} <= set(journal)


async def test_a_datagram_transport_uses_the_sockets_own_methods(
    loop: Loop, journal: Journal
) -> None:
    sock = own(journal, socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    sock.bind(("127.0.0.1", 0))
    transport, protocol = await loop.create_datagram_endpoint(Endpoint, sock=sock)
    journal.clear()
    transport.sendto(b"to myself", sock.getsockname())
    await protocol.until_received(1)
    assert protocol.received == [(b"to myself", sock.getsockname())]
    assert {"sendto", "recvfrom"} <= set(journal)
    await protocol.end()


async def test_a_server_accepts_by_the_sockets_own_method(loop: Loop, journal: Journal) -> None:
    listener = own(journal, socket.create_server(("127.0.0.1", 0)))
    async with echo_server(listener):
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        writer.close()
        await writer.wait_closed()
    assert "accept" in journal


@pytest.mark.parametrize("size", [10, 3_000_000])
async def test_what_a_socket_makes_of_the_data_reaches_the_wire(loop: Loop, size: int) -> None:
    listener = masked_listener()
    client = Masked()
    client.setblocking(False)
    data = bytes(range(250)) * (size // 250 + 1)
    async with echo_server(listener):
        await loop.sock_connect(client, listener.getsockname())
        reader, writer = await asyncio.open_connection(sock=client)
        writer.write(data)
        assert await reader.readexactly(len(data)) == data
        writer.close()
        await writer.wait_closed()


async def test_operations_on_a_masked_socket_mask(loop: Loop) -> None:
    plain, peer = socket.socketpair()
    with Masked(plain.family, plain.type, plain.proto, plain.detach()) as ours, peer:
        ours.setblocking(False)
        await loop.sock_sendall(ours, b"text")
        assert peer.recv(10) == mask(b"text")
        for receive in RECEIVES.values():
            loop.call_later(0.001, peer.send, mask(b"answer"))
            assert await receive(loop, ours) in (b"answer", 6, (b"answer", None), (6, None))


async def test_sockets_work_while_a_mock_has_the_name_of_their_class(
    loop: Loop, pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, peer = pair
    with unittest.mock.patch("socket.socket"):
        await loop.sock_sendall(ours, b"out")
        loop.call_later(0.001, peer.send, b"in")
        assert await loop.sock_recv(ours, 10) == b"in"
        transport, protocol = await loop.create_connection(Recorder, sock=ours)
        transport.write(b"more")
        peer.send(b"and more")
        await until_received(protocol, 8)
        transport.close()
        await until_lost(protocol)
    assert peer.recv(10) == b"outmore"


async def test_a_server_makes_connections_of_the_class_that_has_the_name(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    async with echo_server(listener):
        with socket.create_connection(listener.getsockname()) as client:
            client.setblocking(False)
            monkeypatch.setattr(socket, "socket", Masked)
            await loop.sock_sendall(client, mask(b"hello"))
            assert await loop.sock_recv(client, 10) == mask(b"hello")
            monkeypatch.undo()
