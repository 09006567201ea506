"""What fails on one worker while another one asks for its exception: that is not reported.

CPython calls back first, and notes then that nobody has asked for the exception. Who asks in
between would be forgotten.
"""

import asyncio
import gc
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextvars import Context
from typing import Any, TypeVarTuple

import pytest

from rloop import TokioLoop
from tests.conftest import finish, forget, running_loop
from tests.unit.workers import call_on, needs_free_threading, on, others

pytestmark = needs_free_threading

Arguments = TypeVarTuple("Arguments")
Asks = Callable[["asyncio.Future[None]"], Awaitable[None]]

PATIENCE_SECONDS = 20


def between(_: object) -> None:
    """A callback of what fails."""


class Halting(TokioLoop):
    """Halts what fails where it calls `between`, and has not noted yet that nobody has asked."""

    def __init__(self) -> None:
        super().__init__(workers=2)
        self.is_there = threading.Event()
        self.goes_on = threading.Event()

    def call_soon(
        self,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: Context | None = None,
    ) -> asyncio.Handle:
        handle = super().call_soon(callback, *args, context=context)
        if callback is between:
            self.is_there.set()
            assert self.goes_on.wait(PATIENCE_SECONDS)
        return handle


@pytest.fixture
def loop(request: pytest.FixtureRequest) -> Iterator[Halting]:
    loop = Halting()
    request.node.stash[running_loop] = loop
    yield loop
    finish(loop)
    loop.close()


@pytest.fixture
def reports(loop: Halting) -> list[dict[str, Any]]:
    reports: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: reports.append(context))
    return reports


async def fail() -> None:
    await asyncio.sleep(0)
    raise LookupError


async def ask(task: "asyncio.Future[None]") -> None:
    assert isinstance(task.exception(), LookupError)


async def ask_for_result(task: "asyncio.Future[None]") -> None:
    with pytest.raises(LookupError):
        task.result()


async def await_it(task: "asyncio.Future[None]") -> None:
    with pytest.raises(LookupError):
        await task


async def cancel(task: "asyncio.Future[None]") -> None:
    assert not task.cancel()


async def gather(task: "asyncio.Future[None]") -> None:
    (found,) = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(found, LookupError)


async def call_back(task: "asyncio.Future[None]") -> None:
    called = asyncio.get_running_loop().create_future()
    task.add_done_callback(lambda _: called.set_result(task.exception()))
    assert isinstance(await called, LookupError)


@pytest.mark.parametrize("place", [TokioLoop.spawn, None])
@pytest.mark.parametrize("asks", [ask, ask_for_result, await_it, cancel, gather, call_back])
async def test_who_asks_a_task_while_it_fails_has_asked(
    loop: Halting,
    reports: list[dict[str, Any]],
    asks: Asks,
    place: Callable[..., "asyncio.Future[None]"] | None,
) -> None:
    (worker,) = others(loop)
    task = place(loop, fail(), worker=worker) if place else on(worker, fail())
    task.add_done_callback(between)
    assert loop.is_there.wait(PATIENCE_SECONDS)
    await asks(task)
    loop.goes_on.set()
    tasks: list[object] = [task]
    del task
    await call_on(worker, bool)  # it has ended there
    forget(tasks)
    assert reports == []


async def test_a_task_that_nobody_has_asked_is_reported(
    loop: Halting, reports: list[dict[str, Any]]
) -> None:
    (worker,) = others(loop)
    loop.goes_on.set()
    task = on(worker, fail())
    await asyncio.wait([task])
    tasks: list[object] = [task]
    del task
    await call_on(worker, bool)  # it has ended there
    forget(tasks)
    (report,) = reports
    assert report["message"] == "Task exception was never retrieved"


@pytest.mark.parametrize("waits", [await_it, gather])
async def test_who_waits_for_a_future_is_told_when_it_has_failed(
    loop: Halting, reports: list[dict[str, Any]], waits: Callable[..., Any]
) -> None:
    (worker,) = others(loop)
    future: asyncio.Future[None] = loop.create_future()
    waiter = asyncio.create_task(waits(future))
    await asyncio.sleep(0)
    future.add_done_callback(between)
    worker.call_soon(future.set_exception, LookupError())
    assert loop.is_there.wait(PATIENCE_SECONDS)
    await asyncio.sleep(0.01)
    loop.goes_on.set()
    await waiter
    futures: list[object] = [future]
    del waiter, future
    await call_on(worker, bool)
    forget(futures)
    assert reports == []


async def test_a_future_has_noted_its_failure_before_others_see_it(loop: Halting) -> None:
    (worker,) = others(loop)
    noted = 0
    for _ in range(100):
        future: asyncio.Future[None] = loop.create_future()
        future.add_done_callback(asyncio.Future.exception)  # here, and so told from elsewhere
        worker.call_soon(future.set_exception, LookupError())
        while not future.done():
            pass
        noted += future._log_traceback
        await asyncio.sleep(0.001)
    assert noted > 90  # it is given up where the worker has to wait for its own lock


def test_a_failure_that_another_worker_has_asked_for_is_not_reported() -> None:
    class Late(TokioLoop):
        """After it has told who waits for a future it takes a while to tell ``last``."""

        def call_soon(self, callback: Any, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
            if callback is last:
                time.sleep(0.05)
            return super().call_soon(callback, *args, **kwargs)

    def last(_: object) -> None:
        pass

    async def ask(future: "asyncio.Future[None]") -> bool:
        try:
            await future
        except LookupError:
            return True
        return False

    async def main() -> None:
        future = loop.create_future()
        asking = loop.spawn(ask(future), worker=len(loop.workers) - 1)
        await asyncio.sleep(0.01)
        future.add_done_callback(last)
        future.set_exception(LookupError())
        assert await asking

    reported: list[Any] = []
    loop = Late(workers=2)
    loop.set_exception_handler(lambda _, context: reported.append(context["message"]))
    try:
        loop.run_until_complete(main())
        gc.collect()
    finally:
        loop.close()
    assert reported == []
