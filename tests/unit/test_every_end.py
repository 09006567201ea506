"""From every state a connection ends in each way, and its protocol is told of it once, at last.

Each test runs among other connections that are busy, so that loops which do I/O elsewhere do.
"""

import asyncio
import contextlib
import gc
import socket
import ssl
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tests.unit.connections import Recorder, tcp_pair, turns, until, until_lost
from tests.unit.tls.peers import certificates

NEIGHBOURS = 5
MUCH = bytes(10_000_000)  # more than the kernel's buffers take


class Near(Recorder):
    """May end its connection from within a method, and keep one that the peer has ended."""

    def __init__(self) -> None:
        super().__init__()
        self.on_call: dict[str, Callable[[], None]] = {}
        self.transport: Any = None
        self.keeps = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._called("connection_made")

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._called("data_received")

    def eof_received(self) -> bool:
        super().eof_received()
        return self.keeps

    def _called(self, name: str) -> None:
        self.on_call.pop(name, lambda: None)()


class Far:
    """The other end: a socket that blocks, used on other threads."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    async def become_tls(self) -> None:
        context = certificates().client_context()
        self.sock = await self.run(
            lambda: context.wrap_socket(self.sock, server_hostname="localhost")
        )

    async def run(self, function: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(None, function)

    def swallow(self) -> None:
        """Reads to the end, of whichever kind it is; TLS waits for its own."""
        with contextlib.suppress(OSError, ValueError):
            while self.sock.recv(1 << 20):
                pass
        self.sock.close()

    def reset(self) -> None:
        linger_on_for_no_time = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_on_for_no_time)
        self.sock.close()


class Ending:
    """A connection, and how it is to end."""

    def __init__(self, ways: list[str], uses_tls: bool) -> None:
        self.ways = ways
        self.near = Near()
        near, far = tcp_pair()
        self.socket: Any = near
        self.far = Far(far)
        self.context = certificates().server_context() if uses_tls else None
        self.is_due = True
        self.rest: list[asyncio.Future[Any]] = []

    def connect(self) -> Awaitable[Any]:
        return asyncio.get_running_loop().connect_accepted_socket(
            lambda: self.near, self.socket, ssl=self.context
        )

    async def connected(self) -> None:
        if self.context is None:
            await self.connect()
        else:
            await asyncio.gather(self.connect(), self.far.become_tls())

    def end(self) -> None:
        self.is_due = False
        for way in self.ways:
            if way in {"close", "abort"}:
                getattr(self.near.transport, way)()
            else:
                self.far.sock.close() if way == "peer closes" else self.far.reset()
                self.near.transport.resume_reading()
                self.starts(self._find_out())

    async def _find_out(self) -> None:
        """Who neither reads nor writes doesn't notice that the peer is gone."""
        while not self.near.is_lost:
            with contextlib.suppress(RuntimeError):  # after the end of what it sends
                self.near.transport.write(b"to nobody")
            await asyncio.sleep(0.001)

    def starts(self, coroutine: Awaitable[Any]) -> None:
        self.rest.append(asyncio.ensure_future(coroutine))


async def open_(ending: Ending) -> None:
    await ending.connected()


async def in_connection_made(ending: Ending) -> None:
    ending.near.on_call["connection_made"] = ending.end
    await ending.connected()


async def in_data_received(ending: Ending) -> None:
    await ending.connected()
    ending.near.on_call["data_received"] = ending.end
    await ending.far.run(lambda: ending.far.sock.sendall(b"data"))
    await until(lambda: not ending.is_due)


async def with_data_not_delivered(ending: Ending) -> None:
    """Reading is paused after data has come, within the turn that delivers it or before."""
    await ending.connected()
    ending.far.sock.send(b"data")
    ending.near.transport.pause_reading()
    await turns(3)


async def paused(ending: Ending) -> None:
    await ending.connected()
    ending.near.transport.pause_reading()
    await turns()


async def with_something_written(ending: Ending) -> None:
    await ending.connected()
    ending.near.transport.writelines([b"some", b"thing"])


async def blocked(ending: Ending) -> None:
    await ending.connected()
    ending.near.transport.write(MUCH)
    await turns(3)


