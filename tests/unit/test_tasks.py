"""Tasks and futures of the loop: created, named, made by factories, eager, and listed."""

import asyncio
import contextvars
import functools
import sys
from collections.abc import Coroutine, Generator
from typing import Any

import pytest

from tests.conftest import Loop

needs_eager_tasks = pytest.mark.skipif(sys.version_info < (3, 12), reason="new in Python 3.12")


async def answer() -> int:
    await asyncio.sleep(0)
    return 42


async def test_a_task_runs_and_gives_its_result(loop: Loop) -> None:
    task = loop.create_task(answer(), name="answer")
    assert task.get_name() == "answer"
    assert task.get_loop() is loop
    assert await task == 42


async def test_a_task_runs_in_the_context_given(loop: Loop) -> None:
    variable = contextvars.ContextVar("variable", default="default")
    context = contextvars.copy_context()
    context.run(variable.set, "given")

    async def read() -> str:
        await asyncio.sleep(0)
        return variable.get()

    assert await loop.create_task(read(), context=context) == "given"
    assert await loop.create_task(read()) == "default"


async def test_a_future_belongs_to_its_loop(loop: Loop) -> None:
    future = loop.create_future()
    assert isinstance(future, asyncio.Future)
    assert future.get_loop() is loop
    loop.call_soon(future.set_result, 42)
    assert await future == 42


async def test_callbacks_of_a_future_run_in_order_in_the_next_iteration(loop: Loop) -> None:
    ran: list[int] = []
    future = loop.create_future()

    def note(number: int, _: "asyncio.Future[None]") -> None:
        ran.append(number)

    for number in range(3):
        future.add_done_callback(functools.partial(note, number))
    future.set_result(None)
    assert ran == []
    await asyncio.sleep(0)
    assert ran == [0, 1, 2]


async def test_tasks_take_turns_at_sleep_zero(loop: Loop) -> None:
    ran: list[str] = []

    async def worker(name: str) -> None:
        for number in range(3):
            ran.append(f"{name}{number}")
            await asyncio.sleep(0)

    await asyncio.gather(worker("a"), worker("b"), worker("c"))
    assert ran == ["a0", "b0", "c0", "a1", "b1", "c1", "a2", "b2", "c2"]


async def test_all_tasks_lists_the_tasks_of_the_loop(loop: Loop) -> None:
    task = asyncio.ensure_future(asyncio.sleep(60))
    current = asyncio.current_task()
    assert asyncio.all_tasks() == {task, current}
    assert asyncio.all_tasks(loop) == {task, current}
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_task_factory_makes_the_tasks(loop: Loop) -> None:
    made: list[str] = []

    def factory(
        loop: asyncio.AbstractEventLoop,
        coro: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
        **named: Any,
    ) -> "asyncio.Task[Any]":
        made.append("made")
        return asyncio.Task(coro, loop=loop, **named)

    loop.set_task_factory(factory)
    assert loop.get_task_factory() is factory
    assert await loop.create_task(answer()) == 42
    assert made == ["made"]
    loop.set_task_factory(None)
    assert await loop.create_task(answer()) == 42
    assert made == ["made"]
    with pytest.raises(TypeError, match="^task factory must be a callable or None$"):
        loop.set_task_factory(42)  # type: ignore[arg-type]


@needs_eager_tasks
async def test_eager_tasks_run_until_they_wait(loop: Loop) -> None:
    ran: list[str] = []

    async def work() -> None:
        ran.append("at once")
        await asyncio.sleep(0)
        ran.append("later")

    loop.set_task_factory(asyncio.eager_task_factory)  # type: ignore[attr-defined]
    task = loop.create_task(work())
    assert ran == ["at once"]
    await task
    assert ran == ["at once", "later"]


async def test_a_cancelled_task_runs_its_cleanup(loop: Loop) -> None:
    ran: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            ran.append("cleaned up")

    task = loop.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ran == ["cleaned up"]


async def test_locks_and_queues_hand_over_in_order(loop: Loop) -> None:
    lock = asyncio.Lock()
    queue: asyncio.Queue[int] = asyncio.Queue(maxsize=2)
    taken: list[int] = []

    async def consume() -> None:
        for _ in range(100):
            async with lock:
                taken.append(await queue.get())

    async def produce() -> None:
        for number in range(100):
            await queue.put(number)

    await asyncio.gather(consume(), produce())
    assert taken == list(range(100))


async def test_a_task_group_cancels_its_tasks_when_one_fails(loop: Loop) -> None:
    cancelled: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append("cancelled")
            raise

    async def fail() -> None:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    async def run_both() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(wait())
            group.create_task(fail())

    with pytest.raises(ExceptionGroup):
        await run_both()
    assert cancelled == ["cancelled"]


async def test_ten_thousand_tasks_run(loop: Loop) -> None:
    async def double(number: int) -> int:
        await asyncio.sleep(0)
        return 2 * number

    results = await asyncio.gather(*map(double, range(10_000)))
    assert results == list(range(0, 20_000, 2))
