"""Out of descriptors: a server tells, waits, and goes on; a new loop leaves nothing behind."""

import asyncio
import gc
import resource
import socket
from asyncio import constants
from collections.abc import Iterator

import pytest

from tests.conftest import Loop, LoopFactory
from tests.unit.connections import Recorder, until


@pytest.fixture
def _no_descriptor_left() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("_no_descriptor_left")
async def test_a_server_without_descriptors_reports_it_and_recovers(
    loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    accepted: list[Recorder] = []

    def accept() -> Recorder:
        accepted.append(Recorder())
        return accepted[-1]

    server = await loop.create_server(accept, "127.0.0.1", 0, backlog=1)
    client = socket.socket()
    client.setblocking(False)
    connecting = loop.sock_connect(client, server.sockets[0].getsockname())
    with socket.socket() as last:  # the limit is the first number that can't be given away
        lowest_free = last.fileno()
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    await connecting
    await until(lambda: "socket.accept() out of system resource" in caplog.text)
    assert not accepted
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    await until(lambda: accepted)
    client.send(b"after all")
    await until(lambda: accepted[0].received == b"after all")
    # It tried once for each place in its backlog, and as often goes on later, closed or not.
    await asyncio.sleep(constants.ACCEPT_RETRY_DELAY)
    caplog.clear()
    client.close()
    await until(lambda: accepted[0].is_lost)
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0)


@pytest.mark.usefixtures("_no_descriptor_left")
@pytest.mark.parametrize("left", range(4))
def test_a_loop_that_cannot_be_made_keeps_no_descriptor(
    loop: Loop, loop_name: str, loop_factory: LoopFactory, left: int
) -> None:
    if loop_name == "asyncio":
        pytest.skip("the finaliser of its loop fails")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    gc.collect()
    with socket.socket() as next_one:
        lowest_free = next_one.fileno()
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free + left, hard))
    with pytest.raises(OSError, match="Too many open files"):
        loop_factory()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    gc.collect()
    with socket.socket() as next_one:
        assert next_one.fileno() == lowest_free
