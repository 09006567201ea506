"""Several workers: where calls run, how runs begin and end."""

import asyncio
import contextvars
import gc
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from rloop import TokioLoop
from rloop.workers.crew import Worker, current_worker
from tests.conftest import forget
from tests.unit.workers import call_on, crew, needs_free_threading, new_loop_of, others

pytestmark = needs_free_threading


@pytest.fixture(params=[2, 4])
def loop(request: pytest.FixtureRequest) -> Iterator[TokioLoop]:
    yield from new_loop_of(request)


def tell_where(result: "asyncio.Future[object]") -> None:
    result.set_result(current_worker())


async def test_every_worker_runs_the_same_loop(loop: TokioLoop) -> None:
    threads = {threading.get_ident()}
    for worker in others(loop):
        assert await call_on(worker, asyncio.get_running_loop) is loop
        assert await call_on(worker, asyncio.get_event_loop) is loop
        assert await call_on(worker, current_worker) is worker
        threads.add(await call_on(worker, threading.get_ident))
        assert current_worker() is crew(loop)[0]
    assert len(threads) == 1 + len(others(loop))


async def test_what_is_scheduled_on_a_worker_stays_there(loop: TokioLoop) -> None:
    seen: list[tuple[str, Worker | None]] = []

    async def child() -> None:
        seen.append(("child", current_worker()))
        await asyncio.sleep(0)
        seen.append(("slept", current_worker()))
        await asyncio.sleep(0.002)
        seen.append(("slept on", current_worker()))
        assert asyncio.current_task() is not None
        asyncio.get_running_loop().call_soon(lambda: seen.append(("soon", current_worker())))
        asyncio.get_running_loop().call_later(
            0.001, lambda: seen.append(("later", current_worker()))
        )
        blank = contextvars.Context()
        loop.call_soon(lambda: seen.append(("blank", current_worker())), context=blank)
        await asyncio.create_task(grandchild(), context=contextvars.Context())
        await asyncio.sleep(0.01)

    async def grandchild() -> None:
        seen.append(("grandchild", current_worker()))
        await asyncio.sleep(0.001)
        seen.append(("grandchild slept", current_worker()))

    for worker in others(loop):
        seen.clear()
        task = await call_on(worker, lambda: asyncio.create_task(child()))
        await task
        assert current_worker() is crew(loop)[0]
        assert len(seen) == 8
        assert {where for _, where in seen} == {worker}


async def test_a_task_is_woken_on_its_own_worker(loop: TokioLoop) -> None:
    async def wait_for(future: "asyncio.Future[None]", woken: "asyncio.Future[object]") -> None:
        await future
        woken.set_result(current_worker())

    for waiter in others(loop):
        future = loop.create_future()
        woken = loop.create_future()
        task = await call_on(waiter, lambda f=future, w=woken: asyncio.create_task(wait_for(f, w)))
        for setter in others(loop):
            await call_on(setter, lambda: None)
        others(loop)[-1].call_soon(future.set_result, None)
        assert await woken is waiter
        await task


async def test_a_timer_with_the_context_of_another_worker(loop: TokioLoop) -> None:
    for worker in others(loop):
        fired = loop.create_future()
        context = worker.context()
        loop.call_later(0.001, tell_where, fired, context=context)
        assert await fired is worker
        fired = loop.create_future()
        loop.call_at(loop.time() + 0.001, tell_where, fired, context=context)
        assert await fired is worker


async def test_handles_are_cancelled_from_anywhere(loop: TokioLoop) -> None:
    ran: list[int] = []
    for worker in others(loop):
        timer = loop.call_later(0.005, ran.append, 1, context=worker.context())
        handles = [loop.call_soon(ran.append, 2)]
        assert (
            await call_on(worker, lambda t=timer, h=handles: (t.cancel(), h[0].cancel(), 3)[2]) == 3
        )
    await asyncio.sleep(0.02)
    assert set(ran) <= {2}


