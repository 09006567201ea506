"""How many threads of Java's do a ``TokioLoop``'s I/O."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

import rloop

CONNECTIONS = 40
MESSAGES = 30


@pytest.mark.parametrize("number", [0, -1, 65])
def test_a_number_that_makes_no_sense_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match=f"io_threads is {number}: expected a number from 1 to 64"):
        rloop.TokioLoop(io_threads=number)


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(TypeError):
        rloop.TokioLoop(io_threads="2")  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["0", "many", "-1", "1.5", "65"])
def test_a_variable_that_makes_no_sense_is_refused(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("RLOOP_IO_THREADS", value)
    with pytest.raises(rloop.SettingError, match="expected a number from 1 to 64"):
        rloop.TokioLoop()


def test_the_variable_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RLOOP_IO_THREADS", "3")
    loop = rloop.TokioLoop()
    assert len(loop.metrics().io_threads) == 3
    loop.close()
    loop = rloop.TokioLoop(io_threads=2)
    assert len(loop.metrics().io_threads) == 2
    loop.close()


async def serve(
    echo: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> None:
    """Answers many connections at once, each of which has messages of its own."""
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async def ask(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for message in range(MESSAGES):
            line = f"{number} {message} ".encode() * (number + 1)
            writer.write(line + b"\n")
            assert await reader.readline() == line + b"\n"
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*map(ask, range(CONNECTIONS)))
    server.close()


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_connections_are_shared_out_among_the_threads(
    monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    monkeypatch.setenv("RLOOP_LEND", "always")

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    with asyncio.Runner(loop_factory=lambda: rloop.TokioLoop(io_threads=threads)) as runner:
        runner.run(serve(echo))
        loop = runner.get_loop()
        assert isinstance(loop, rloop.TokioLoop)
        received = [io.bytes_received for io in loop.metrics().io_threads]
    assert len(received) == threads
    assert all(received)
