"""Echo servers, one for each way of doing I/O that asyncio offers."""

import argparse
import asyncio
import contextlib
import socket
from collections.abc import Callable, Coroutine
from typing import Any, cast

import loops

from servers.certificate import server_context
from servers.launch import run_server
from servers.listening import (
    Listener,
    new_datagram_socket,
    new_listener,
    new_unix_listener,
)

# Larger than the largest message: how many reads it takes is the kernel's doing, not the server's.
READ_BYTES = 256 * 1024


class Echo(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


class DatagramEcho(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.transport.sendto(data, addr)


class BufferedEcho(asyncio.BufferedProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.buffer = bytearray(READ_BYTES)

    def get_buffer(self, sizehint: int) -> bytearray:
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        # A copy: the transport may keep what it is given, and the next read reuses the buffer.
        self.transport.write(self.buffer[:nbytes])


async def serve_forever(server: asyncio.Server, listener: Listener) -> None:
    listener.announce()
    # Not `server.serve_forever()`, in which one of the peers starts to listen again, and fails.
    await asyncio.Event().wait()
    server.close()


async def serve_protocol(listener: Listener) -> None:
    loop = asyncio.get_running_loop()
    await serve_forever(await loop.create_server(Echo, sock=listener.socket), listener)


async def serve_unix(listener: Listener) -> None:
    loop = asyncio.get_running_loop()
    await serve_forever(await loop.create_unix_server(Echo, sock=listener.socket), listener)


async def serve_udp(listener: Listener) -> None:
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(DatagramEcho, sock=listener.socket)
    listener.announce()
    await asyncio.Event().wait()


async def serve_tls(listener: Listener) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Echo, sock=listener.socket, ssl=server_context())
    await serve_forever(server, listener)


async def serve_buffered(listener: Listener) -> None:
    loop = asyncio.get_running_loop()
    await serve_forever(await loop.create_server(BufferedEcho, sock=listener.socket), listener)


async def echo_streams(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(READ_BYTES):
            writer.write(data)
            await writer.drain()
    writer.close()


async def serve_streams(listener: Listener) -> None:
    server = await asyncio.start_server(echo_streams, sock=listener.socket, limit=READ_BYTES)
    await serve_forever(server, listener)


async def echo_sock(connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    with connection, contextlib.suppress(ConnectionError):
        while data := await loop.sock_recv(connection, READ_BYTES):
            await loop.sock_sendall(connection, data)


async def serve_sock(listener: Listener) -> None:
    loop = asyncio.get_running_loop()
    echoes = set[asyncio.Task[None]]()  # the loop itself keeps only weak references
    listener.announce()
    while True:
        connection, _ = await loop.sock_accept(listener.socket)
        connection.setblocking(False)
        echo = loop.create_task(echo_sock(connection))
        echoes.add(echo)
        echo.add_done_callback(echoes.discard)


MODES: dict[str, Callable[[Listener], Coroutine[None, None, None]]] = {
    "proto": serve_protocol,
    "buffered": serve_buffered,
    "streams": serve_streams,
    "sock": serve_sock,
    "unix": serve_unix,
    "udp": serve_udp,
    "tls": serve_tls,
}
LISTENERS = {"unix": new_unix_listener, "udp": new_datagram_socket}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loop", choices=loops.MODULES, required=True)
    parser.add_argument("--mode", choices=MODES, required=True)
    arguments = parser.parse_args()
    listener = LISTENERS.get(arguments.mode, new_listener)()
    run_server(arguments.loop, MODES[arguments.mode](listener))


if __name__ == "__main__":
    main()
