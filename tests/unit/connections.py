"""A TCP connection to test: one end is a transport of the loop, the other a plain socket."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import pytest

# How long a peer waits for the loop: far more than needed, so that only what hangs runs into it.
PATIENCE_SECONDS = 20


class Recorder(asyncio.Protocol):
    """Notes what its transport calls, in order, and what was received."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.received = bytearray()
        self.lost_with: BaseException | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.calls.append("connection_made")

    def data_received(self, data: bytes) -> None:
        self.calls.append("data_received")
        self.received += data

    def eof_received(self) -> bool | None:
        self.calls.append("eof_received")
        return None

    def pause_writing(self) -> None:
        self.calls.append("pause_writing")

    def resume_writing(self) -> None:
        self.calls.append("resume_writing")

    def connection_lost(self, exc: BaseException | None) -> None:
        self.calls.append("connection_lost")
        self.lost_with = exc

    @property
    def is_lost(self) -> bool:
        return "connection_lost" in self.calls


class Recorders(list[Recorder]):
    """The protocols of a server's connections."""

    def make(self) -> Recorder:
        """A protocol factory."""
        self.append(Recorder())
        return self[-1]


class BufferedRecorder(asyncio.BufferedProtocol):
    """The same over a buffer that it gives to its transport."""

    def __init__(self, size: int = 1024) -> None:
        self.buffer = bytearray(size)
        self.calls: list[str] = []
        self.received = bytearray()
        self.lost_with: BaseException | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.calls.append("connection_made")

    def get_buffer(self, sizehint: int) -> bytearray:
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.calls.append("buffer_updated")
        self.received += self.buffer[:nbytes]

    def eof_received(self) -> bool | None:
        self.calls.append("eof_received")
        return None

    def connection_lost(self, exc: BaseException | None) -> None:
        self.calls.append("connection_lost")
        self.lost_with = exc

    @property
    def is_lost(self) -> bool:
        return "connection_lost" in self.calls


@dataclass
class Peer:
    """The far end: a socket that blocks; where the loop must run meanwhile, in a thread."""

    socket: socket.socket

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive(self, size: int) -> bytes:
        """Waits for exactly so many bytes, or fewer at the end of the stream."""
        received = bytearray()
        while len(received) < size and (data := self.socket.recv(size - len(received))):
            received += data
        return bytes(received)

    def receive_everything(self) -> bytes:
        """Waits for the end of the stream."""
        received = bytearray()
        while data := self.socket.recv(1 << 20):
            received += data
        return bytes(received)

    async def receive_soon(self, size: int) -> bytes:
        """`receive`, while the loop runs."""
        return await asyncio.get_running_loop().run_in_executor(None, self.receive, size)

    async def receive_everything_soon(self) -> bytes:
        """`receive_everything`, while the loop runs."""
        return await asyncio.get_running_loop().run_in_executor(None, self.receive_everything)

    def is_silent(self) -> bool:
        """Whether there is nothing to receive, not even the end."""
        self.socket.setblocking(False)
        try:
            self.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        else:
            return False
        finally:
            self.socket.settimeout(PATIENCE_SECONDS)

    def reset(self) -> None:
        """Closes the connection with a reset instead of an end."""
        linger_on_for_no_time = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_on_for_no_time)
        self.socket.close()


ProtocolT_co = TypeVar("ProtocolT_co", bound=asyncio.BaseProtocol, covariant=True)


@dataclass
class Connection(Generic[ProtocolT_co]):
    """Both ends of a connection."""

    transport: asyncio.Transport
    protocol: ProtocolT_co
    peer: Peer


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    """Two connected TCP sockets; what only Unix sockets can do is not tested by accident."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
    accepted.settimeout(PATIENCE_SECONDS)
    accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client, accepted


class Connector:
    """Makes connections on the running loop, and ends them after the test."""

    def __init__(self) -> None:
        self._connections: list[Connection[asyncio.BaseProtocol]] = []

    async def __call__(self, make_protocol: Callable[[], ProtocolT_co]) -> Connection[ProtocolT_co]:
        loop = asyncio.get_running_loop()
        ours, far_end = tcp_pair()
        transport, protocol = await loop.create_connection(make_protocol, sock=ours)
        connection = Connection(transport, protocol, Peer(far_end))
        self._connections.append(connection)
        return connection

    async def end(self) -> None:
        for connection in self._connections:
            if not connection.transport.is_closing():
                connection.transport.abort()
            connection.peer.socket.close()
        await turns(5)


async def give_up(operation: Awaitable[object]) -> None:
    """Starts the operation, and cancels it while it waits."""
    task = asyncio.ensure_future(operation)
    await asyncio.sleep(0.001)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def turns(count: int = 2) -> None:
    """Lets the loop make that many iterations."""
    for _ in range(count):
        await asyncio.sleep(0)


async def until(condition: Callable[[], object]) -> None:
    """Lets the loop run until the condition holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():
            await asyncio.sleep(0.0005)


async def until_received(protocol: Recorder | BufferedRecorder, size: int) -> None:
    """Lets the loop run until the protocol has received as much."""
    await until(lambda: len(protocol.received) >= size)


async def until_lost(protocol: Recorder | BufferedRecorder) -> None:
    """Lets the loop run until the connection is lost."""
    await until(lambda: protocol.is_lost)


def fill(sock: socket.socket) -> None:
    """Sends until there is no more room; the socket does not block."""
    with contextlib.suppress(BlockingIOError):
        while True:
            sock.send(bytes(65536))


def drain(sock: socket.socket) -> None:
    """Receives until there is nothing more; the socket does not block."""
    with contextlib.suppress(BlockingIOError):
        while sock.recv(65536):
            pass
