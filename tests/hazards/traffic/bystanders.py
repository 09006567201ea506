"""What else goes on in the loop: connections that end badly, and threads that call in."""

import asyncio
import contextlib
import gc
import random
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from typing import Any

from tests.unit.connections import tcp_pair

_NO_LINGER = struct.pack("ii", 1, 0)  # close() resets the connection
_MUCH = bytes(300_000)
_CALLS_AT_ONCE = 50
_SECONDS_BETWEEN_COLLECTIONS = 0.1


class Victim(asyncio.Protocol):
    """Writes without end; is told of its own end once."""

    def __init__(self, ended: "asyncio.Future[None]", seed: int) -> None:
        self.ended = ended
        self.random = random.Random(seed)
        self.left = self.random.randrange(1, 20)
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.transport.write(_MUCH)

    def data_received(self, data: bytes) -> None:
        self.left -= 1
        if self.left == 0:
            self.random.choice([self.transport.abort, self.transport.close])()
        else:
            self.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        assert not self.ended.done(), "told twice"
        self.ended.set_result(None)


async def be_left(seed: int, context: ssl.SSLContext | None) -> None:
    """A peer vanishes: in the handshake or in the middle of data, with a reset or not."""
    chosen = random.Random(seed)
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    near, peer = tcp_pair()
    peer.setblocking(False)
    opening = loop.connect_accepted_socket(lambda: Victim(ended, seed), near, ssl=context)
    opened = asyncio.ensure_future(opening)
    with contextlib.suppress(OSError):
        if context is not None:
            await _say_hello(peer, chosen)
        for _ in range(chosen.randrange(6)):
            peer.send(chosen.randbytes(chosen.randrange(1, 2000)))
            await asyncio.sleep(0)
            with contextlib.suppress(BlockingIOError):
                peer.recv(chosen.randrange(1, 100_000))
    if chosen.random() < 0.5:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    peer.close()
    try:
        await opened
    except (OSError, ssl.SSLError):
        return  # the connection was never made
    await ended


async def _say_hello(peer: socket.socket, chosen: random.Random) -> None:
    """The beginning of a handshake, which is answered, and no more."""
    outgoing = ssl.MemoryBIO()
    context = ssl.create_default_context()
    tls = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    hello = outgoing.read()
    peer.send(hello[: chosen.randrange(1, len(hello) + 1)])
    await asyncio.sleep(chosen.random() / 500)


async def come_and_go(address: Any, seed: int) -> None:
    """Opens a connection, and drops it in one of the ways there are."""
    chosen = random.Random(seed)
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    transport, _ = await loop.create_connection(lambda: Victim(ended, seed), *address)
    for _ in range(chosen.randrange(4)):
        await asyncio.sleep(0)
    with contextlib.suppress(OSError):  # to end what was reset
        chosen.choice([transport.close, transport.abort, transport.write_eof])()
    transport.abort()
    await ended


class Callers:
    """Threads that call in; the calls of each come in order, and all of them come."""

    def __init__(self, count: int, calls: int) -> None:
        self.loop = asyncio.get_running_loop()
        self.calls = calls
        self.came = [0] * count
        self.wrong: list[str] = []
        self.all_came = self.loop.create_future()
        self.threads = [threading.Thread(target=self._call, args=(n,)) for n in range(count)]

    def _call(self, thread: int) -> None:
        for number in range(self.calls):
            self.loop.call_soon_threadsafe(self._come, thread, number)
            while number - self.came[thread] > _CALLS_AT_ONCE:
                threading.Event().wait(0.001)

    def _come(self, thread: int, number: int) -> None:
        if number != self.came[thread]:
            self.wrong.append(f"call {number} of {thread} in the place of {self.came[thread]}")
        self.came[thread] += 1
        if self.came == [self.calls] * len(self.came):
            self.all_came.set_result(None)

    async def run(self) -> None:
        for thread in self.threads:
            thread.start()
        await self.all_came
        for thread in self.threads:
            thread.join()
        assert not self.wrong, self.wrong


@contextlib.contextmanager
def collecting(collect_java_garbage: Callable[[], object] | None) -> Any:
    """Collections of both kinds, on another thread."""
    done = threading.Event()

    def collect() -> None:
        while not done.wait(_SECONDS_BETWEEN_COLLECTIONS):
            gc.collect()
            if collect_java_garbage is not None:
                collect_java_garbage()

    thread = threading.Thread(target=collect)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