async def test_foreign_threads_reach_the_first_worker(loop: TokioLoop) -> None:
    def ask(result: "asyncio.Future[object]") -> None:
        loop.call_soon_threadsafe(lambda: result.set_result(current_worker()))

    with ThreadPoolExecutor(1) as executor:
        result = loop.create_future()
        await call_on(others(loop)[0], lambda: executor.submit(ask, result).result())
        assert await result is crew(loop)[0]
        for worker in others(loop):
            result = loop.create_future()
            context = worker.context()
            executor.submit(partial(loop.call_soon_threadsafe, tell_where, result, context=context))
            assert await result is worker


async def test_a_task_made_for_a_foreign_thread_is_the_first_workers(loop: TokioLoop) -> None:
    async def where() -> object:
        await asyncio.sleep(0)
        return current_worker()

    def ask() -> object:
        return asyncio.run_coroutine_threadsafe(where(), loop).result(10)

    def start() -> "asyncio.Future[object]":
        result: asyncio.Future[object] = loop.create_future()
        thread = threading.Thread(  # it inherits the worker's context
            target=lambda: loop.call_soon_threadsafe(result.set_result, ask())
        )
        thread.start()
        return result

    result = await call_on(others(loop)[0], start)
    assert await result is crew(loop)[0]


async def test_a_reader_is_known_on_every_worker(loop: TokioLoop) -> None:
    a, b = socket.socketpair()
    a.setblocking(False)
    ready: list[Worker | None] = []
    worker = others(loop)[0]
    await call_on(worker, lambda: loop.add_reader(a, lambda: ready.append(current_worker())))
    b.send(b"x")
    while not ready:
        await asyncio.sleep(0.001)
    assert set(ready) == {worker}
    loop.add_reader(a, lambda: (a.recv(10), ready.append(None)))  # in its place
    while None not in ready:
        await asyncio.sleep(0.001)
    await call_on(worker, lambda: None)
    assert await call_on(worker, loop.remove_reader, a) is True
    assert loop.remove_reader(a) is False
    a.close()
    b.close()


async def test_an_exception_is_reported_from_where_it_was_raised(loop: TokioLoop) -> None:
    reported = loop.create_future()
    loop.set_exception_handler(lambda _, context: reported.set_result((context, current_worker())))
    worker = others(loop)[-1]
    worker.call_soon(lambda: 1 / 0)
    context, where = await reported
    assert isinstance(context["exception"], ZeroDivisionError)
    assert where is worker


def test_stop_on_any_worker_ends_the_run(loop: TokioLoop) -> None:
    for worker in others(loop):
        loop.call_soon(worker.call_soon, loop.stop)
        loop.run_forever()
        assert not loop.is_running()


def test_nothing_runs_between_runs(loop: TokioLoop) -> None:
    ran: list[int] = []

    async def tick() -> None:
        while True:
            ran.append(1)
            await asyncio.sleep(0)

    async def start() -> None:
        for worker in others(loop):
            worker.call_soon(lambda: tasks.append(asyncio.create_task(tick())))
        while len(tasks) < len(others(loop)) or len(ran) < 100:
            await asyncio.sleep(0)

    tasks: list[asyncio.Task[None]] = []
    for _ in range(3):
        loop.run_until_complete(start())
        count = len(ran)
        assert asyncio._get_running_loop() is None
        assert current_worker() is None
        time.sleep(0.01)
        assert len(ran) == count
        ran.clear()


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_an_exit_on_a_worker_ends_the_run(loop: TokioLoop, kind: type[BaseException]) -> None:
    def leave() -> None:
        raise kind(3)

    for worker in others(loop):
        loop.call_soon(worker.call_soon, leave)
        with pytest.raises(kind, match="3"):
            loop.run_forever()
        assert not loop.is_running()
        assert loop.run_until_complete(call_on(worker, lambda: 5)) == 5


