"""Clients of HTTP that handlers use to ask a server; BACKEND says where it is."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import rloop

from . import front


@front.Program
async def aiohttp_shared() -> AsyncIterator[front.Handle]:
    import aiohttp  # noqa: PLC0415

    connector = aiohttp.TCPConnector(limit=6)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def handle(data: bytes) -> str:
            async with session.post(os.environ["BACKEND"], data=data) as response:
                return await response.text()

        yield handle


@front.Program
async def aiohttp_by_worker() -> AsyncIterator[front.Handle]:
    import aiohttp  # noqa: PLC0415

    session = rloop.WorkerLocal(lambda: aiohttp.ClientSession(raise_for_status=True))

    async def handle(data: bytes) -> str:
        async with session().post(os.environ["BACKEND"], data=data) as response:
            return await response.text()

    yield handle
    await _on_each(lambda: session().close())


@front.Program
async def httpx_by_worker() -> AsyncIterator[front.Handle]:
    import httpx  # noqa: PLC0415

    client = rloop.WorkerLocal(httpx.AsyncClient)

    async def handle(data: bytes) -> str:
        response = await client().post(os.environ["BACKEND"], content=data)
        return response.raise_for_status().text

    yield handle
    await _on_each(lambda: client().aclose())


@front.Program
async def httpx_shared() -> AsyncIterator[front.Handle]:
    """What documentation says of it: httpcore's pool isn't made for it."""
    import httpx  # noqa: PLC0415

    limits = httpx.Limits(max_connections=6)
    async with httpx.AsyncClient(limits=limits, timeout=60) as client:

        async def handle(data: bytes) -> str:
            response = await client.post(os.environ["BACKEND"], content=data)
            return response.raise_for_status().text

        yield handle


async def _on_each(close: Callable[[], Awaitable[None]]) -> None:
    """Has every worker close what is its own."""
    loop: Any = asyncio.get_running_loop()

    async def there() -> None:
        await close()

    for worker in loop.workers:
        await loop.spawn(there(), worker=worker)
