"""What the threads share: a loop, and what is open in it.

All of it lets others in wherever Java calls Python.
"""

import asyncio
import contextlib
import os
import random
import socket
import time
from typing import Any

import rloop

PIECE = 1000  # bytes


def let_others_in() -> None:
    """What any Python code may do that runs while Java is in the middle of something."""
    time.sleep(0)


class Dying:
    """Something in a call or a protocol, which dies with it."""

    def __del__(self) -> None:
        let_others_in()


class Future(asyncio.Future[Any]):
    """A future that is not C's."""

    def set_result(self, result: Any) -> None:
        let_others_in()
        super().set_result(result)


def new_loop(name: str) -> Any:
    """A loop that has Python code run where Java makes a future; `name` is its class's."""
    base: Any = getattr(rloop, name)

    class Loop(base):  # type: ignore[misc]  # one of several
        def create_future(self) -> Any:
            let_others_in()
            return Future(loop=self)

    return Loop()


class Shared:
    """What the threads reach into; each has one loop's objects, some of which are closed by now."""

    def __init__(self, loop: Any) -> None:
        self.loop = loop
        self.transports: list[Any] = []
        self.datagrams: list[Any] = []
        self.writing_pipes: list[Any] = []
        self.sockets: list[socket.socket] = []
        self.kept: list[Any] = []
        self.buffer = bytearray(PIECE)
        self.listener: Any = None
        self.address: Any = None
        self.datagram_address: Any = None


class Echo(asyncio.Protocol):
    """Sends back what comes, for a while."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.left = 100
        self.dying = Dying()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.shared.transports.append(transport)
        transport.write(bytes(PIECE))

    def data_received(self, data: bytes) -> None:
        self.left -= 1
        if self.left > 0:
            self.transport.write(data)


class BufferedEcho(asyncio.BufferedProtocol):
    """Likewise, from a buffer of its own."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.buffer = bytearray(PIECE)
        self.left = 100

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.shared.transports.append(transport)
        transport.write(bytes(PIECE))

    def get_buffer(self, _: int) -> bytearray:
        return self.buffer

    def buffer_updated(self, count: int) -> None:
        self.left -= 1
        if self.left > 0:
            self.transport.write(self.buffer[:count])


class Property(Echo):
    """Has Python code run where Java looks the method up."""

    @property
    def data_received(self) -> Any:
        let_others_in()
        return super().data_received


class DatagramEcho(asyncio.DatagramProtocol):
    """Sends back what comes."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.left = 100

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.shared.datagrams.append(transport)

    def datagram_received(self, data: bytes, address: Any) -> None:
        self.left -= 1
        if self.left > 0:
            self.transport.sendto(data, address)


class Silent(asyncio.Protocol):
    """Reads."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared

    def connection_made(self, transport: Any) -> None:
        self.shared.transports.append(transport)


class Whistle:
    """Is in a cycle, and uses the loop as the collector finds it."""

    def __init__(self, shared: Shared) -> None:
        self.shared = shared
        self.cycle = self

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.shared.loop.call_soon(bool).cancel()
            random.choice(self.shared.transports).write(b"whistle")


class Buffer:
    """Has Python code run where Java asks for its memory (from 3.12 on)."""

    def __init__(self) -> None:
        self.memory = bytearray(PIECE)

    def __buffer__(self, flags: int) -> memoryview:
        let_others_in()
        return memoryview(self.memory)


def pair() -> tuple[socket.socket, socket.socket]:
    first, second = socket.socketpair()
    first.setblocking(False)
    second.setblocking(False)
    return first, second


def tls_contexts() -> Any:
    """For the client and the server; none where the certificates can't be made."""
    try:
        import trustme  # noqa: PLC0415
    except ImportError:
        return ()
    import ssl  # noqa: PLC0415

    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(client)
    return client, server


TLS = tls_contexts()


async def open_streams(shared: Shared) -> None:
    for protocol in (Echo, BufferedEcho, Property):
        for end in pair():
            await shared.loop.create_connection(lambda p=protocol: p(shared), sock=end)


async def open_tls(shared: Shared) -> None:
    for protocol in (Echo, BufferedEcho):
        client, server = pair()
        await asyncio.gather(
            shared.loop.create_connection(
                lambda p=protocol: p(shared),
                sock=client,
                ssl=TLS[0],
                server_hostname="localhost",
            ),
            shared.loop.connect_accepted_socket(lambda: Echo(shared), sock=server, ssl=TLS[1]),
        )


async def start_tls(shared: Shared) -> None:
    """The transports below it are in everybody's reach as well, during the handshake too."""
    client, server = [
        await shared.loop.create_connection(lambda: Silent(shared), sock=end) for end in pair()
    ]
    upgraded = await asyncio.gather(
        shared.loop.start_tls(*client, TLS[0], server_hostname="localhost"),
        shared.loop.start_tls(*server, TLS[1], server_side=True),
        return_exceptions=True,
    )
    shared.transports += [end for end in upgraded if isinstance(end, asyncio.Transport)]


async def open_pipes(shared: Shared) -> None:
    for _ in range(2):
        reading, writing = os.pipe()
        await shared.loop.connect_read_pipe(lambda: Silent(shared), os.fdopen(reading, "rb", 0))
        transport, _ = await shared.loop.connect_write_pipe(
            asyncio.BaseProtocol, os.fdopen(writing, "wb", 0)
        )
        shared.writing_pipes.append(transport)


async def open_datagrams(shared: Shared) -> None:
    for _ in range(2):
        transport, _ = await shared.loop.create_datagram_endpoint(
            lambda: DatagramEcho(shared), local_addr=("127.0.0.1", 0)
        )
        shared.datagram_address = transport.get_extra_info("sockname")


async def open_server(shared: Shared) -> None:
    # Of our own, so that there is somebody to connect to whatever becomes of the server.
    shared.listener = socket.create_server(("127.0.0.1", 0))
    shared.address = shared.listener.getsockname()
    await shared.loop.create_server(lambda: Echo(shared), sock=shared.listener)


def open_sockets(shared: Shared) -> None:
    for _ in range(3):
        shared.sockets += pair()
    for _ in range(2):
        end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        end.setblocking(False)
        end.bind(("127.0.0.1", 0))
        shared.sockets.append(end)


async def serve(shared: Shared) -> None:
    open_sockets(shared)
    openers = [open_server, open_streams, open_pipes, open_datagrams]
    if TLS:
        openers += [open_tls, start_tls]
    while True:
        for opener in openers:
            with contextlib.suppress(OSError, RuntimeError, ValueError, asyncio.CancelledError):
                await asyncio.wait_for(opener(shared), 0.1)
        await asyncio.sleep(0.02)
        for things in (shared.transports, shared.datagrams, shared.writing_pipes):
            del things[:-6]
