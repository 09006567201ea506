"""The queues: what is put in comes out once, also to those who give up now and then."""

import asyncio
import random
from typing import Any

from .crowd import PATIENCE_SECONDS, Crowd


async def _queue(loop: Any, operations: int, queue: "asyncio.Queue[int]") -> None:
    crowd = Crowd(loop, operations)
    producers = crowd.count // 2
    total = producers * crowd.share

    async def act(number: int, chance: random.Random) -> list[int]:
        if number < producers:
            for turn in range(crowd.share):
                item = number * crowd.share + turn
                while not await _put(chance, queue, item):
                    pass
            return []
        taken: list[int] = []
        while True:
            try:
                item = await _get(chance, queue)
            except TimeoutError:
                continue
            if item < 0:
                return taken
            taken.append(item)
            queue.task_done()

    async def finish() -> None:
        while len(done) < producers:
            await asyncio.sleep(0.001)
        await queue.join()
        for _ in range(crowd.count - producers):
            await queue.put(-1)

    done: list[int] = []

    async def counted(number: int, chance: random.Random) -> list[int]:
        taken = await act(number, chance)
        if number < producers:
            done.append(number)
        return taken

    taken, _ = await asyncio.gather(crowd.run(counted), finish())
    items = [item for items in taken for item in items]
    assert len(items) == total, f"{len(items)} of {total} came out"
    assert len(set(items)) == total
    assert queue.empty()


async def _put(chance: random.Random, queue: "asyncio.Queue[int]", item: int) -> bool:
    how = chance.random()
    if how < 0.1:
        try:
            queue.put_nowait(item)
        except asyncio.QueueFull:
            await asyncio.sleep(0)
            return False
    elif how < 0.2:
        try:
            await asyncio.wait_for(queue.put(item), chance.random() * PATIENCE_SECONDS)
        except TimeoutError:
            return False
    else:
        await queue.put(item)
    return True


async def _get(chance: random.Random, queue: "asyncio.Queue[int]") -> int:
    if chance.random() < 0.2:
        return await asyncio.wait_for(queue.get(), chance.random() * PATIENCE_SECONDS)
    return await queue.get()


async def queue(loop: Any, operations: int) -> None:
    await _queue(loop, operations, asyncio.Queue(8))


async def priority_queue(loop: Any, operations: int) -> None:
    await _queue(loop, operations, _LastFirst(8))


async def lifo_queue(loop: Any, operations: int) -> None:
    await _queue(loop, operations, asyncio.LifoQueue(8))


class _LastFirst(asyncio.PriorityQueue[int]):
    """Has the -1, which ends a task, last."""

    def _put(self, item: int) -> None:
        super()._put(-item)

    def _get(self) -> int:
        return -super()._get()
