"""What another thread writes leaves at once.

asyncio doesn't promise it, since transports are not for several threads. But there it does so, and
programs rely on it.
"""

import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from tests.conftest import Loop
from tests.unit.connections import PATIENCE_SECONDS, Connector, Recorder, until
from tests.unit.datagrams import Endpoint, plain_socket

LOOP_WAITS_AFTER_SECONDS = 0.02
MUCH = bytes(range(256)) * 32 * 1024  # more than the kernel's buffers take


async def while_the_loop_waits(function: Callable[[], bytes]) -> bytes:
    def run() -> bytes:
        time.sleep(LOOP_WAITS_AFTER_SECONDS)
        return function()

    return await asyncio.get_running_loop().run_in_executor(None, run)


def in_thread(function: Callable[[], object]) -> None:
    """Runs it while the loop's own thread does nothing."""
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()


async def test_a_write_leaves_while_the_loop_waits(connect: Connector) -> None:
    connection = await connect(Recorder)

    def ask() -> bytes:
        connection.transport.write(b"x")
        return connection.peer.receive(1)

    assert await while_the_loop_waits(ask) == b"x"


async def test_a_write_leaves_while_a_callback_blocks(connect: Connector) -> None:
    connection = await connect(Recorder)
    received = []

    def ask() -> None:
        connection.transport.write(b"x")
        received.append(connection.peer.receive(1))

    in_thread(ask)
    assert received == [b"x"]


async def test_it_comes_after_what_the_loop_has_written(connect: Connector) -> None:
    connection = await connect(Recorder)
    received = []

    def ask() -> None:
        connection.transport.write(b"second")
        received.append(connection.peer.receive(11))

    connection.transport.write(b"first")
    in_thread(ask)
    assert received == [b"firstsecond"]


@pytest.mark.parametrize("is_reading", [True, False])
async def test_more_than_fits_leaves_as_the_peer_reads(
    connect: Connector, is_reading: bool
) -> None:
    connection = await connect(Recorder)
    if not is_reading:
        connection.transport.pause_reading()

    def ask() -> bytes:
        connection.transport.write(MUCH)
        connection.transport.write(b"end")
        return connection.peer.receive(len(MUCH) + 3)

    assert await while_the_loop_waits(ask) == MUCH + b"end"
    await until(lambda: connection.protocol.calls[-1] == "resume_writing")


async def test_a_failed_write_is_told_of_while_the_loop_waits(connect: Connector) -> None:
    connection = await connect(Recorder)
    connection.transport.pause_reading()
    connection.peer.reset()

    def write() -> bytes:
        while not connection.transport.is_closing():
            connection.transport.write(b"x")
        return b""

    async with asyncio.timeout(PATIENCE_SECONDS):
        await while_the_loop_waits(write)
        await until(lambda: connection.protocol.is_lost)
    assert isinstance(connection.protocol.lost_with, ConnectionError)


async def test_a_datagram_leaves_while_the_loop_waits(loop: Loop) -> None:
    transport, _ = await loop.create_datagram_endpoint(Endpoint, local_addr=("127.0.0.1", 0))
    with plain_socket() as peer:
        peer.settimeout(PATIENCE_SECONDS)

        def ask() -> bytes:
            transport.sendto(b"x", peer.getsockname())
            return peer.recv(10)

        assert await while_the_loop_waits(ask) == b"x"
    transport.close()
