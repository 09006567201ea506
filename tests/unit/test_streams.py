"""Streams on top of transports: what most servers and clients are written with."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from tests.conftest import Loop
from tests.unit.connections import turns

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def served_by(serve: Serve) -> AsyncIterator[Streams]:
    """Streams to a server of this loop."""
    served: list[asyncio.Task[None]] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(asyncio.ensure_future(serve_and_close(reader, writer)))

    async def serve_and_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):  # the same, seen from the server
            await serve(reader, writer)
        writer.close()
        with suppress(ConnectionError):  # asked for in any case: the error is nobody's otherwise
            await writer.wait_closed()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        yield reader, writer
        writer.close()
        with suppress(ConnectionError):  # a reset, where the test left data unread
            await writer.wait_closed()
        await asyncio.gather(*served)
    await turns(5)


async def write_on(writer: asyncio.StreamWriter) -> None:
    for _ in range(100):
        writer.write(b"x" * 100_000)
        await writer.drain()
        await asyncio.sleep(0.001)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


async def test_what_is_written_is_read_back(loop: Loop) -> None:
    async with served_by(echo) as (reader, writer):
        for size in (1, 1000, 100_000, 3_000_000):
            writer.write(b"x" * size)
            assert await reader.readexactly(size) == b"x" * size


async def test_lines_are_read_one_by_one(loop: Loop) -> None:
    async def three_lines(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"one\ntwo\n")
        await writer.drain()
        await asyncio.sleep(0.005)
        writer.write(b"three\nno newline")

    async with served_by(three_lines) as (reader, _):
        assert [await reader.readline() for _ in range(5)] == [
            b"one\n", b"two\n", b"three\n", b"no newline", b"",
        ]  # fmt: skip
        assert reader.at_eof()


async def test_lines_are_iterated(loop: Loop) -> None:
    async def many_lines(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.writelines(b"line %d\n" % number for number in range(1000))

    async with served_by(many_lines) as (reader, _):
        assert [line async for line in reader] == [b"line %d\n" % n for n in range(1000)]


async def test_readuntil_stops_at_the_separator(loop: Loop) -> None:
    async with served_by(echo) as (reader, writer):
        writer.write(b"head\r\n\r\nbody")
        assert await reader.readuntil(b"\r\n\r\n") == b"head\r\n\r\n"
        assert await reader.readexactly(4) == b"body"


async def test_an_end_before_enough_is_read_raises(loop: Loop) -> None:
    async def short(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"short")

    async with served_by(short) as (reader, _):
        with pytest.raises(asyncio.IncompleteReadError) as raised:
            await reader.readexactly(10)
        assert raised.value.partial == b"short"


async def test_a_line_longer_than_the_limit_raises(loop: Loop) -> None:
    async with served_by(echo) as (reader, writer):
        writer.write(b"x" * 200_000 + b"\n")
        with pytest.raises(
            ValueError, match="Separator is (found, but chunk|not found, and chunk)"
        ):
            await reader.readline()


async def test_a_reader_that_is_full_stops_the_sender(loop: Loop) -> None:
    stalled = asyncio.Event()

    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _number in range(400):
            writer.write(bytes(100_000))
            try:
                await asyncio.wait_for(writer.drain(), 0.05)
            except TimeoutError:
                stalled.set()
                await writer.drain()

    async with served_by(flood) as (reader, _):
        await stalled.wait()
        assert len(await reader.read(-1)) == 400 * 100_000


async def test_drain_raises_when_the_connection_is_lost(loop: Loop) -> None:
    async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with served_by(leave) as (reader, writer):
        assert await reader.read() == b""
        with pytest.raises(ConnectionError):
            await write_on(writer)


async def test_write_eof_ends_the_question(loop: Loop) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"%d bytes" % len(await reader.read(-1)))

    async with served_by(answer) as (reader, writer):
        assert writer.can_write_eof()
        writer.write(b"x" * 1_000_000)
        writer.write_eof()
        assert await reader.read(-1) == b"1000000 bytes"


async def test_wait_closed_waits_for_what_was_written(loop: Loop) -> None:
    size = 10_000_000
    received: list[int] = []

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(len(await reader.read(-1)))

    async with served_by(count) as (_, writer):
        writer.write(bytes(size))
        writer.close()
        assert writer.is_closing()
        await writer.wait_closed()
    assert received == [size]


async def test_a_cancelled_read_loses_nothing(loop: Loop) -> None:
    async with served_by(echo) as (reader, writer):
        for number in range(20):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.readexactly(3), 0.001)
            writer.write(b"%03d" % number)
            assert await reader.readexactly(3) == b"%03d" % number


async def test_a_handler_that_raises_is_reported(loop: Loop) -> None:
    reports: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: reports.append(context))

    async def fail(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        raise ZeroDivisionError

    async with await asyncio.start_server(fail, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
    assert "Unhandled exception in client_connected_cb" in str(reports[0]["message"])


async def test_many_streams_at_once(loop: Loop) -> None:
    async def exchange(number: int) -> bool:
        message = b"message %d " % number * 1000
        async with served_by(echo) as (reader, writer):
            writer.write(message)
            return await reader.readexactly(len(message)) == message

    assert all(await asyncio.gather(*map(exchange, range(30))))
