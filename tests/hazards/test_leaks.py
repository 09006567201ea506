"""Connections leave nothing behind, however they end: descriptors, threads, objects, memory.

LEAK_CONNECTIONS says how many are made, 1500 of each kind unless told.
"""

import os

import pytest

from .scripts import assert_clean, on_loop, run_script

CONNECTIONS = int(os.environ.get("LEAK_CONNECTIONS", "1500"))

# What leaks does so each time. Java's compiler may be late on a busy machine, and allocators keep
# some of what they get: megabytes, once.
CHECK = """
from tests.hazards.footprint import Footprint

def assert_nothing_leaks(action):
    for _ in range(3):
        before = Footprint.now()
        action()
        leaked = Footprint.now().leaked_since(before)
        if not leaked:
            return
    raise AssertionError(leaked)
"""

SCRIPT = """
import asyncio, os, socket, struct, sys
from contextlib import suppress

AT_ONCE = 50
WARM_UP = 5000  # until Java has compiled what they run: that takes megabytes, once
SECONDS = 0.001
NO_LINGER = struct.pack("ii", 1, 0)  # close() resets the connection

class Peer(asyncio.Protocol):
    '''The server's end: answers, resets, or is silent, as the first byte says.'''

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        if data == b"r":
            sock = self.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            self.transport.abort()
        elif data == b"e":
            self.transport.write(data)

async def opened(address):
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"e")
    assert await reader.readexactly(1) == b"e"
    writer.close()
    await writer.wait_closed()

async def cancelled(address):
    global cancellations
    cancellations += 1
    task = asyncio.ensure_future(asyncio.open_connection(*address))
    for _ in range(cancellations % 8):
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        _, writer = await task
        writer.close()
        await writer.wait_closed()

cancellations = 0

async def refused(address):
    with suppress(ConnectionRefusedError):
        await asyncio.open_connection(*nobody.getsockname())

async def reset(address):
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"r")
    with suppress(ConnectionResetError):
        await reader.read()
    writer.close()
    with suppress(ConnectionResetError):
        await writer.wait_closed()

async def timed_out(address):
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"s")
    with suppress(asyncio.TimeoutError):
        await asyncio.wait_for(reader.read(), SECONDS)
    writer.close()
    await writer.wait_closed()

async def piped(address):
    loop = asyncio.get_running_loop()
    reading, writing = os.pipe()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(reading, "rb", 0)
    )
    transport, _ = await loop.connect_write_pipe(asyncio.Protocol, os.fdopen(writing, "wb", 0))
    transport.write(b"e")
    transport.close()
    assert await reader.read() == b"e"

async def make(kind, count):
    async def several():
        for _ in range(count // AT_ONCE):
            await kind(address)

    server = await asyncio.get_running_loop().create_server(Peer, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    await asyncio.gather(*(several() for _ in range(AT_ONCE)))
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0.02)

nobody = socket.socket()  # bound, and does not listen
nobody.bind(("127.0.0.1", 0))
kind, count = globals()[sys.argv[1]], int(sys.argv[2])
loop = new_loop()
loop.run_until_complete(make(kind, WARM_UP))
assert_nothing_leaks(lambda: loop.run_until_complete(make(kind, count)))
loop.close()
"""


@pytest.mark.parametrize("kind", ["opened", "cancelled", "refused", "reset", "timed_out", "piped"])
def test_connections_leave_nothing_behind(loop_name: str, kind: str) -> None:
    script = on_loop(loop_name, CHECK, SCRIPT)
    assert_clean(run_script(script, kind, str(CONNECTIONS), timeout=60 + CONNECTIONS / 20))


LOOPS = """
import asyncio, socket, sys

class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)

async def use(loop):
    server = await loop.create_server(Echo, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"e")
    await reader.readexactly(1)
    writer.close()
    server.close()
    loop.call_later(60, print)
    await lose_what_is_waited_for(loop)

async def lose_what_is_waited_for(loop):
    '''A socket closed while somebody waits; a transport then gets its number.'''
    sock, peer = socket.socketpair()
    sock.setblocking(False)
    receiving = asyncio.ensure_future(loop.sock_recv(sock, 1))
    await asyncio.sleep(0)
    receiving.cancel()
    await asyncio.sleep(0)
    number = sock.fileno()
    sock.close()
    sock, other = pair_with(number)
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=sock)
    transport.close()
    peer.close()
    other.close()
    await asyncio.sleep(0.001)

def pair_with(number):
    while True:
        pair = sorted(socket.socketpair(), key=lambda sock: sock.fileno() != number)
        if pair[0].fileno() == number:
            return pair
        for sock in pair:  # another thread, one of Java's, has the number for a moment
            sock.close()

def make(count):
    for _ in range(count):
        loop = new_loop()
        loop.run_until_complete(use(loop))
        loop.close()

make(int(sys.argv[1]))  # until Java is warm
assert_nothing_leaks(lambda: make(int(sys.argv[1])))
"""


def test_closed_loops_leave_nothing_behind(loop_name: str) -> None:
    assert_clean(run_script(on_loop(loop_name, CHECK, LOOPS), "400", timeout=120))