async def blocked_and_paused(ending: Ending) -> None:
    await blocked(ending)
    ending.near.transport.pause_reading()


async def after_the_end_of_what_it_sends(ending: Ending) -> None:
    await ending.connected()
    ending.near.transport.write(b"last")
    ending.near.transport.write_eof()


async def after_the_end_of_what_it_receives(ending: Ending) -> None:
    await ending.connected()
    ending.near.keeps = True
    ending.far.sock.shutdown(socket.SHUT_WR)
    await until(lambda: "eof_received" in ending.near.calls)


async def in_the_handshake(ending: Ending) -> None:
    """The peer goes away, since there is nobody yet to close the near end."""
    ending.starts(ending.connect())
    ending.far.sock.send(b"\x16\x03\x01")
    await turns(3)
    ending.far.reset()
    ending.is_due = False


PLAIN = [
    open_,
    in_connection_made,
    in_data_received,
    with_data_not_delivered,
    paused,
    with_something_written,
    blocked,
    blocked_and_paused,
    after_the_end_of_what_it_sends,
    after_the_end_of_what_it_receives,
]
WAYS = [
    ["close"],
    ["abort"],
    ["close", "abort"],
    ["peer closes"],
    ["peer resets"],
    ["close", "peer resets"],
    ["peer resets", "abort"],
]


# The peer's thread is in its handshake while the connection is made.
TLS = [
    (state, ways)
    for state in PLAIN
    if not state.__name__.startswith("after_the_end")
    for ways in WAYS
    if state is not in_connection_made or not any("peer" in way for way in ways)
]


@contextlib.asynccontextmanager
async def neighbours() -> AsyncIterator[None]:
    """Connections that never rest."""

    class Echo(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport
            transport.write(b"x")

        def data_received(self, data: bytes) -> None:
            self.transport.write(data)

    loop = asyncio.get_running_loop()
    transports = []
    for _ in range(NEIGHBOURS):
        for end in socket.socketpair():
            transport, _protocol = await loop.create_connection(Echo, sock=end)
            transports.append(transport)
    yield
    for transport in transports:
        transport.abort()
    await turns()


async def assert_ends_once(
    state: Callable[[Ending], Awaitable[None]], ways: list[str], uses_tls: bool
) -> "weakref.ref[Any]":
    async with neighbours():
        ending = Ending(ways, uses_tls)
        await state(ending)
        near = ending.near
        if ending.is_due:
            ending.end()
        if ending.far.sock.fileno() >= 0:
            ending.starts(ending.far.run(ending.far.swallow))
        if near.transport is not None:
            await until_lost(near)
        for result in await asyncio.gather(*ending.rest, return_exceptions=True):
            assert result is None or isinstance(result, OSError | RuntimeError | ssl.SSLError)
        await turns(5)
    assert ending.socket.fileno() == -1
    assert near.calls.count("connection_lost") == (near.transport is not None)
    assert near.calls[-1:] in ([], ["connection_lost"])
    ending.far.sock.close()
    return weakref.ref(near)


async def check(
    state: Callable[[Ending], Awaitable[None]], ways: list[str], uses_tls: bool
) -> None:
    protocol = await assert_ends_once(state, ways, uses_tls)
    for _ in range(3):  # finalisers leave garbage of their own
        gc.collect()
    assert protocol() is None


def name(thing: Any) -> str:
    return getattr(thing, "__name__", None) or ", ".join(thing)


pytestmark = pytest.mark.usefixtures("loop")


@pytest.mark.parametrize("ways", WAYS, ids=name)
@pytest.mark.parametrize("state", PLAIN, ids=name)
async def test_a_stream_ends(state: Callable[[Ending], Awaitable[None]], ways: list[str]) -> None:
    await check(state, ways, uses_tls=False)


@pytest.mark.parametrize(("state", "ways"), TLS, ids=name)
async def test_a_tls_stream_ends(
    state: Callable[[Ending], Awaitable[None]], ways: list[str]
) -> None:
    await check(state, ways, uses_tls=True)


async def test_a_handshake_ends() -> None:
    await check(in_the_handshake, [], uses_tls=True)
