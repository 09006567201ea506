"""Futures and tasks of other workers: results, callbacks, groups, timeouts, cancellation."""

import asyncio
import contextlib
import random
import sys
from typing import Any

from .crowd import PATIENCE_SECONDS, Counter, Crowd

# A task group, of the request to its own task by which it ends the body.
_TAKES_CANCELLATIONS_BACK = sys.version_info >= (3, 13)


def _elsewhere(loop: Any, number: int, chance: random.Random) -> int:
    return (number + chance.randrange(len(loop.workers))) % len(loop.workers)


async def future(loop: Any, operations: int) -> None:
    """A future set on another worker wakes who waits, and calls back, once."""
    crowd = Crowd(loop, operations)
    called = Counter()

    async def act(number: int, chance: random.Random) -> None:
        for turn in range(crowd.share):
            waited_for = loop.create_future()
            other = loop.workers[_elsewhere(loop, number, chance)]
            if turn % 4 == 0:
                waited_for.add_done_callback(lambda _: called.add())
                other.call_soon(waited_for.set_exception, KeyError(turn))
                raised = (await asyncio.gather(waited_for, return_exceptions=True))[0]
                assert raised.args == (turn,)
            else:
                other.call_soon(waited_for.set_result, turn)
                if turn % 4 == 1:
                    waited_for.add_done_callback(lambda _: called.add())
                assert await waited_for == turn

    await crowd.run(act)
    await asyncio.sleep(0.01)
    of_one = sum(turn % 4 in (0, 1) for turn in range(crowd.share))
    assert called.total() == crowd.count * of_one


async def _nap(chance: random.Random, result: int) -> int:
    if chance.random() < 0.3:
        await asyncio.sleep(chance.random() * PATIENCE_SECONDS)
    elif chance.random() < 0.5:
        await asyncio.sleep(0)
    return result


async def await_task(loop: Any, operations: int) -> None:
    """Tasks of other workers are awaited: each gives its own result."""
    crowd = Crowd(loop, operations)

    async def act(number: int, chance: random.Random) -> None:
        for turn in range(crowd.share):
            task = loop.spawn(_nap(chance, turn), worker=_elsewhere(loop, number, chance))
            assert await task == turn

    await crowd.run(act)


async def task_group(loop: Any, operations: int) -> None:
    """Groups whose tasks are on all workers, and make further tasks in them, and fail."""
    crowd = Crowd(loop, operations)
    children = 4

    async def act(number: int, chance: random.Random) -> None:
        async def child(group: asyncio.TaskGroup, turn: int) -> int:
            if turn == 3:
                try:
                    return await group.create_task(_nap(chance, turn))
                except RuntimeError:
                    if fails is None:
                        raise
                    return turn  # the group is shutting down
            if turn == fails:
                await asyncio.sleep(0)
                raise LookupError
            return await _nap(chance, turn)

        for turn in range(max(1, crowd.share // children)):
            fails = 2 if turn % 4 == 0 else None
            tasks = []
            try:
                async with asyncio.TaskGroup() as group:
                    for index in range(children):
                        worker = loop.workers[_elsewhere(loop, number, chance)]
                        tasks.append(
                            group.create_task(child(group, index), context=worker.context())
                        )
            except* LookupError:
                assert fails is not None
            else:
                assert [task.result() for task in tasks] == list(range(children))
            assert all(task.done() for task in tasks)
            if _TAKES_CANCELLATIONS_BACK:
                assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]

    await crowd.run(act)


async def timeout(loop: Any, operations: int) -> None:
    """Either the result or the timeout, and no cancellation is left over."""
    crowd = Crowd(loop, operations)

    async def act(number: int, chance: random.Random) -> None:
        for turn in range(crowd.share):
            worker = _elsewhere(loop, number, chance)
            task = loop.spawn(_nap(chance, turn), worker=worker)
            try:
                async with asyncio.timeout(chance.random() * PATIENCE_SECONDS) as scope:
                    if turn % 8 == 0:
                        await loop.spawn(_put_off(scope), worker=worker)
                    assert await task == turn
            except TimeoutError:
                assert scope.expired()
            assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]
            await asyncio.wait([task])

    await crowd.run(act)


async def _put_off(scope: asyncio.Timeout) -> None:
    when = scope.when()
    try:
        scope.reschedule(None if when is None else when + PATIENCE_SECONDS)
    except RuntimeError as exc:
        if "Cannot change state" not in str(exc):
            raise


async def wait_for(loop: Any, operations: int) -> None:
    """The same by wait_for."""
    crowd = Crowd(loop, operations)

    async def act(number: int, chance: random.Random) -> None:
        for turn in range(crowd.share):
            worker = _elsewhere(loop, number, chance)
            task = loop.spawn(_nap(chance, turn), worker=worker)
            try:
                assert await asyncio.wait_for(task, chance.random() * PATIENCE_SECONDS) == turn
            except TimeoutError:
                assert task.done()
            assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]

    await crowd.run(act)


async def gather(loop: Any, operations: int) -> None:
    """gather, wait, as_completed and shield over tasks of all workers."""
    crowd = Crowd(loop, operations)
    children = 4

    async def act(number: int, chance: random.Random) -> None:
        for turn in range(max(1, crowd.share // children)):
            tasks = [
                loop.spawn(_nap(chance, index), worker=_elsewhere(loop, number, chance))
                for index in range(children)
            ]
            how = turn % 4
            if how == 0:
                assert await asyncio.gather(*tasks) == list(range(children))
            elif how == 1:
                done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                while pending:
                    more, pending = await asyncio.wait(pending)
                    done |= more
                assert sorted(task.result() for task in done) == list(range(children))
            elif how == 2:
                found = [await next_one for next_one in asyncio.as_completed(tasks)]
                assert sorted(found) == list(range(children))
            else:
                shielded = [asyncio.shield(task) for task in tasks]
                assert [await task for task in shielded] == list(range(children))

    await crowd.run(act)


async def cancellation(loop: Any, operations: int) -> None:
    """Whoever is cancelled ends, with all that it waits for; no cancellation is lost."""
    crowd = Crowd(loop, operations)
    held = asyncio.Lock()
    passed_on: asyncio.Queue[int] = asyncio.Queue()

    async def for_ever(chance: random.Random) -> None:
        while True:
            how = chance.randrange(4)
            if how == 0:
                async with held:
                    await asyncio.sleep(0)
            elif how == 1:
                passed_on.put_nowait(1)
                await passed_on.get()
            elif how == 2:
                await loop.spawn(_nap(chance, 1))
            else:
                await asyncio.gather(*(loop.spawn(_nap(chance, 1)) for _ in loop.workers))

    async def act(number: int, chance: random.Random) -> None:
        for _ in range(crowd.share):
            task = loop.spawn(for_ever(chance), worker=_elsewhere(loop, number, chance))
            await _nap(chance, 0)
            assert task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()

    await crowd.run(act)
    assert not held.locked()


async def executor(loop: Any, operations: int) -> None:
    """The default executor is made once, and what it has done is told where it is waited for."""
    crowd = Crowd(loop, operations)
    await loop.shutdown_default_executor()
    loop._executor_shutdown_called = False
    loop._default_executor = None
    executors = set()

    async def act(_: int, chance: random.Random) -> None:
        for turn in range(crowd.share):
            calls = asyncio.to_thread(lambda: turn)  # noqa: B023  # called within the turn
            if chance.random() < 0.8:
                assert await calls == turn
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(calls, chance.random() * PATIENCE_SECONDS)
            executors.add(loop._default_executor)

    await crowd.run(act)
    assert len(executors) == 1
