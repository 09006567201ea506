"""Several workers: where calls run, how runs begin and end."""

import asyncio
import contextvars
import gc
import os
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from rloop import TokioLoop
from rloop.workers.crew import Worker, current_worker
from tests.conftest import finish, forget, running_loop

pytestmark = pytest.mark.skipif(
    getattr(sys, "_is_gil_enabled", lambda: True)(), reason="several workers need no GIL"
)


@pytest.fixture(params=[2, 4])
def loop(request: pytest.FixtureRequest) -> Iterator[TokioLoop]:
    """A loop with as many workers, emptied and closed afterwards."""
    loop = TokioLoop(workers=request.param)
    request.node.stash[running_loop] = loop
    yield loop
    if not loop.is_closed():
        finish(loop)
        loop.close()


def others(loop: TokioLoop) -> list[Worker]:
    assert loop._crew is not None
    return loop._crew.workers[1:]


def first(loop: TokioLoop) -> Worker:
    assert loop._crew is not None
    return loop._crew.workers[0]


def tell_where(result: "asyncio.Future[object]") -> None:
    result.set_result(current_worker())


async def on(worker: Worker, function: object, *args: object) -> object:
    """What a function returns on a worker."""
    result = asyncio.get_running_loop().create_future()
    worker.call_soon(lambda: result.set_result(function(*args)))  # type: ignore[operator]
    return await result


async def test_every_worker_runs_the_same_loop(loop: TokioLoop) -> None:
    threads = {threading.get_ident()}
    for worker in others(loop):
        assert await on(worker, asyncio.get_running_loop) is loop
        assert await on(worker, asyncio.get_event_loop) is loop
        assert await on(worker, current_worker) is worker
        threads.add(await on(worker, threading.get_ident))  # type: ignore[arg-type]
        assert current_worker() is first(loop)
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
        task = await on(worker, lambda: asyncio.create_task(child()))
        await task  # type: ignore[misc]
        assert current_worker() is first(loop)
        assert len(seen) == 8
        assert {where for _, where in seen} == {worker}


async def test_a_task_is_woken_on_its_own_worker(loop: TokioLoop) -> None:
    async def wait_for(future: "asyncio.Future[None]", woken: "asyncio.Future[object]") -> None:
        await future
        woken.set_result(current_worker())

    for waiter in others(loop):
        future = loop.create_future()
        woken = loop.create_future()
        task = await on(waiter, lambda f=future, w=woken: asyncio.create_task(wait_for(f, w)))
        for setter in others(loop):
            await on(setter, lambda: None)
        others(loop)[-1].call_soon(future.set_result, None)
        assert await woken is waiter
        await task  # type: ignore[misc]


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
        assert await on(worker, lambda t=timer, h=handles: (t.cancel(), h[0].cancel(), 3)[2]) == 3
    await asyncio.sleep(0.02)
    assert set(ran) <= {2}


async def test_foreign_threads_reach_the_first_worker(loop: TokioLoop) -> None:
    def ask(result: "asyncio.Future[object]") -> None:
        loop.call_soon_threadsafe(lambda: result.set_result(current_worker()))

    with ThreadPoolExecutor(1) as executor:
        result = loop.create_future()
        await on(others(loop)[0], lambda: executor.submit(ask, result).result())
        assert await result is first(loop)
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

    result = await on(others(loop)[0], start)
    assert await result is first(loop)  # type: ignore[misc]


async def test_connections_are_shared_out_evenly(loop: TokioLoop) -> None:
    homes: list[Worker | None] = []

    class Protocol(asyncio.Protocol):
        def __init__(self) -> None:
            self.home = current_worker()

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert current_worker() is self.home
            homes.append(self.home)
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            assert current_worker() is self.home
            self.transport.write(data)  # type: ignore[attr-defined]

        def connection_lost(self, exc: Exception | None) -> None:
            assert current_worker() is self.home

    server = await loop.create_server(Protocol, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    count = 10 * (1 + len(others(loop)))
    streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]
    for reader, writer in streams:
        writer.write(b"x")
        assert await reader.read(1) == b"x"
    assert {homes.count(worker) for worker in [first(loop), *others(loop)]} == {10}
    assert {worker.load for worker in others(loop)} == {10}
    for _, writer in streams:
        writer.close()
        await writer.wait_closed()
    server.close()
    await server.wait_closed()


async def test_a_reader_is_known_on_every_worker(loop: TokioLoop) -> None:
    a, b = socket.socketpair()
    a.setblocking(False)
    ready: list[Worker | None] = []
    worker = others(loop)[0]
    await on(worker, lambda: loop.add_reader(a, lambda: ready.append(current_worker())))
    b.send(b"x")
    while not ready:
        await asyncio.sleep(0.001)
    assert set(ready) == {worker}
    loop.add_reader(a, lambda: (a.recv(10), ready.append(None)))  # in its place
    while None not in ready:
        await asyncio.sleep(0.001)
    await on(worker, lambda: None)
    assert await on(worker, loop.remove_reader, a) is True
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
        assert loop.run_until_complete(on(worker, lambda: 5)) == 5


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


