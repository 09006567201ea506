"""Debug mode tells of what is used on a worker where it isn't at home, and isn't safe there."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest

import rloop
from tests.conftest import running_loop
from tests.unit.workers import call_on, needs_free_threading, new_loop, on

pytestmark = needs_free_threading


@pytest.fixture
def loop(request: pytest.FixtureRequest) -> Iterator[rloop.TokioLoop]:
    for loop in new_loop(2):
        request.node.stash[running_loop] = loop
        yield loop


class Connection:
    """A client's connection that is at home on the first worker."""

    def __init__(self, loop: Any) -> None:
        self._loop = loop

    async def __aenter__(self) -> Any:
        self._server = await self._loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
        address = self._server.sockets[0].getsockname()
        self.transport, _ = await self._loop.create_connection(asyncio.Protocol, *address)
        return self.transport

    async def __aexit__(self, *_: object) -> None:
        self.transport.abort()
        self._server.close()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("method", ["pause_reading", "resume_reading", "set_protocol"])
async def test_what_changes_reading_elsewhere_is_reported(
    loop: Any, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    loop.set_debug(True)
    loop.slow_callback_duration = 60
    arguments = [asyncio.Protocol()] if method == "set_protocol" else []
    async with Connection(loop) as transport:
        getattr(transport, method)(*arguments)
        assert not caplog.records
        await call_on(loop.workers[1], getattr(transport, method), *arguments)
    (report,) = caplog.records
    assert report.levelno == logging.WARNING
    message = report.getMessage()
    assert message.startswith(f"{method}() of <SocketTransport fd=")
    assert "was called on worker 1, but the connection is at home on worker 0" in message
    assert f"loop.workers[0].call_soon(transport.{method})" in message
    assert report.stack_info
    caplog.clear()


async def test_nothing_is_reported_without_debug_mode(
    loop: Any, caplog: pytest.LogCaptureFixture
) -> None:
    loop.set_debug(True)
    loop.set_debug(False)
    async with Connection(loop) as transport:
        await call_on(loop.workers[1], transport.pause_reading)
    assert not caplog.records


async def test_writing_and_closing_elsewhere_is_nothing_to_report(
    loop: Any, caplog: pytest.LogCaptureFixture
) -> None:
    loop.set_debug(True)
    loop.slow_callback_duration = 60
    async with Connection(loop) as transport:
        await call_on(loop.workers[1], transport.write, b"data")
        await call_on(loop.workers[1], transport.close)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_streams_that_are_read_elsewhere_are_nothing_to_report(
    loop: Any, caplog: pytest.LogCaptureFixture
) -> None:
    loop.set_debug(True)
    loop.slow_callback_duration = 60
    size = 1_000_000  # more than a reader takes before it pauses

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes(size))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    await asyncio.sleep(0.05)
    received = await on(loop.workers[1], reader.readexactly(size))
    assert len(received) == size
    writer.close()
    server.close()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_methods_are_put_back_when_no_loop_is_debugged(loop: Any) -> None:
    from rloop.transports.stream import SocketTransport  # noqa: PLC0415  # needs Java

    before = dict(vars(SocketTransport))
    loop.set_debug(True)
    assert dict(vars(SocketTransport)) != before
    loop.set_debug(False)
    assert dict(vars(SocketTransport)) == before
