"""asyncio's primitives while a loop has several workers: guarded, and otherwise as they were.

Where Python has a GIL there is one worker, and the same holds on it.
"""

import asyncio
import gc
import inspect
import sys
import threading
import weakref
from asyncio import base_events, locks, queues, streams, taskgroups, timeouts
from collections.abc import Iterator
from typing import Any

import pytest

from rloop import TokioLoop
from rloop.workers.guards import LettingWaiter, guard_of, steps
from rloop.workers.same_signature import wrapper
from tests.conftest import forget

CLASSES = [
    *(vars(locks)[name] for name in locks.__all__),
    queues.Queue,
    taskgroups.TaskGroup,
    timeouts.Timeout,
    streams.StreamReader,
    streams.FlowControlMixin,
    base_events.Server,
]


@pytest.fixture(params=[1, 2])
def loop(request: pytest.FixtureRequest) -> Iterator[Any]:
    loop = TokioLoop(workers=request.param)
    yield loop
    if not loop.is_closed():
        loop.close()


def methods() -> dict[tuple[type, str], object]:
    return {(cls, name): value for cls in CLASSES for name, value in vars(cls).items()}


def test_classes_are_as_they_were_without_several_workers() -> None:
    before = methods()
    one = TokioLoop(workers=1)
    assert methods() == before
    several = TokioLoop(workers=2)
    assert (methods() != before) == (len(several.workers) > 1)
    further = TokioLoop(workers=2)
    several.close()
    assert (methods() != before) == (len(further.workers) > 1)
    further.close()
    assert methods() == before
    one.close()


def test_a_loop_that_is_dropped_leaves_classes_as_they_were() -> None:
    before = methods()
    loops: list[object] = [TokioLoop(workers=2)]
    with pytest.warns(ResourceWarning):
        forget(loops)
    assert methods() == before


def test_methods_are_known_as_before(loop: Any) -> None:
    assert inspect.iscoroutinefunction(asyncio.Lock.acquire)
    assert inspect.iscoroutinefunction(asyncio.Queue.get)
    assert asyncio.Lock.acquire.__qualname__ == "Lock.acquire"
    assert list(inspect.signature(asyncio.Queue.put).parameters) == ["self", "item"]


def test_what_was_made_before_the_loop_is_guarded_as_well() -> None:
    condition, queue = asyncio.Condition(), asyncio.Queue[int](1)
    loop = TokioLoop(workers=2)
    turns: list[int] = []

    async def act(number: int) -> None:
        for turn in range(200):
            async with condition:
                seen = len(turns)
                if turn % 50 == 0:
                    await asyncio.sleep(0)
                turns.append(number)
                assert len(turns) == seen + 1
            await queue.put(number)
            await queue.get()

    async def main() -> None:
        await asyncio.gather(*(loop.spawn(act(number)) for number in range(4)))

    loop.run_until_complete(main())
    assert len(turns) == 800
    loop.close()


def test_a_condition_uses_the_lock_that_it_was_given(loop: Any) -> None:
    class Counted(asyncio.Lock):
        acquired = 0

        async def acquire(self) -> Any:
            self.acquired += 1
            return await super().acquire()

    async def main() -> None:
        lock = Counted()
        first, second = asyncio.Condition(lock), asyncio.Condition(lock)
        async with first:
            assert second.locked()
            waiting = asyncio.ensure_future(second.wait_for(lambda: True))
            await asyncio.sleep(0)
            assert await waiting
        assert lock.acquired == 1

    loop.run_until_complete(main())


def test_a_method_put_into_an_instance_is_used(loop: Any) -> None:
    condition = asyncio.Condition()
    condition.locked = lambda: True  # type: ignore[method-assign]
    condition.notify()
    assert condition.locked()


def test_a_queue_passes_work_to_other_workers(loop: Any) -> None:
    queue: asyncio.Queue[int] = asyncio.Queue(2)

    async def work() -> int:
        done = 0
        while await queue.get() >= 0:
            queue.task_done()
            done += 1
        return done

    async def main() -> None:
        tasks = [loop.spawn(work(), worker=worker) for worker in loop.workers]
        for item in range(1000):
            await queue.put(item)
        await queue.join()
        for _ in tasks:
            await queue.put(-1)
        assert sum(await asyncio.gather(*tasks)) == 1000

    loop.run_until_complete(main())


def test_a_reader_may_be_waited_for_by_its_private_method(loop: Any) -> None:
    async def main() -> None:
        reader: Any = asyncio.StreamReader()
        waiting = asyncio.ensure_future(reader._wait_for_data("main"))
        await asyncio.sleep(0)
        reader.feed_data(b"data")
        await waiting
        assert await loop.spawn(reader.read(10), worker=len(loop.workers) - 1) == b"data"

    loop.run_until_complete(main())


def test_a_subclass_may_wait_in_methods_of_its_own(loop: Any) -> None:
    class Watched(asyncio.Queue[int]):
        async def wait_for_items(self) -> None:
            while self.empty():
                getter = self._get_loop().create_future()  # type: ignore[attr-defined]
                self._getters.append(getter)  # type: ignore[attr-defined]
                await getter

    async def main() -> None:
        queue = Watched()
        waiting = loop.spawn(queue.wait_for_items(), worker=len(loop.workers) - 1)
        await asyncio.sleep(0.01)
        queue.put_nowait(1)
        await waiting
        assert await queue.get() == 1

    loop.run_until_complete(main())


