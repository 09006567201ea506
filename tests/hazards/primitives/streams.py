"""Stream readers that are fed on one worker and read on another, and writers that wait there."""

import asyncio
import random
from asyncio import streams
from typing import Any

from .crowd import Crowd

LINE = 40


async def stream_reader(loop: Any, operations: int) -> None:
    """All that is fed is read, in order, however it is read."""
    crowd = Crowd(loop, operations, each=2)

    async def act(number: int, chance: random.Random) -> None:
        reader = asyncio.StreamReader()
        there = (number + 1) % len(loop.workers)
        feeding = loop.spawn(feed(reader, random.Random(number)), worker=there)
        for turn in range(crowd.share):
            line = _line(turn)
            how = chance.randrange(3)
            if how == 0:
                assert await reader.readline() == line
            elif how == 1:
                assert await reader.readexactly(LINE) == line
            else:
                try:
                    async with asyncio.timeout(chance.random() * 0.0005):
                        read = await reader.read(LINE)
                except TimeoutError:
                    read = b""
                assert read + await reader.readexactly(LINE - len(read)) == line
        assert await reader.read() == b""
        await feeding

    async def feed(reader: asyncio.StreamReader, chance: random.Random) -> None:
        for turn in range(crowd.share):
            line = _line(turn)
            cut = chance.randrange(LINE)
            reader.feed_data(line[:cut])
            if chance.random() < 0.3:
                await asyncio.sleep(0)
            reader.feed_data(line[cut:])
        reader.feed_eof()

    await crowd.run(act)


def _line(turn: int) -> bytes:
    return b"%0*d\n" % (LINE - 1, turn)


async def drain(loop: Any, operations: int) -> None:
    """Who waits for a transport to drain is woken."""
    crowd = Crowd(loop, operations)
    flow = streams.FlowControlMixin(loop)
    left = crowd.count

    async def act(_: int, chance: random.Random) -> None:
        nonlocal left
        for _ in range(crowd.share):
            if chance.random() < 0.9:
                await flow._drain_helper()  # type: ignore[attr-defined]
            else:
                try:
                    async with asyncio.timeout(chance.random() * 0.001):
                        await flow._drain_helper()  # type: ignore[attr-defined]
                except TimeoutError:
                    pass
            await asyncio.sleep(0)

    async def pause() -> None:
        while not waiting.done():
            flow.pause_writing()
            await asyncio.sleep(0)
            flow.resume_writing()
            await asyncio.sleep(0)

    waiting = asyncio.ensure_future(crowd.run(act))
    await asyncio.gather(waiting, pause())


async def echo(loop: Any, operations: int) -> None:
    """A client's connection that tasks of all workers use, one after the other."""
    crowd = Crowd(loop, operations, each=2)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            writer.write(data)
            await writer.drain()
        writer.close()
        served.set_result(None)

    served = loop.create_future()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    turn_of = asyncio.Lock()

    async def act(number: int, _: random.Random) -> None:
        for turn in range(crowd.share):
            async with turn_of:
                line = _line(number * crowd.share + turn)
                writer.write(line)
                await writer.drain()
                assert await reader.readexactly(LINE) == line

    await crowd.run(act)
    writer.close()
    await writer.wait_closed()
    await served
    server.close()
    await server.wait_closed()