def test_what_is_written_before_the_end_is_sent(loop: TokioLoop) -> None:
    a, b = socket.socketpair()

    async def write() -> None:
        def connect() -> None:
            connecting = loop.create_task(loop.create_connection(asyncio.Protocol, sock=a))
            connecting.add_done_callback(
                lambda done: (done.result()[0].write(b"bye"), written.set_result(None))
            )

        others(loop)[0].call_soon(connect)
        await written

    written: asyncio.Future[None] = loop.create_future()
    loop.run_until_complete(write())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # of the transport left open
        loop.close()
        assert b.recv(10) == b"bye"
        b.close()
        a.close()
        gc.collect()


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


@pytest.mark.parametrize("end", ["close_clients", "abort_clients"])
async def test_a_connection_on_its_way_belongs_to_its_server(loop: TokioLoop, end: str) -> None:
    """Its worker is busy when it is accepted: the server waits for it, and ends it."""
    made: list[str] = []

    class Protocol(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            made.append("made")

        def connection_lost(self, exc: Exception | None) -> None:
            made.append("lost")

    server = await loop.create_server(Protocol, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    busy, go_on = threading.Event(), threading.Event()
    for worker in others(loop):
        worker.call_soon(lambda: (busy.set(), go_on.wait(20)))
    busy.wait()
    clients = [socket.create_connection(address)]
    while not clients[-1].getsockname() or all(worker.awaited == 0 for worker in others(loop)):
        clients.append(socket.create_connection(address))
        await asyncio.sleep(0.001)
    for client in clients[:-1]:
        client.close()
    server.close()
    waiting = asyncio.create_task(server.wait_closed())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    getattr(server, end)()
    go_on.set()
    await waiting
    assert made.count("made") == made.count("lost") == len(clients)
    for client in clients:
        client.close()


async def test_what_a_foreign_thread_writes_leaves_though_its_home_blocks(loop: TokioLoop) -> None:
    """As on any loop: nobody knows how long the callback that runs there takes."""
    made: list[asyncio.Transport] = []

    class Protocol(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            made.append(transport)  # type: ignore[arg-type]

    server = await loop.create_server(Protocol, "127.0.0.1", 0)
    count = len(loop.workers)
    peers = [socket.create_connection(server.sockets[0].getsockname()) for _ in range(count)]
    while len(made) < count:
        await asyncio.sleep(0.001)
    assert write_while_all_block(loop, made, peers) == [b"x"] * count
    for peer in peers:
        peer.close()
    server.close()
    await server.wait_closed()


def write_while_all_block(
    loop: TokioLoop, transports: list[asyncio.Transport], peers: list[socket.socket]
) -> list[bytes]:
    """What the peers of the transports get of what a thread that is no worker writes."""
    blocked = threading.Barrier(1 + len(loop.workers))
    go_on = threading.Event()
    received: list[bytes] = []

    def write() -> None:
        blocked.wait(20)
        for transport in transports:
            transport.write(b"x")
        for peer in peers:
            peer.settimeout(20)
            received.append(peer.recv(1))
        go_on.set()

    def block() -> None:
        blocked.wait(20)
        go_on.wait(20)

    writer = threading.Thread(target=write)
    writer.start()
    for worker in others(loop):
        worker.call_soon(block)
    block()
    writer.join()
    return received


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


async def test_a_connection_whose_protocol_cannot_be_made_is_closed(loop: TokioLoop) -> None:
    def fail() -> asyncio.Protocol:
        raise ValueError

    server = await loop.create_server(fail, "127.0.0.1", 0)
    for _ in range(2 * len(loop.workers)):
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await asyncio.wait_for(reader.read(), 20) == b""
        writer.close()
    server.close()
    await asyncio.wait_for(server.wait_closed(), 20)


async def test_all_tasks_are_those_of_all_workers(loop: TokioLoop) -> None:
    tasks: list[asyncio.Task[None]] = []

    def start() -> None:
        tasks.append(asyncio.create_task(asyncio.sleep(100)))

    for worker in loop.workers:
        worker.call_soon(start)
    while len(tasks) < len(loop.workers):
        await asyncio.sleep(0)
    for worker in loop.workers:
        assert set(tasks) < await on(worker, asyncio.all_tasks)  # type: ignore[operator]
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
    await on(worker, loop.add_signal_handler, signal.SIGUSR1, tell_where, heard)
    while signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL:
        await asyncio.sleep(0.001)
    os.kill(os.getpid(), signal.SIGUSR1)
    assert await heard is first(loop)
    assert await on(worker, loop.remove_signal_handler, signal.SIGUSR1) is True
    while signal.getsignal(signal.SIGUSR1) is not signal.SIG_DFL:
        await asyncio.sleep(0.001)
    assert await on(worker, loop.remove_signal_handler, signal.SIGUSR1) is False
    with pytest.raises(ValueError, match="invalid signal number"):
        loop.add_signal_handler(1000, print)
