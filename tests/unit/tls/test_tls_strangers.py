"""A server, and clients that are not what it expects: each costs its own connection and no more."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.unit.connections import Recorder, until, until_lost
from tests.unit.tls.peers import certificates

SOON_SECONDS = 0.1
MUCH = bytes(16 << 20)  # more than all buffers on the way together
AT_ONCE = 10

ALERT = 21  # the type of a record
REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Servers(list[Recorder]):
    """The protocols of a server's connections."""

    address: tuple[str, int]


@asynccontextmanager
async def serving() -> AsyncIterator[Servers]:
    protocols = Servers()

    def make() -> Recorder:
        protocols.append(Recorder())
        return protocols[-1]

    server = await asyncio.get_running_loop().create_server(
        make,
        "127.0.0.1",
        0,
        ssl=certificates().server_context(),
        ssl_handshake_timeout=SOON_SECONDS,
        ssl_shutdown_timeout=SOON_SECONDS,
    )
    protocols.address = server.sockets[0].getsockname()
    async with server:
        yield protocols
        assert await answers_a_friend(protocols)


async def answers_a_friend(servers: Servers) -> bool:
    """Whether the server still does what it is for."""
    transport, protocol = await asyncio.get_running_loop().create_connection(
        Recorder, *servers.address, ssl=certificates().client_context(), server_hostname="localhost"
    )
    await until(lambda: servers and servers[-1].calls == ["connection_made"])
    transport.write(b"data")
    await until(lambda: servers[-1].received == b"data")
    transport.close()
    await until_lost(protocol)
    await until_lost(servers[-1])
    return True


async def answers_to(servers: Servers, greeting: bytes) -> list[bytes]:
    """What several clients get, each to the end of its stream."""

    async def ask() -> bytes:
        reader, writer = await asyncio.open_connection(*servers.address)
        writer.write(greeting)
        answer = bytearray()
        with contextlib.suppress(ConnectionError):  # the greeting may be unread when it ends
            while data := await reader.read(1 << 16):
                answer += data
        writer.close()
        return bytes(answer)

    return await asyncio.gather(*(ask() for _ in range(AT_ONCE)))


def client_hello() -> bytes:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = (
        certificates().client_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    )
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


HALF_A_HELLO = client_hello()[:100]


@pytest.mark.parametrize("greeting", [b"", b"\x16", HALF_A_HELLO, client_hello()])
async def test_a_client_that_never_finishes_its_handshake(greeting: bytes) -> None:
    async with serving() as servers:
        await answers_to(servers, greeting)
        assert not any(protocol.calls for protocol in servers)


@pytest.mark.parametrize("greeting", [REQUEST, bytes(500), HALF_A_HELLO + bytes(1000)])
async def test_a_client_that_does_not_speak_tls(greeting: bytes) -> None:
    async with serving() as servers:
        for answer in await answers_to(servers, greeting):
            assert not answer or answer[0] == ALERT
        assert not any(protocol.calls for protocol in servers)


@pytest.mark.parametrize("greeting", [b"\x16", HALF_A_HELLO, client_hello()])
@pytest.mark.parametrize("rudely", [False, True])
async def test_a_client_that_hangs_up_within_its_handshake(greeting: bytes, rudely: bool) -> None:
    async with serving() as servers:
        for _ in range(AT_ONCE):
            _, writer = await asyncio.open_connection(*servers.address)
            writer.write(greeting)
            await asyncio.sleep(0.002)
            if rudely:
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        await until(lambda: len(servers) == AT_ONCE)
        assert not any(protocol.calls for protocol in servers)


async def test_a_client_that_never_reads() -> None:
    async with serving() as servers:
        clients = [
            await asyncio.open_connection(
                *servers.address, ssl=certificates().client_context(), server_hostname="localhost"
            )
            for _ in range(AT_ONCE)
        ]
        for _, writer in clients:
            writer.transport.pause_reading()  # type: ignore[attr-defined]
        await until(lambda: [p.calls for p in servers] == [["connection_made"]] * AT_ONCE)
        for protocol in servers:
            protocol.transport.write(MUCH)  # type: ignore[attr-defined]
            protocol.transport.close()
        await until(lambda: all(protocol.is_lost for protocol in servers))
        assert all(isinstance(protocol.lost_with, TimeoutError) for protocol in servers)
        for _, writer in clients:
            writer.transport.abort()


async def test_a_server_that_speaks_plain_http() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()

    async def ask() -> None:
        with pytest.raises(ssl.SSLError, match="WRONG_VERSION_NUMBER"):
            await asyncio.open_connection(
                *server.sockets[0].getsockname(),
                ssl=certificates().client_context(),
                server_hostname="localhost",
            )

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
