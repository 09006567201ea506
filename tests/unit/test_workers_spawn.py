"""Placing tasks: ``TokioLoop.spawn``, ``spread="tasks"``, ``loop.workers``, ``current_worker()``.

With several workers where Python is free-threaded; elsewhere the same on the one that there is.
"""

import asyncio
import contextvars
import gc
import inspect
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

rloop = pytest.importorskip("rloop")


@pytest.fixture(params=[1, 2, 4])
def loop(request: pytest.FixtureRequest) -> Iterator[Any]:
    loop = rloop.TokioLoop(workers=request.param)
    yield loop
    if not loop.is_closed():
        loop.close()


async def where() -> Any:
    worker = rloop.current_worker()
    assert worker.index == rloop.current_worker().index
    await asyncio.sleep(0.001)
    assert rloop.current_worker() == worker  # as before it waited
    assert asyncio.get_running_loop() is worker._loop
    return worker.index


def test_there_is_no_current_worker_where_no_loop_runs(loop: Any) -> None:
    assert rloop.current_worker() is None
    assert [worker.index for worker in loop.workers] == list(range(len(loop.workers)))


def test_a_task_runs_on_the_worker_that_is_given(loop: Any) -> None:
    async def main() -> Any:
        for worker in loop.workers:
            assert await loop.spawn(where(), worker=worker) == worker.index
            assert await loop.spawn(where(), worker=worker.index) == worker.index

    loop.run_until_complete(main())


def test_tasks_go_to_the_worker_with_the_least_of_them(loop: Any) -> None:
    async def main() -> Any:
        are_placed = asyncio.Event()

        async def where_it_is() -> Any:
            await are_placed.wait()
            return await where()

        tasks = [loop.spawn(where_it_is()) for _ in range(3 * len(loop.workers))]
        are_placed.set()
        return sorted(await asyncio.gather(*tasks))

    assert loop.run_until_complete(main()) == sorted(3 * list(range(len(loop.workers))))
    assert all(worker.tasks == 0 for worker in loop.workers)


def test_what_a_placed_task_makes_stays_with_it(loop: Any) -> None:
    async def made() -> Any:
        await asyncio.sleep(0)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(where()), asyncio.ensure_future(where())]
        done = asyncio.get_running_loop().create_future()
        loop.call_later(0.001, lambda: done.set_result(rloop.current_worker().index))
        return {await where(), await done, *(task.result() for task in tasks)}

    async def main() -> Any:
        for worker in loop.workers:
            assert await loop.spawn(made(), worker=worker) == {worker.index}

    loop.run_until_complete(main())


def test_an_unknown_worker_is_refused(loop: Any) -> None:
    other = rloop.TokioLoop(workers=len(loop.workers))
    coro = where()
    with pytest.raises(ValueError, match="not a worker of"):
        loop.spawn(coro, worker=other.workers[0])
    with pytest.raises(ValueError, match="expected a number below"):
        loop.spawn(coro, worker=len(loop.workers))
    coro.close()
    other.close()


def test_only_coroutines_are_spawned(loop: Any) -> None:
    with pytest.raises(TypeError, match="a coroutine was expected"):
        loop.spawn(None)


def test_a_task_has_the_name_and_the_coroutine_that_were_given(loop: Any) -> None:
    async def main() -> Any:
        coro = where()
        task = loop.spawn(coro, name="here", worker=len(loop.workers) - 1)
        assert task.get_name() == "here"
        assert task.get_coro() is coro
        assert isinstance(task, asyncio.Task)
        assert repr(task).startswith("<Task pending name='here' coro=<where() running at ")
        await task

    loop.run_until_complete(main())


def test_a_task_sees_the_context_that_is_given(loop: Any) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")

    async def read() -> Any:
        return variable.get("nothing")

    async def main() -> Any:
        context = contextvars.copy_context()
        context.run(variable.set, "given")
        last = len(loop.workers) - 1
        assert await loop.spawn(read(), worker=last, context=context) == "given"
        assert await loop.spawn(read(), worker=last) == "nothing"
        variable.set("current")
        assert await loop.spawn(read(), worker=last) == "current"

    loop.run_until_complete(main())


