"""`create_connection`: whom it reaches, and what it raises when it reaches nobody."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.conftest import Loop
from tests.unit.connections import Recorder, tcp_pair, turns, until


@asynccontextmanager
async def listening() -> AsyncIterator[int]:
    """The port of a server that closes what connects to it."""

    class Closer(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            transport.close()

    loop = asyncio.get_running_loop()
    async with await loop.create_server(Closer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
    await turns(5)


def closed_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


async def test_it_gives_transport_and_protocol_after_connection_made(loop: Loop) -> None:
    async with listening() as port:
        transport, protocol = await loop.create_connection(Recorder, "127.0.0.1", port)
        assert protocol.calls[0] == "connection_made"
        assert protocol.transport is transport
        assert transport.get_extra_info("peername") == ("127.0.0.1", port)
        await until(lambda: protocol.is_lost)


async def test_it_connects_by_name(loop: Loop) -> None:
    async with listening() as port:
        _, protocol = await loop.create_connection(
            Recorder, "localhost", port, family=socket.AF_INET
        )
        await until(lambda: protocol.is_lost)


async def test_it_takes_a_connected_socket(loop: Loop) -> None:
    ours, peer = tcp_pair()
    transport, protocol = await loop.create_connection(Recorder, sock=ours)
    assert not ours.getblocking()
    peer.sendall(b"x")
    await until(lambda: protocol.received == b"x")
    transport.close()
    peer.close()
    await until(lambda: protocol.is_lost)


async def test_it_binds_to_the_local_address(loop: Loop) -> None:
    local = ("127.0.0.3", 0)
    async with listening() as port:
        transport, protocol = await loop.create_connection(
            Recorder, "127.0.0.1", port, local_addr=local
        )
        assert transport.get_extra_info("sockname")[0] == "127.0.0.3"
        await until(lambda: protocol.is_lost)


async def test_a_local_address_in_use_is_refused(loop: Loop) -> None:
    async with listening() as port:
        with pytest.raises(OSError, match="error while attempting to bind on address"):
            await loop.create_connection(
                Recorder, "127.0.0.1", port, local_addr=("127.0.0.1", port)
            )


async def test_a_port_where_nobody_listens_refuses(loop: Loop) -> None:
    with pytest.raises(ConnectionRefusedError) as raised:
        await loop.create_connection(Recorder, "127.0.0.1", closed_port())
    assert "Connect call failed ('127.0.0.1', " in str(raised.value)


async def test_a_name_that_does_not_exist_is_refused(loop: Loop) -> None:
    with pytest.raises(socket.gaierror):
        await loop.create_connection(Recorder, "does-not-exist.invalid", 80)


async def test_host_and_socket_exclude_each_other(loop: Loop) -> None:
    with socket.socket() as sock:
        message = "^host/port and sock can not be specified at the same time$"
        with pytest.raises(ValueError, match=message):
            await loop.create_connection(Recorder, "127.0.0.1", 80, sock=sock)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="^host and port was not specified and no sock specified$"):
        await loop.create_connection(Recorder)


async def test_a_datagram_socket_is_refused(loop: Loop) -> None:
    with (
        socket.socket(type=socket.SOCK_DGRAM) as sock,
        pytest.raises(ValueError, match="^A Stream Socket was expected, got "),
    ):
        await loop.create_connection(Recorder, sock=sock)


async def test_server_hostname_needs_tls(loop: Loop) -> None:
    with pytest.raises(ValueError, match="^server_hostname is only meaningful with ssl$"):
        await loop.create_connection(Recorder, "127.0.0.1", 80, server_hostname="x")


async def test_a_socket_of_another_transport_is_refused(loop: Loop) -> None:
    if sys.version_info < (3, 13, 2):
        pytest.skip("checked from Python 3.13.2 on")
    ours, peer = tcp_pair()
    transport, _ = await loop.create_connection(Recorder, sock=ours)
    with pytest.raises(RuntimeError, match="is used by transport"):
        await loop.create_connection(Recorder, sock=ours)
    transport.abort()
    peer.close()
    await turns()


async def test_all_failures_are_told(loop: Loop) -> None:
    dead = [closed_port(), closed_port()]

    async def resolve(*_: object, **__: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port)) for port in dead]

    loop.getaddrinfo = resolve  # type: ignore[assignment, method-assign]
    with pytest.raises(OSError, match="Connect call failed"):
        await loop.create_connection(Recorder, "example.invalid", 80)


async def test_a_hundred_connections_at_once(loop: Loop) -> None:
    async with listening() as port:
        pairs = await asyncio.gather(
            *(loop.create_connection(Recorder, "127.0.0.1", port) for _ in range(100))
        )
        await until(lambda: all(protocol.is_lost for _, protocol in pairs))


async def test_ipv6_connects_where_there_is_ipv6(loop: Loop) -> None:
    try:
        server = await loop.create_server(Recorder, "::1", 0)
    except OSError as error:
        pytest.skip(f"this machine has no IPv6: {error}")
    async with server:
        address = server.sockets[0].getsockname()
        transport, protocol = await loop.create_connection(Recorder, *address[:2])
        assert transport.get_extra_info("peername")[:2] == address[:2]
        assert len(transport.get_extra_info("sockname")) == 4
        transport.close()
        await until(lambda: protocol.is_lost)
        await turns(5)
