"""A client of Redis that all workers share; REDIS says where the server is."""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any

import redis.asyncio as redis

from . import front
from .load import digest

_POOL = 6  # fewer than there are clients, so that they wait for each other
_SUBSCRIBERS = 4


def _client() -> Any:
    pool = redis.BlockingConnectionPool.from_url(
        os.environ["REDIS"], max_connections=_POOL, timeout=60
    )
    return redis.Redis.from_pool(pool)


@front.Program
async def redis_pool() -> AsyncIterator[front.Handle]:
    async with _client() as client:

        async def handle(data: bytes) -> str:
            async with client.pipeline(transaction=True) as pipeline:
                key = digest(data)
                pipeline.set(key, data)
                pipeline.get(key)
                pipeline.delete(key)
                _, stored, _ = await pipeline.execute()
            assert stored == data
            assert await client.echo(data) == data
            return digest(stored)

        yield handle


@front.Program
async def redis_pubsub() -> AsyncIterator[front.Handle]:
    """Handlers publish, and wait for what subscribers on all workers have received."""
    loop: Any = asyncio.get_running_loop()
    waiting: dict[bytes, asyncio.Future[str]] = {}
    counted: dict[int, int] = {}
    published = 0

    async def subscriber(number: int, subscribed: asyncio.Event) -> None:
        counted[number] = 0
        async with _client() as client, client.pubsub() as pubsub:
            await pubsub.subscribe("all", f"to {number}")
            async for message in pubsub.listen():
                if message["type"] == "subscribe":
                    if message["data"] == 2:
                        subscribed.set()
                elif message["channel"] == b"all":
                    counted[number] += 1
                    if message["data"] == b"end":
                        break
                else:
                    key, _, data = message["data"].partition(b" ")
                    waiting.pop(key).set_result(digest(data))

    tasks = []
    for number in range(_SUBSCRIBERS):
        subscribed = asyncio.Event()
        tasks.append(loop.spawn(subscriber(number, subscribed), worker=number % len(loop.workers)))
        await subscribed.wait()

    async with _client() as client:

        async def handle(data: bytes) -> str:
            nonlocal published
            number = len(data) % _SUBSCRIBERS
            key = digest(data).encode()
            answer = waiting[key] = loop.create_future()
            async with lock:
                published += 1
            assert await client.publish("all", key) == _SUBSCRIBERS
            assert await client.publish(f"to {number}", key + b" " + data) == 1
            return str(await answer)

        lock = asyncio.Lock()
        yield handle
        assert await client.publish("all", b"end") == _SUBSCRIBERS
    await asyncio.gather(*tasks)
    assert set(counted.values()) == {published + 1}, (counted, published)
    assert not waiting