def test_a_timeout_may_be_put_off_by_another_worker(loop: Any) -> None:
    async def put_off(scope: asyncio.Timeout, when: float | None) -> None:
        scope.reschedule(when)
        assert scope.when() == when

    last = loop.workers[-1]

    async def brought_forward() -> None:
        async with asyncio.timeout(60) as scope:
            await loop.spawn(put_off(scope, loop.time()), worker=last)
            await asyncio.sleep(60)

    async def main() -> None:
        async with asyncio.timeout(0.2) as scope:
            await loop.spawn(put_off(scope, None), worker=last)
            await asyncio.sleep(0.3)
        assert not scope.expired()
        with pytest.raises(RuntimeError, match="Cannot change state of finished"):
            await loop.spawn(put_off(scope, None), worker=last)
        with pytest.raises(TimeoutError):
            await brought_forward()

    loop.run_until_complete(main())


def test_a_group_takes_tasks_from_other_workers(loop: Any) -> None:
    async def add(group: asyncio.TaskGroup) -> None:
        group.create_task(fail())

    async def fail() -> None:
        await asyncio.sleep(0.01)
        raise LookupError

    async def in_a_group() -> None:
        async with asyncio.TaskGroup() as group:
            await loop.spawn(add(group), worker=loop.workers[-1])
            await asyncio.sleep(60)

    async def main() -> None:
        with pytest.raises(ExceptionGroup) as caught:
            await in_a_group()
        assert [type(exc) for exc in caught.value.exceptions] == [LookupError]
        assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]

    loop.run_until_complete(main())


def test_the_default_executor_tells_the_worker_that_waits(loop: Any) -> None:
    async def compute(number: int) -> Any:
        here = asyncio.get_running_loop()
        return await here.run_in_executor(None, lambda: number)

    async def main() -> Any:
        return await asyncio.gather(*(loop.spawn(compute(number)) for number in range(50)))

    assert loop.run_until_complete(main()) == list(range(50))
    loop.run_until_complete(loop.shutdown_default_executor())


@pytest.mark.skipif(sys.version_info < (3, 14), reason="asyncio's own leaves some")
def test_a_group_that_fails_leaves_no_cycle_of_references(loop: Any) -> None:
    class Failure(Exception):
        pass

    async def main() -> Any:
        failure = None
        try:
            async with asyncio.TaskGroup():
                raise Failure
        except* Failure as group:
            failure = weakref.ref(group.exceptions[0])
        return failure

    gc.collect()
    gc.disable()
    try:
        assert loop.run_until_complete(main())() is None
    finally:
        gc.enable()


# ---- steps ---------------------------------------------------------------------------------------


class Guard:
    """As a lock, and tells whether it is held."""

    depth = 0

    def __enter__(self) -> None:
        self.depth += 1

    def __exit__(self, *_: object) -> None:
        self.depth -= 1


def test_steps_hold_the_guard_but_not_while_they_wait() -> None:
    guard: Any = Guard()
    seen = []

    async def method() -> str:
        seen.append(guard.depth)
        await asyncio.sleep(0)
        seen.append(guard.depth)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            seen.append(guard.depth)
        return "done"

    async def main() -> str:
        task = asyncio.ensure_future(_awaited())
        for _ in range(3):
            await asyncio.sleep(0)
            assert guard.depth == 0
        task.cancel()
        return await task

    async def _awaited() -> str:
        return await steps(guard, method())  # type: ignore[no-any-return]

    assert asyncio.run(main()) == "done"
    assert seen == [1, 1, 1]
    assert guard.depth == 0


def test_steps_that_are_closed_close_the_coroutine() -> None:
    guard: Any = Guard()
    ends = []

    async def method() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            ends.append(guard.depth)

    driven = steps(guard, method())
    next(driven)
    driven.close()
    assert ends == [1]
    assert guard.depth == 0


def test_steps_that_raise_leave_no_cycle_of_references() -> None:
    class Failure(Exception):
        pass

    async def method() -> None:
        raise Failure

    def run() -> "weakref.ref[BaseException]":
        try:
            next(steps(Guard(), method()))  # type: ignore[arg-type]
        except Failure as exc:
            return weakref.ref(exc)
        raise AssertionError

    gc.collect()
    gc.disable()
    try:
        assert run()() is None
    finally:
        gc.enable()


# ---- wrappers ------------------------------------------------------------------------------------


def test_a_wrapper_has_the_parameters_of_what_it_wraps() -> None:
    def original(self: Any, a: int, b: int = 2, *more: int, c: int = 3, **rest: int) -> Any:
        return self, a, b, more, c, rest

    source = "def wrapper{parameters}:\n    return {self}, original({arguments})"
    made = wrapper(original, source, {})
    assert inspect.signature(made) == inspect.signature(original)
    assert made.__name__ == "original"
    assert made("me", 1) == ("me", original("me", 1))
    assert made("me", b=4, a=3) == ("me", original("me", 3, 4))
    assert made("me", 1, 2, 5, 6, c=7, d=8) == ("me", original("me", 1, 2, 5, 6, c=7, d=8))


def test_who_waits_lets_the_guard_go_however_often_it_was_taken() -> None:
    lock = asyncio.Lock()
    guard = guard_of(lock)

    def is_free() -> bool:
        found: list[bool] = []

        def look() -> None:
            found.append(guard.acquire(blocking=False))
            if found[0]:
                guard.release()

        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        return found == [True]

    async def wait() -> str:
        waiter = LettingWaiter()
        waiter.guard = guard
        asyncio.get_running_loop().call_soon(waiter.set_result, "woken")
        with guard, guard:
            woken: str = await waiter
            assert not is_free()
        return woken

    async def main() -> None:
        waiting = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        assert is_free()
        assert await waiting == "woken"

    asyncio.run(main())