def test_a_signal_ends_the_run_whatever_workers_do(loop: TokioLoop) -> None:
    async def spin() -> None:
        while True:
            await asyncio.sleep(0)

    for worker in others(loop):
        loop.call_soon(worker.call_soon, lambda: tasks.append(loop.create_task(spin())))
    tasks: list[asyncio.Task[None]] = []
    loop.call_later(0.02, os.kill, os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        loop.run_forever()
    assert not loop.is_running()
    assert len(tasks) == len(others(loop))


def test_the_threads_end_with_the_loop(loop: TokioLoop) -> None:
    names = {f"rloop worker {worker.index}" for worker in others(loop)}
    assert names <= {thread.name for thread in threading.enumerate()}
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert not names & {thread.name for thread in threading.enumerate()}
    with pytest.raises(RuntimeError, match="Event loop is closed"):
        loop.call_soon(print)
    loop.close()


def test_a_loop_that_is_dropped_warns_and_ends_its_threads() -> None:
    before = threading.active_count()
    loops: list[object] = [TokioLoop(workers=3)]
    loops[0].run_until_complete(asyncio.sleep(0))  # type: ignore[attr-defined]
    assert threading.active_count() == before + 2
    with pytest.warns(ResourceWarning, match="unclosed event loop"):
        forget(loops)
    assert threading.active_count() == before


@pytest.mark.parametrize("number", [0, -1, 65])
def test_a_number_that_makes_no_sense_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match=f"workers is {number}: expected a number from 1 to 64"):
        TokioLoop(workers=number)


def test_the_variable_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RLOOP_WORKERS", "3")
    loop = TokioLoop()
    assert len(others(loop)) == 2
    loop.close()


def test_who_asks_for_io_threads_has_one_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RLOOP_WORKERS", raising=False)
    loop = TokioLoop(io_threads=2)
    assert (len(loop.workers), len(loop.metrics().io_threads)) == (1, 2)
    loop.close()
    loop = TokioLoop(io_threads=2, workers=2)
    assert (len(loop.workers), len(loop.metrics().io_threads)) == (2, 0)
    loop.close()
    monkeypatch.setenv("RLOOP_IO_THREADS", "3")
    loop = TokioLoop()
    assert (len(loop.workers), len(loop.metrics().io_threads)) == (1, 3)
    loop.close()


async def test_all_tasks_are_those_of_all_workers(loop: TokioLoop) -> None:
    tasks: list[asyncio.Task[None]] = []

    def start() -> None:
        tasks.append(asyncio.create_task(asyncio.sleep(100)))

    for worker in loop.workers:
        worker.call_soon(start)
    while len(tasks) < len(loop.workers):
        await asyncio.sleep(0)
    for worker in loop.workers:
        assert set(tasks) < await call_on(worker, asyncio.all_tasks)
    assert set(tasks) < asyncio.all_tasks()
    for task in tasks:
        task.cancel()


async def test_tasks_that_nobody_refers_to_leave_no_guard_behind(loop: TokioLoop) -> None:
    """A collection ends what waits in any order, a coroutine after what it waits for.

    On their own worker: CPython 3.14 doesn't lock coroutines that two threads end at once.
    """
    queue: asyncio.Queue[int] = asyncio.Queue()

    async def wait() -> None:
        await asyncio.Queue[None]().get()

    async def start_many() -> None:
        for _ in range(5):
            for _ in range(40):
                asyncio.create_task(wait())  # noqa: RUF006  # that is what is tried
            await asyncio.sleep(0)
        gc.collect()
        queue.put_nowait(1)

    loop.set_exception_handler(lambda *_: None)  # they were pending
    gc.disable()
    try:
        await loop.spawn(start_many(), worker=1)
    finally:
        gc.enable()
    assert await queue.get() == 1


async def test_signal_handlers_are_added_and_removed_on_any_worker(loop: TokioLoop) -> None:
    worker = others(loop)[-1]
    heard: asyncio.Future[object] = loop.create_future()
    await call_on(worker, loop.add_signal_handler, signal.SIGUSR1, tell_where, heard)
    while signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL:
        await asyncio.sleep(0.001)
    os.kill(os.getpid(), signal.SIGUSR1)
    assert await heard is crew(loop)[0]
    assert await call_on(worker, loop.remove_signal_handler, signal.SIGUSR1) is True
    while signal.getsignal(signal.SIGUSR1) is not signal.SIG_DFL:
        await asyncio.sleep(0.001)
    assert await call_on(worker, loop.remove_signal_handler, signal.SIGUSR1) is False
    with pytest.raises(ValueError, match="invalid signal number"):
        loop.add_signal_handler(1000, print)
