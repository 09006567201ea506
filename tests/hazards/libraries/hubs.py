"""A hub of websockets: what one client says, all get, in its order and once.

The hub sends on each what its speaker said with the digest of it; clients check (``hub_clients``).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import rloop

from . import front
from .hub_clients import WELCOME
from .load import HOST, digest


async def _serve(handler: Callable[[Any], Awaitable[None]], seconds: float) -> None:
    from websockets.asyncio.server import serve  # noqa: PLC0415

    async with serve(handler, HOST, 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        await front.load("hub_clients", port, seconds)


def _said(message: str) -> str:
    return f"{front.here()} {message} {digest(message.encode())}"


async def by_queues(seconds: float) -> None:
    """Each connection has a queue, and a task of its own sends what it gets there."""
    queues: set[asyncio.Queue[str]] = set()

    async def handler(connection: Any) -> None:
        queue: asyncio.Queue[str] = asyncio.Queue()

        async def sender() -> None:
            while True:
                await connection.send(await queue.get())

        queues.add(queue)
        await connection.send(WELCOME)
        sending = asyncio.create_task(sender())
        async for message in connection:
            said = _said(message)
            for each in list(queues):
                each.put_nowait(said)
        queues.remove(queue)
        sending.cancel()
        await asyncio.wait([sending])

    await _serve(handler, seconds)


async def by_workers(seconds: float) -> None:
    """Each worker broadcasts to the connections that are at home there."""
    from websockets.asyncio.server import broadcast  # noqa: PLC0415

    loop: Any = asyncio.get_running_loop()
    connections: rloop.WorkerLocal[set[Any]] = rloop.WorkerLocal(set)

    def say(said: str) -> None:
        broadcast(connections(), said)

    async def handler(connection: Any) -> None:
        connections().add(connection)
        await connection.send(WELCOME)
        async for message in connection:
            said = _said(message)
            for worker in loop.workers:
                worker.call_soon(say, said)
        connections().remove(connection)

    await _serve(handler, seconds)


async def by_broadcast(seconds: float) -> None:
    """The library's own function, from wherever it is: what it isn't made for."""
    from websockets.asyncio.server import broadcast  # noqa: PLC0415

    connections: set[Any] = set()

    async def handler(connection: Any) -> None:
        connections.add(connection)
        await connection.send(WELCOME)
        async for message in connection:
            broadcast(list(connections), _said(message))
        connections.remove(connection)

    await _serve(handler, seconds)