def test_a_context_that_is_given_is_copied(loop: Any) -> None:
    said = contextvars.ContextVar("said", default="nothing")
    context = contextvars.copy_context()
    context.run(said.set, "given")

    async def say() -> str:
        before = said.get()
        said.set("else")
        return before

    async def main() -> Any:
        return await loop.spawn(say(), context=context)

    assert loop.run_until_complete(main()) == "given"
    assert context[said] == "given"


def test_results_and_exceptions_come_back(loop: Any) -> None:
    async def fail() -> Any:
        await asyncio.sleep(0.001)
        raise LookupError("far away")

    async def in_a_group() -> Any:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(60))
            await loop.spawn(fail())

    async def main() -> Any:
        for worker in loop.workers:
            with pytest.raises(LookupError, match="far away"):
                await loop.spawn(fail(), worker=worker)
        results = await asyncio.gather(
            *(loop.spawn(fail()) for _ in loop.workers), return_exceptions=True
        )
        assert [type(result) for result in results] == len(loop.workers) * [LookupError]
        with pytest.raises(ExceptionGroup):
            await in_a_group()

    loop.run_until_complete(main())


def test_a_task_of_another_worker_is_cancelled_on_its_own(loop: Any) -> None:
    cancelled_on = []

    async def wait() -> Any:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled_on.append(rloop.current_worker().index)
            raise

    async def main() -> Any:
        for worker in loop.workers:
            task = loop.spawn(wait(), worker=worker)
            await asyncio.sleep(0.01)
            assert task.cancel("enough")
            with pytest.raises(asyncio.CancelledError, match="enough"):
                await task
            assert task.cancelled()
            assert not task.cancel()

    loop.run_until_complete(main())
    assert cancelled_on == list(range(len(loop.workers)))


def test_who_waits_for_a_task_of_another_worker_can_be_cancelled_and_cancels_it(loop: Any) -> None:
    async def main() -> Any:
        for outer in loop.workers:
            for inner in loop.workers:
                task = loop.spawn(asyncio.sleep(60), worker=inner)
                waiting = loop.spawn(asyncio.wait_for(task, None), worker=outer)
                await asyncio.sleep(0.01)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
                assert task.cancelled()

    loop.run_until_complete(main())


def test_timeouts_end_tasks_of_other_workers(loop: Any) -> None:
    async def main() -> Any:
        for worker in loop.workers:
            task = loop.spawn(asyncio.sleep(60), worker=worker)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(task, 0.01)
            assert task.cancelled()

    loop.run_until_complete(main())


def test_a_task_can_be_asked_while_it_computes(loop: Any) -> None:
    begun, asked = threading.Event(), threading.Event()

    async def compute() -> Any:
        begun.set()
        ends = time.monotonic() + 10
        while time.monotonic() < ends and not asked.is_set():
            pass
        return asked.is_set()

    async def main() -> Any:
        task = loop.spawn(compute(), worker=1)
        begun.wait()
        assert not task.done()
        asked.set()
        assert await task

    if len(loop.workers) > 1:
        loop.run_until_complete(main())


@pytest.mark.parametrize("workers", [1, 2])
def test_spread_places_the_tasks_of_the_main_flow(workers: int) -> None:
    loop = rloop.TokioLoop(workers=workers, spread="tasks")

    async def nested() -> Any:
        return {await where(), *await asyncio.gather(where(), where())}

    async def main() -> Any:
        return await asyncio.gather(*(nested() for _ in range(4)))

    everywhere = set(range(len(loop.workers)))
    found = loop.run_until_complete(main())
    assert all(len(indexes) == 1 for indexes in found)
    assert set.union(*found) == everywhere
    loop.close()


