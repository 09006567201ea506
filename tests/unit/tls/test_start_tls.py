"""Plain connections that become TLS connections, and TLS within TLS."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from tests.conftest import Loop
from tests.unit.connections import Recorder, tcp_pair, turns, until_lost, until_received
from tests.unit.tls.peers import TlsConnector, TlsPeer, ViewRecorder, certificates


@asynccontextmanager
async def echoing_after_upgrade() -> AsyncIterator[int]:
    """A server that speaks plainly until it is told to start TLS; its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readline() == b"STARTTLS\n"
        writer.write(b"GO\n")
        await writer.drain()
        try:
            await writer.start_tls(certificates().server_context())
        except (ssl.SSLError, ConnectionError):  # the client does not trust it
            return
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_streams_are_upgraded_at_both_ends() -> None:
    async with echoing_after_upgrade() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"STARTTLS\n")
        assert await reader.readline() == b"GO\n"
        await writer.start_tls(certificates().client_context(), server_hostname="localhost")
        assert writer.get_extra_info("ssl_object").version() == "TLSv1.3"
        # Much data must not come before the server's start_tls() is back: asyncio's reader would
        # pause the old transport, and resume the new one.
        writer.write(b"ready?")
        assert await reader.readexactly(6) == b"ready?"
        data = bytes(range(256)) * 2000
        writer.write(data)
        assert await reader.readexactly(len(data)) == data
        writer.close()
        await writer.wait_closed()


async def test_a_protocol_goes_on_over_the_new_transport(loop: Loop) -> None:
    async with echoing_after_upgrade() as port:
        plain, protocol = await loop.create_connection(Recorder, "127.0.0.1", port)
        plain.write(b"STARTTLS\n")
        await until_received(protocol, 3)
        transport = await loop.start_tls(
            plain, protocol, certificates().client_context(), server_hostname="localhost"
        )
        assert transport is not None
        assert protocol.calls.count("connection_made") == 1
        transport.write(b"echo")
        await until_received(protocol, 7)
        assert protocol.received == b"GO\necho"
        transport.close()
        await until_lost(protocol)


async def test_a_context_is_needed(connect: TlsConnector, loop: Loop) -> None:
    connection = await connect(Recorder)
    with pytest.raises(TypeError, match="sslcontext is expected to be an instance"):
        await loop.start_tls(connection.transport, connection.protocol, True)  # type: ignore[arg-type]


async def test_tls_within_tls(loop: Loop) -> None:
    """What a client does that reaches a TLS server through a TLS proxy."""
    server_context, client_context = (
        certificates().server_context(),
        certificates().client_context(),
    )

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readline() == b"STARTTLS\n"
        writer.write(b"GO\n")
        await writer.start_tls(server_context)
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_context)
    async with server:
        reader, writer = await asyncio.open_connection(
            *server.sockets[0].getsockname(), ssl=client_context, server_hostname="localhost"
        )
        writer.write(b"STARTTLS\n")
        assert await reader.readline() == b"GO\n"
        await writer.start_tls(client_context, server_hostname="localhost")
        writer.write(b"ready?")  # as above
        assert await reader.readexactly(6) == b"ready?"
        data = bytes(range(256)) * 2000
        for _ in range(3):
            writer.write(data)
            assert await reader.readexactly(len(data)) == data
        writer.close()
        await writer.wait_closed()


async def test_sendfile_over_tls_reads_and_writes(
    connect: TlsConnector, loop: Loop, tmp_path: object
) -> None:
    data = bytes(range(256)) * 4000
    path = f"{tmp_path}/file"
    with open(path, "wb") as file:
        file.write(data)
    connection = await connect(Recorder)
    with open(path, "rb") as file:
        sent, received = await asyncio.gather(
            loop.sendfile(connection.transport, file), connection.peer.receive(len(data))
        )
    assert sent == len(data)
    assert received == data
    with open(path, "rb") as file, pytest.raises(RuntimeError, match="fallback is disabled"):
        await loop.sendfile(connection.transport, file, fallback=False)


async def test_a_failed_upgrade_closes_the_connection(loop: Loop) -> None:
    async with echoing_after_upgrade() as port:
        plain, protocol = await loop.create_connection(Recorder, "127.0.0.1", port)
        plain.write(b"STARTTLS\n")
        await until_received(protocol, 3)
        with pytest.raises(ssl.SSLCertVerificationError):
            await loop.start_tls(
                plain, protocol, ssl.create_default_context(), server_hostname="localhost"
            )
        assert plain.is_closing()
        await turns(5)


@pytest.mark.parametrize("make_protocol", [Recorder, ViewRecorder])
async def test_a_server_upgrades_what_it_has_accepted(
    loop: Loop, make_protocol: Callable[[], Recorder | ViewRecorder]
) -> None:
    """By `loop.start_tls`, with bytes of the handshake there already."""
    ours, far_end = tcp_pair()
    protocol = make_protocol()
    plain, _ = await loop.connect_accepted_socket(lambda: protocol, ours)
    peer = TlsPeer(far_end, certificates().client_context(), "localhost")
    plain.pause_reading()
    shaking_hands = asyncio.ensure_future(peer.handshake())
    await turns(5)
    transport, _ = await asyncio.gather(
        loop.start_tls(plain, protocol, certificates().server_context(), server_side=True),
        shaking_hands,
    )
    assert transport is not None
    assert transport.get_extra_info("ssl_object").server_side
    await peer.send(b"question")
    await until_received(protocol, 8)
    transport.write(b"answer")
    assert await peer.receive(6) == b"answer"
    transport.abort()
    await until_lost(protocol)
    far_end.close()
