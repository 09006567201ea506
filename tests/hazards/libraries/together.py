"""All clients in one program: each request asks all of them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from . import databases, front, http_clients, redis_clients
from .load import digest

CLIENTS = [
    databases.asyncpg_pool,
    databases.psycopg_pool,
    redis_clients.redis_pool,
    redis_clients.redis_pubsub,
    http_clients.aiohttp_by_worker,
    http_clients.httpx_by_worker,
]


@front.Program
async def all_clients() -> AsyncIterator[front.Handle]:
    async with AsyncExitStack() as stack:
        handles = [await stack.enter_async_context(client.handler()) for client in CLIENTS]

        async def handle(data: bytes) -> str:
            for each in handles:
                assert await each(data) == digest(data)
            return digest(data)

        yield handle
