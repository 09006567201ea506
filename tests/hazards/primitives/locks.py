"""``Lock``, ``Event``, ``Condition``, the semaphores and ``Barrier``."""

import asyncio
import random
import threading
from collections import Counter as Multiset
from typing import Any

from .crowd import Crowd, now_and_then, with_patience


async def lock(loop: Any, operations: int) -> None:
    """Nobody holds it with another, and who waits gets it."""
    crowd = Crowd(loop, operations)
    held = asyncio.Lock()
    holders = 0
    counted = 0

    async def act(_: int, chance: random.Random) -> int:
        nonlocal holders, counted
        got = 0
        for _ in range(crowd.share):
            if not await with_patience(chance, held.acquire):
                continue
            try:
                assert holders == 0
                holders += 1
                seen = counted
                await now_and_then(chance)
                counted = seen + 1
                got += 1
                holders -= 1
            finally:
                held.release()
        return got

    got = sum(await crowd.run(act))
    assert counted == got, f"{counted} of {got} were counted"
    assert not held.locked()


async def event(loop: Any, operations: int) -> None:
    """Pairs of tasks on different workers wake each other, and all wait for one."""
    rounds = max(1, operations // 4)
    pairs = 2
    started = asyncio.Event()

    async def act(mine: asyncio.Event, other: asyncio.Event) -> None:
        await started.wait()
        for _ in range(rounds // pairs):
            await mine.wait()
            mine.clear()
            other.set()

    tasks = []
    for _ in range(pairs):
        ping, pong = asyncio.Event(), asyncio.Event()
        ping.set()
        tasks.append(loop.spawn(act(ping, pong), worker=0))
        tasks.append(loop.spawn(act(pong, ping), worker=len(loop.workers) - 1))
    await asyncio.sleep(0.01)
    started.set()
    await asyncio.gather(*tasks)


async def condition(loop: Any, operations: int) -> None:
    """A bounded buffer: what is put in comes out once, and nobody is left waiting."""
    crowd = Crowd(loop, operations)
    changed = asyncio.Condition()
    buffer: list[int] = []
    taken: list[int] = []

    async def act(number: int, chance: random.Random) -> None:
        for turn in range(crowd.share):
            async with changed:
                if number % 2:
                    await changed.wait_for(lambda: len(buffer) < 4)
                    buffer.append(number * crowd.share + turn)
                else:
                    await changed.wait_for(lambda: buffer)
                    taken.append(buffer.pop())
                changed.notify_all() if chance.random() < 0.1 else changed.notify(2)

    await asyncio.gather(crowd.run(act), _nudge(changed, lambda: len(taken) >= crowd.total // 2))
    assert len(set(taken)) == len(taken) == crowd.total // 2


async def _nudge(changed: asyncio.Condition, is_over: Any) -> None:
    """notify(2) may wake two of the wrong kind, as on one thread."""
    while not is_over():
        await asyncio.sleep(0.001)
        async with changed:
            changed.notify_all()


async def _semaphore(loop: Any, operations: int, semaphore: asyncio.Semaphore, size: int) -> None:
    crowd = Crowd(loop, operations)
    counting = threading.Lock()
    holders = 0

    async def act(_: int, chance: random.Random) -> None:
        nonlocal holders
        for _ in range(crowd.share):
            if not await with_patience(chance, semaphore.acquire):
                continue
            with counting:
                holders += 1
                assert holders <= size, f"{holders} hold a semaphore of {size}"
            await now_and_then(chance)
            with counting:
                holders -= 1
            semaphore.release()

    await crowd.run(act)
    assert holders == 0
    assert semaphore._value == size, f"{semaphore._value} are left of {size}"


async def semaphore(loop: Any, operations: int) -> None:
    """No more hold it than may, and it ends as it began."""
    await _semaphore(loop, operations, asyncio.Semaphore(3), 3)


async def bounded_semaphore(loop: Any, operations: int) -> None:
    """As a semaphore, and it is never released too often."""
    await _semaphore(loop, operations, asyncio.BoundedSemaphore(2), 2)


async def barrier(loop: Any, operations: int) -> None:
    """In each round everybody gets another index, and nobody is a round ahead."""
    crowd = Crowd(loop, operations)
    wall = asyncio.Barrier(crowd.count)

    async def act(_: int, __: random.Random) -> list[int]:
        return [await wall.wait() for _ in range(crowd.share)]

    indexes = await crowd.run(act)
    for of_round in zip(*indexes, strict=True):
        assert sorted(of_round) == list(range(crowd.count)), Multiset(of_round)
