"""What the programs have in common: a server, the load on it, and the look at what came of it."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import rloop

from .load import HOST

Handle = Callable[[bytes], Awaitable[str]]


class Program:
    """A program whose handlers do what its context manager gives: a digest of data."""

    def __init__(self, make: Callable[[], AsyncIterator[Handle]]) -> None:
        """Decorates the generator of a context manager."""
        self.handler = asynccontextmanager(make)

    async def __call__(self, seconds: float) -> None:
        """Serves that for so long."""
        async with self.handler() as handle:
            await serve(handle, seconds)


async def serve(handle: Handle, seconds: float) -> None:
    """Answers lines of the load with what ``handle`` says, on all workers."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            answer = await handle(bytes.fromhex(line.decode()))
            writer.write(f"{here()} {answer}\n".encode())
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(connected, HOST, 0) as server:
        await load("load", server.sockets[0].getsockname()[1], seconds)


async def load(module: str, port: int, seconds: float) -> None:
    """Clients of another process, for so long; all workers must have answered."""
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", f"{__package__}.{module}", str(port), str(seconds)],
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(f"the load ended with {process.returncode}")
    check_shares(json.loads(said))


def check_shares(seen: dict[str, int]) -> None:
    """Prints who has answered how much; all workers must have."""
    print("answers", sum(seen.values()), seen, flush=True)
    loop: Any = asyncio.get_running_loop()
    idle = [worker for worker in loop.workers if str(worker.index) not in seen]
    if idle:
        raise SystemExit(f"who has not served: {idle}")


def here() -> int:
    """The worker that this runs on, by its number."""
    worker = rloop.current_worker()
    assert worker is not None
    return worker.index
