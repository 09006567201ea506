"""aiofastnet, whose transports stand on a loop's readers and writers, over each loop."""

import asyncio
import os
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import ClientSession, web

from tests.conftest import Loop

aiofastnet: Any = pytest.importorskip("aiofastnet")

SIZES = (1, 1000, 100_000, 3_000_000)


@pytest.fixture
def patched(loop: Loop) -> Loop:
    aiofastnet.patch_loop(loop)
    return loop


@pytest.fixture(scope="module")
def contexts() -> dict[bool, tuple[ssl.SSLContext | None, ssl.SSLContext | None]]:
    """A server's and a client's, with TLS and without."""
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return {False: (None, None), True: (server, client)}


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def start(handler: Any, tls: ssl.SSLContext | None) -> tuple[asyncio.Server, int]:
    server = await asyncio.start_server(
        handler, "localhost", 0, ssl=tls, family=socket.AF_INET, start_serving=True
    )
    return server, server.sockets[0].getsockname()[1]


async def connect(
    port: int, tls: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("localhost", port, ssl=tls, family=socket.AF_INET)


@pytest.mark.parametrize("with_tls", [False, True])
async def test_streams_carry_everything(patched: Loop, contexts: Any, with_tls: bool) -> None:
    of_server, of_client = contexts[with_tls]
    server, port = await start(echo, of_server)
    reader, writer = await connect(port, of_client)
    assert type(writer.transport).__module__.startswith("aiofastnet")
    for size in SIZES:
        data = os.urandom(size)
        writer.write(data)
        assert await reader.readexactly(size) == data
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("with_tls", [False, True])
async def test_many_connections_at_once(patched: Loop, contexts: Any, with_tls: bool) -> None:
    of_server, of_client = contexts[with_tls]
    server, port = await start(echo, of_server)

    async def talk(number: int) -> None:
        reader, writer = await connect(port, of_client)
        for turn in range(20):
            message = b"%d/%d\n" % (number, turn)
            writer.write(message)
            assert await reader.readline() == message
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*map(talk, range(20)))
    server.close()
    await server.wait_closed()


async def test_a_client_that_vanishes_is_noticed(patched: Loop, contexts: Any) -> None:
    ended = patched.create_future()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            ended.set_result(await reader.read())
        except ConnectionError as error:
            ended.set_result(error)
        writer.close()

    server, port = await start(wait, None)
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # by a reset
    assert isinstance(await ended, (bytes, ConnectionResetError))
    server.close()
    await server.wait_closed()


async def test_a_slow_reader_pauses_the_writer(patched: Loop) -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(100):
            writer.write(bytes(100_000))
            await writer.drain()
        writer.close()

    server, port = await start(flood, None)
    reader, writer = await connect(port, None)
    await asyncio.sleep(0.05)
    assert len(await reader.read(-1)) == 100 * 100_000
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()


async def test_operations_on_sockets(patched: Loop, pair: Any) -> None:
    ours, peer = pair
    receiving = asyncio.ensure_future(patched.sock_recv(ours, 100))
    await asyncio.sleep(0)
    await patched.sock_sendall(peer, b"hello")
    assert await receiving == b"hello"
    buffer = bytearray(10)
    receiving_into = asyncio.ensure_future(patched.sock_recv_into(ours, buffer))
    await asyncio.sleep(0.01)
    await patched.sock_sendall(peer, b"again")
    assert await receiving_into == 5
    waiting = asyncio.ensure_future(patched.sock_recv(ours, 100))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_datagrams_and_pipes(patched: Loop) -> None:
    class Echo(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport
            self.received = patched.create_future()

        def datagram_received(self, data: bytes, address: Any) -> None:
            if data == b"ping":
                self.transport.sendto(b"pong", address)
            else:
                self.received.set_result(data)

    server, _ = await patched.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    address = server.get_extra_info("sockname")
    client, protocol = await patched.create_datagram_endpoint(Echo, remote_addr=address)
    client.sendto(b"ping")
    assert await protocol.received == b"pong"
    client.close()
    server.close()

    read_end, write_end = os.pipe()
    reader = asyncio.StreamReader()
    await patched.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_end, "rb", 0)
    )
    writer, _ = await patched.connect_write_pipe(asyncio.Protocol, os.fdopen(write_end, "wb", 0))
    writer.write(b"through the pipe")
    writer.close()
    assert await reader.read() == b"through the pipe"


async def test_a_file_is_sent(patched: Loop, tmp_path: Path) -> None:
    content = os.urandom(300_000)
    (tmp_path / "file").write_bytes(content)

    async def send(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with open(tmp_path / "file", "rb") as file:
            await patched.sendfile(writer.transport, file)
        writer.close()

    server, port = await start(send, None)
    reader, writer = await connect(port, None)
    assert await reader.read() == content
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()


async def test_aiohttp_serves_by_it(patched: Loop) -> None:
    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    application = web.Application()
    application.router.add_get("/", hello)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address = runner.addresses[0]
    async with ClientSession() as session:
        for _ in range(10):
            async with session.get(f"http://{address[0]}:{address[1]}/") as response:
                assert await response.text() == "hello"
    await runner.cleanup()
