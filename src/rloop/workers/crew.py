"""The workers of a loop: threads that each run Python for it, on free-threaded builds of CPython.

Every worker has a ready queue, timers and a poller of its own in Java (``rloop.loop.EventLoop``),
and enters nobody else's lock in its iteration. Which one a call runs on is said by its context, in
a variable that holds an *affinity*: so what descends from a connection stays where the connection
is, and whoever sets a future wakes the task that waits for it on the task's own worker. Where a
context says nothing it is the worker that schedules the call.

The first worker is the thread that runs the loop. The others are parked while it doesn't run.
"""

from __future__ import annotations

import functools
import sys
import threading
from asyncio import events
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from rloop.java import jvm

from .guards import guard_of
from .served import Served

if TYPE_CHECKING:
    import asyncio
    import socket

    from rloop.loops.tokio import TokioLoop

_T = TypeVar("_T")

# What a context says about where its calls run.
AFFINITY: ContextVar[object] = ContextVar("rloop.affinity")

_this_thread = threading.local()


@functools.cache
def install(loop_class: type) -> object:
    """Has Java add its methods; returns the affinity to the first worker of whatever loop it is."""
    core: Any = jvm.core()
    core.add_affinity()
    first = core.new_affinity(None)
    core.add_workers(loop_class, AFFINITY, functools.partial(AFFINITY.set, first))
    return first


def current_worker() -> Worker | None:
    """The worker that this thread is, while it runs a ``TokioLoop``; otherwise None."""
    return getattr(_this_thread, "worker", None)


class Worker:
    """One of the threads that run a loop's Python; ``index`` is its number, from 0 on."""

    def __init__(self, loop: TokioLoop, index: int, state: object, affinity: object) -> None:
        """Made by its loop."""
        self._loop = loop
        self.index = index
        self._state = state
        self.affinity = affinity
        self.load = 0  # accepted connections that are at home here
        self.awaited = 0  # such that are on their way
        self.tasks = 0  # that were placed here and haven't ended

    def __repr__(self) -> str:
        return f"<Worker {self.index} of {self._loop!r}>"

    def on(self, method: Callable[..., _T], *args: Any) -> _T:
        """Calls a method of the loop's as if this thread were the worker."""
        before = self._loop._sit(self._state)
        try:
            return method(*args)
        finally:
            self._loop._sit(before)

    def call_soon(self, callback: Callable[..., object], *args: Any) -> asyncio.Handle:
        """As the loop's ``call_soon_threadsafe``, on this worker; to be called on any thread."""
        return self._loop.call_soon_threadsafe(callback, *args, context=self.context())

    def own_affinity(self) -> object:
        """What says that a connection is at home here, until it follows a user."""
        core: Any = jvm.core()
        return core.new_own_affinity(self._state)

    def context(self) -> Context:
        """A copy of the current context whose calls run here."""
        context = copy_context()
        context.run(AFFINITY.set, self.affinity)
        return context


