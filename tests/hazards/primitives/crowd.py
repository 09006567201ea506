"""Tasks on all workers of a loop, and what they count without a lock."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from typing import Any

PATIENCE_SECONDS = 0.002  # of who gives up waiting now and then


class Counter:
    """A number that tasks of several workers count up, each in one step."""

    def __init__(self) -> None:
        self._numbers = itertools.count()

    def add(self) -> int:
        return next(self._numbers)  # of C, and so in one step

    def total(self) -> int:
        return next(self._numbers)


class Crowd:
    """As many tasks a worker as are asked for, each with its share of the operations."""

    def __init__(self, loop: Any, operations: int, each: int = 4) -> None:
        self.loop = loop
        self.count = each * len(loop.workers)
        self.share = max(1, operations // self.count)
        self.total = self.count * self.share

    async def run(self, act: Callable[[int, random.Random], Awaitable[object]]) -> list[Any]:
        """``act(number, chance)`` in each of them; returns what they return."""
        tasks = [
            self.loop.spawn(
                act(number, random.Random(number)), worker=number % len(self.loop.workers)
            )
            for number in range(self.count)
        ]
        return await asyncio.gather(*tasks)


async def now_and_then(chance: random.Random) -> None:
    """Lets others come first, sometimes."""
    if chance.random() < 0.1:
        await asyncio.sleep(0)


async def with_patience(chance: random.Random, acquire: Callable[[], Any]) -> bool:
    """Waits for something, most often until it comes; returns whether it came."""
    if chance.random() < 0.9:
        await acquire()
        return True
    try:
        await asyncio.wait_for(acquire(), chance.random() * PATIENCE_SECONDS)
    except TimeoutError:
        return False
    return True