def test_spread_is_tasks_or_nothing() -> None:
    with pytest.raises(ValueError, match='expected "tasks" or None'):
        rloop.TokioLoop(spread="connections")


def test_eager_tasks_that_are_placed_start_on_their_worker(loop: Any) -> None:
    if not hasattr(asyncio, "eager_task_factory"):
        return
    loop.set_task_factory(asyncio.eager_task_factory)

    async def main() -> Any:
        task = asyncio.create_task(asyncio.sleep(0, "done"))
        state = inspect.getcoroutinestate(task.get_coro())  # type: ignore[arg-type]
        assert state == inspect.CORO_SUSPENDED
        assert await task == "done"
        return [await loop.spawn(where(), worker=worker) for worker in loop.workers]

    assert loop.run_until_complete(main()) == list(range(len(loop.workers)))


def test_a_task_class_that_a_program_puts_in_place_is_used(
    loop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Own(asyncio.Task[Any]):
        pass

    monkeypatch.setattr(asyncio.tasks, "Task", Own)

    async def main() -> Any:
        task = loop.create_task(asyncio.sleep(0, "done"))
        assert type(task) is Own
        return await task

    assert loop.run_until_complete(main()) == "done"


def test_tasks_of_all_workers_are_cancelled_when_the_runner_ends(loop: Any) -> None:
    tasks: list[Any] = []

    async def main() -> None:
        tasks.extend(loop.spawn(asyncio.sleep(60), worker=worker) for worker in loop.workers)
        await asyncio.sleep(0.01)

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main())
    assert all(task.cancelled() for task in tasks)
    assert [worker.tasks for worker in loop.workers] == [0] * len(loop.workers)


def test_tasks_of_a_client_connection_are_cancelled_where_it_is(loop: Any) -> None:
    cancelled_on = []

    class Client(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport
            self.task = loop.create_task(self.wait())

        async def wait(self) -> None:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled_on.append(rloop.current_worker().index)
                raise

    async def main() -> Any:
        server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
        connecting = loop.create_connection(Client, *server.sockets[0].getsockname())
        _, client = await loop.spawn(connecting, worker=len(loop.workers) - 1)
        await asyncio.sleep(0.01)
        client.task.cancel()
        await asyncio.wait([client.task])
        assert client.task.cancelled()
        client.transport.abort()
        server.close()
        await asyncio.sleep(0.01)

    loop.run_until_complete(main())
    assert cancelled_on == [len(loop.workers) - 1]


def test_worker_local_has_an_instance_for_each_worker(loop: Any) -> None:
    local = rloop.WorkerLocal(lambda: [rloop.current_worker().index])

    async def get() -> Any:
        first = local.get()
        await asyncio.sleep(0.001)
        assert local() is first
        return first

    async def main() -> Any:
        twice = [[await loop.spawn(get(), worker=i) for i in loop.workers] for _ in range(2)]
        assert twice[0] == [[worker.index] for worker in loop.workers]
        assert all(a is b for a, b in zip(*twice, strict=True))

    loop.run_until_complete(main())


def test_worker_local_has_an_instance_for_each_thread_without_a_loop() -> None:
    local = rloop.WorkerLocal(list)
    here = local()
    others = []
    thread = threading.Thread(target=lambda: others.append(local()))
    thread.start()
    thread.join()
    assert local() is here
    assert others[0] is not here


def test_worker_local_frees_its_instances_with_the_loop() -> None:
    class Instance:
        pass

    local = rloop.WorkerLocal(Instance)

    async def main() -> Any:
        loop: Any = asyncio.get_running_loop()
        return [weakref.ref(await loop.spawn(get(), worker=i)) for i in loop.workers]

    async def get() -> Any:
        return local()

    loop = rloop.TokioLoop(workers=2)
    references = loop.run_until_complete(main())
    gc.collect()
    assert all(reference() is not None for reference in references)
    loop.close()
    del loop
    gc.collect()
    assert all(reference() is None for reference in references)