class Crew:
    """All workers of a loop, and the threads of those beside the first."""

    def __init__(self, loop: TokioLoop, count: int, first: object, poller: str | None) -> None:
        """Starts the threads, parked; ``first`` is the affinity to the first worker."""
        self._loop = loop
        self._poller = poller
        self._threads: list[_WorkerThread] = []
        self._unparked = 0
        self._parking = threading.Event()  # all were told to stop
        self._choosing = threading.Lock()
        self._turn = 0
        self.workers: list[Worker] = [Worker(loop, 0, loop._state, first)]
        try:
            for index in range(1, count):
                self._threads.append(_WorkerThread(f"rloop worker {index}"))
                self.workers.append(self._threads[-1].call(self._make, index))
        except BaseException:
            self.end()
            raise
        enter(self.workers[0])

    # ---- on the threads --------------------------------------------------------------------------

    def _make(self, index: int) -> Worker:
        """On the worker's own thread: so its references to what is made are the cheap ones."""
        state = self._loop._open_worker(self._poller, index)
        core: Any = jvm.core()
        return Worker(self._loop, index, state, core.new_affinity(state))

    def _run(self, worker: Worker) -> None:
        """As ``run_forever``, on this thread."""
        loop = self._loop
        loop._sit(worker._state)
        events._set_running_loop(loop)
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(
            firstiter=loop._asyncgen_firstiter_hook, finalizer=loop._asyncgen_finalizer_hook
        )
        try:
            with running(worker):
                loop._start_run()
                while not loop._run_calls():
                    pass
        except BaseException as exc:  # ends the loop's run, on the first worker
            loop._abandon_run()
            self.workers[0].call_soon(_raise, exc)
            self._parking.wait()
            loop._take_stop()
        finally:
            sys.set_asyncgen_hooks(*hooks)
            events._set_running_loop(None)
            loop._sit(None)

    # ---- on the first worker ---------------------------------------------------------------------

    def start(self) -> None:
        """The loop's run begins."""
        self.park()
        self._parking.clear()
        for thread, worker in zip(self._threads, self.workers[1:], strict=True):
            thread.order(self._run, worker)
            self._unparked += 1

    def park(self) -> None:
        """The loop's run is over: returns when no worker runs anything any more."""
        if self._unparked:
            for worker in self.workers[1:]:
                worker.on(self._loop._stop_this_worker)
                worker.on(self._loop._write_to_self)
            self._parking.set()
        while self._unparked:
            self._threads[self._unparked - 1].answer()
            self._unparked -= 1

    def end(self) -> None:
        """Ends the threads, which are parked."""
        for thread in self._threads:
            thread.end()

    async def run_on(self, worker: Worker, coro: Any) -> Any:
        """What a coroutine returns, or raises, that runs as a task on a worker."""
        return await self._loop.create_task(coro, context=worker.context())

    def others(self) -> list[Worker]:
        """The workers that this thread is not."""
        here = current_worker()
        if here is None or here._loop is not self._loop:
            here = self.workers[0]
        return [worker for worker in self.workers if worker is not here]

    def choose(self) -> Worker:
        """The worker for a new connection: the one with the fewest, counting those on their way.

        It is counted from now on, until ``arrived``.
        """
        with self._choosing:
            self._turn = (self._turn + 1) % len(self.workers)
            turns = self.workers[self._turn :] + self.workers[: self._turn]
            if self._loop._tells_time:
                turns = self.workers[:1]  # whoever made the clock knows no other
            chosen = min(turns, key=lambda worker: worker.load + worker.awaited)
            chosen.awaited += 1
        return chosen

    def transport_context(self, given: Context | None, follows: bool) -> Context:
        """For all calls of a transport that is made here: they run where it is at home.

        That is this worker, until it ``follows`` a user to another one, or what the context says
        that was ``given`` for what a server accepts.
        """
        if given is not None and AFFINITY in given and not follows:
            return given
        worker = current_worker()
        if worker is None or worker._loop is not self._loop:
            worker = self.workers[0]
        context = copy_context() if given is None else given.copy()
        context.run(AFFINITY.set, worker.own_affinity() if follows else worker.affinity)
        return context

    def accept(self, listener: socket.socket, server: Any) -> Any:
        """As the loop's ``_accept``; meanwhile no other worker closes the server's listeners."""
        with guard_of(server):
            fd = listener.fileno()
            return None if fd < 0 else self._loop._accept(fd)

    def place_accepted(self, server: Any, context: Context | None) -> tuple[Served, Context] | None:
        """Where an accepted connection is opened: its server, and a context that says where.

        That is the one given, which is the connection's own, if there is one. None if another
        worker has closed the server.
        """
        with guard_of(server):
            if server._sockets is None:
                return None
            served = Served(server, self.choose())
        if context is None:
            context = copy_context()
        context.run(AFFINITY.set, served.worker.affinity)
        return served, context

    def arrived(self, served: Served, sock: socket.socket) -> None:
        """An accepted connection has its transport, which counts in the load, or has failed to."""
        is_open = served.arrive()
        with self._choosing:  # in one step: else it would count twice meanwhile
            served.worker.awaited -= 1
            served.worker.load += is_open
        if not is_open:
            sock.close()  # the worker that has accepted it may keep it for long, being idle


@contextmanager
def running(worker: Worker) -> Iterator[None]:
    """This thread is the worker meanwhile."""
    before = current_worker()
    _this_thread.worker = worker
    enter(worker)
    try:
        yield
    finally:
        _this_thread.worker = before


def enter(worker: Worker) -> None:
    """What is scheduled in this context is the worker's, unless the context says something else."""
    if AFFINITY.get(None) is None:
        AFFINITY.set(worker.affinity)


class _WorkerThread:
    """A thread that does what it is told, and otherwise refers to nothing: least of all a loop."""

    def __init__(self, name: str) -> None:
        """Starts it."""
        self._orders: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._answers: SimpleQueue[Any] = SimpleQueue()
        # In an empty context: free-threaded builds would have it inherit this one.
        self._thread = threading.Thread(
            name=name,
            target=_obey,
            args=(self._orders, self._answers),
            daemon=True,
            context=Context(),  # type: ignore[call-arg]  # from 3.14 on
        )
        self._thread.start()

    def order(self, function: Callable[..., object], *args: Any) -> None:
        """Has a function called; ``answer`` tells when that is done."""
        self._orders.put(functools.partial(function, *args))

    def answer(self) -> Any:
        """What the function returned or raised; waits for it."""
        is_returned, answer = self._answers.get()
        if not is_returned:
            raise answer
        return answer

    def call(self, function: Callable[..., _T], *args: Any) -> _T:
        """Calls a function on the thread."""
        self.order(function, *args)
        return self.answer()  # type: ignore[no-any-return]

    def end(self) -> None:
        """After what was ordered; waits, unless Python ends and stops the thread itself."""
        self._orders.put(None)
        if self._thread is not threading.current_thread() and not sys.is_finalizing():
            self._thread.join()


def _obey(orders: SimpleQueue[Any], answers: SimpleQueue[Any]) -> None:
    while (order := orders.get()) is not None:
        try:
            answers.put((True, order()))
        except BaseException as exc:  # raised by who has given the order
            answers.put((False, exc))
        del order  # it refers to the loop


def _raise(exc: BaseException) -> None:
    raise exc
