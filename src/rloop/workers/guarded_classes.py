"""Which of asyncio's classes are guarded (``guards``), while a loop with several workers is open.

The methods of the classes are replaced when the first such loop is made, and put back when the last
is closed; so objects that were made before are guarded as well. A ``Barrier`` is not here: all it
does it does with its condition's lock. Nor is what stays on one worker: the callbacks that
``gather``, ``wait`` and ``shield`` add to futures run in the context, and so on the worker, of who
has called these.
"""

from __future__ import annotations

import asyncio
import functools
import os
import threading
import weakref
from asyncio import (
    base_events,
    base_subprocess,
    events,
    exceptions,
    futures,
    locks,
    mixins,
    queues,
    streams,
    taskgroups,
    tasks,
    timeouts,
)
from collections.abc import Callable
from concurrent.futures import Future as ConcurrentFuture
from typing import TYPE_CHECKING, Any

from . import crew as crews
from .guards import (
    LettingWaiter,
    Waiter,
    WaiterLoop,
    driven_coroutine,
    guard_of,
    guarded,
    guarded_coroutine,
    steps,
    waiting_coroutine,
)
from .tasks import call_at_home, is_elsewhere

if TYPE_CHECKING:
    from .crew import Worker

_Method = Callable[..., Any]


# ---- what is more than a guard -------------------------------------------------------------------


def _get_loop(original: _Method) -> _Method:
    """Locks and queues ask for their loop in order to make a future that they wait for."""

    @functools.wraps(original)
    def get_loop(self: Any) -> Any:
        loop = original(self)
        if not hasattr(loop, "spawn"):
            return loop
        is_driven = isinstance(self, locks.Condition)  # and waits for its lock as well
        return WaiterLoop(loop, Waiter if is_driven else LettingWaiter, guard_of(self))

    return get_loop


class _OfLock:
    """A method of a condition that is its lock's, as it is now: the condition has a copy."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, condition: Any, owner: type | None = None) -> Any:
        if condition is None:
            return self
        method = condition.__dict__[self._name]
        if getattr(method, "__self__", None) is condition._lock:
            return getattr(condition._lock, self._name)
        return method

    def __set__(self, condition: Any, method: object) -> None:
        condition.__dict__[self._name] = method


def _unless_cancelled(original: _Method) -> _Method:
    """Wakes a reader's only waiter, which its task may cancel meanwhile: then there is nobody."""

    @functools.wraps(original)
    def wake(self: Any, *args: Any) -> None:
        try:  # noqa: SIM105  # suppress() takes longer
            original(self, *args)
        except exceptions.InvalidStateError:
            pass

    return wake


def _set_exception(original: _Method) -> _Method:
    return guarded(_unless_cancelled(original))


def _all_unless_cancelled(original: _Method) -> _Method:
    """Wakes who waits for a transport to drain; the task of each may cancel it meanwhile."""

    @functools.wraps(original)
    def wake(self: Any, exc: BaseException | None = None) -> None:
        with guard_of(self):
            try:
                original(self, *(() if original.__name__ == "resume_writing" else (exc,)))
            except exceptions.InvalidStateError:
                for waiter in self._drain_waiters:
                    _end(waiter, exc)

    return wake


def _end(waiter: Any, exc: BaseException | None) -> None:
    try:
        if exc is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(exc)
    except exceptions.InvalidStateError:
        pass  # it has ended, one way or another


def _drain_helper(original: _Method) -> _Method:
    drain = driven_coroutine(original)

    @functools.wraps(original)
    async def drain_helper(self: Any, *args: Any) -> None:
        if self._paused or self._connection_lost:
            await drain(self, *args)

    return drain_helper


def _aexit(original: _Method) -> _Method:
    """Keeps no exception, since the one that it raises would refer to its frame."""

    @functools.wraps(original)
    async def aexit(self: Any, *exc: Any) -> Any:
        coro = original(self, *exc)
        del exc
        return await steps(guard_of(self), coro)

    return aexit


def _on_task_done(original: _Method) -> _Method:
    """A group is told that a task has ended where its own task runs, which it may cancel."""

    @functools.wraps(original)
    def on_task_done(self: Any, task: Any) -> None:
        parent = self._parent_task
        if parent is not None and is_elsewhere(parent):
            call_at_home(parent, on_task_done, self, task)
            return
        with guard_of(self):
            original(self, task)

    return on_task_done


def _reschedule(original: _Method) -> _Method:
    """A timeout's timer is the business of the worker of its task."""

    @functools.wraps(original)
    def reschedule(self: Any, when: float | None) -> None:
        is_entered = self._state is timeouts._State.ENTERED  # type: ignore[attr-defined]
        if is_entered and is_elsewhere(self._task):
            self._when = when
            call_at_home(self._task, _reschedule_there, self, when)
        else:
            original(self, when)

    return reschedule


def _reschedule_there(timeout: Any, when: float | None) -> None:
    if timeout._state is timeouts._State.ENTERED:  # type: ignore[attr-defined]
        timeout.reschedule(when)


def _all_tasks(original: _Method) -> _Method:
    """On the thread of a loop asyncio's looks at the tasks of that thread alone."""

    @functools.wraps(original)
    def all_tasks(loop: Any = None) -> Any:
        running = events._get_running_loop()
        if running is None or getattr(running, "_crew", None) is None:
            return original(loop)
        events._set_running_loop(None)
        try:
            return original(running if loop is None else loop)
        finally:
            events._set_running_loop(running)

    return all_tasks


def _chain_future(original: _Method) -> _Method:
    """What an executor's thread has done is told on the worker that waits for it."""

    @functools.wraps(original)
    def chain_future(source: Any, destination: Any) -> None:
        worker = crews.current_worker()
        if worker is not None and isinstance(source, ConcurrentFuture):
            source = _Told(source, worker)
        original(source, destination)

    return chain_future


class _Told(ConcurrentFuture[Any]):
    """A future of an executor's that calls back on a worker."""

    def __init__(self, future: ConcurrentFuture[Any], worker: Worker) -> None:
        self._future = future
        self._worker = worker

    def add_done_callback(self, fn: Callable[[ConcurrentFuture[Any]], object]) -> None:
        context = self._worker.context()  # and not that of the executor's thread
        loop = self._worker._loop

        def tell(future: ConcurrentFuture[Any]) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(fn, future, context=context)

        self._future.add_done_callback(tell)

    def cancel(self) -> bool:
        return self._future.cancel()


# ---- which classes -------------------------------------------------------------------------------

_AS_COMPLETED: Any = tasks._AsCompletedIterator  # type: ignore[attr-defined]  # from 3.13 on

# Methods and coroutine methods that hold the guard of their object.
_PLAIN: list[tuple[type, tuple[str, ...]]] = [
    (locks.Lock, ("release",)),
    (locks.Event, ("set", "clear")),
    (locks.Condition, ("notify", "notify_all", "_notify")),
    (locks.Semaphore, ("locked", "release")),
    (locks.BoundedSemaphore, ("release",)),
    (queues.Queue, ("put_nowait", "get_nowait", "task_done", "shutdown")),
    (taskgroups.TaskGroup, ("create_task",)),
    (_AS_COMPLETED, ("__next__",)),
    (streams.StreamReader, ("feed_data", "feed_eof")),
    (streams.FlowControlMixin, ("pause_writing",)),
    (
        base_events.Server,
        ("_attach", "_detach", "_wakeup", "close", "close_clients", "abort_clients"),
    ),
    (base_subprocess.BaseSubprocessTransport, ("_process_exited", "_try_finish")),
]
_COROUTINES: list[tuple[type, tuple[str, ...]]] = [
    (locks.Lock, ("acquire",)),
    (locks.Event, ("wait",)),
    (locks.Semaphore, ("acquire",)),
    (queues.Queue, ("put", "get")),
    (streams.StreamReader, ("read", "readexactly", "readline", "readuntil")),
]
_DRIVEN: list[tuple[type, tuple[str, ...]]] = [
    (locks.Condition, ("wait",)),
    (_AS_COMPLETED, ("__anext__",)),
    (base_events.Server, ("wait_closed",)),
    (base_subprocess.BaseSubprocessTransport, ("_wait",)),
]
_OTHERS: list[tuple[Any, str, Callable[[_Method], Any]]] = [
    (mixins._LoopBoundMixin, "_get_loop", _get_loop),
    (streams.StreamReader, "_wakeup_waiter", _unless_cancelled),
    (streams.StreamReader, "set_exception", _set_exception),
    (streams.StreamReader, "_wait_for_data", waiting_coroutine),
    (streams.FlowControlMixin, "resume_writing", _all_unless_cancelled),
    (streams.FlowControlMixin, "connection_lost", _all_unless_cancelled),
    (streams.FlowControlMixin, "_drain_helper", _drain_helper),
    (taskgroups.TaskGroup, "__aexit__", _aexit),
    (taskgroups.TaskGroup, "_on_task_done", _on_task_done),
    (timeouts.Timeout, "reschedule", _reschedule),
    (futures, "_chain_future", _chain_future),
    (asyncio, "all_tasks", _all_tasks),
    (tasks, "all_tasks", _all_tasks),
]
_OF_LOCK = ("locked", "acquire", "release")

_changing = threading.Lock()
_users = 0
_replaced: list[tuple[Any, str, Any, Any]] = []  # class, name, what was there, what is there


@functools.cache
def _watch_for_forks() -> None:
    os.register_at_fork(after_in_child=_give_back_in_child)


def install_for(loop: Any) -> Callable[[], object]:
    """A loop with several workers is made; what is returned is called when it is closed."""
    _watch_for_forks()
    _install()
    guarding = weakref.finalize(loop, _uninstall)
    guarding.atexit = False
    return guarding


def _install() -> None:
    global _users  # noqa: PLW0603  # asyncio's classes are the process's
    with _changing:
        _users += 1
        if _users > 1:
            return
        for methods, hold in (
            (_PLAIN, guarded),
            (_COROUTINES, guarded_coroutine),
            (_DRIVEN, driven_coroutine),
        ):
            for owner, names in methods:
                for name in names:
                    _replace(owner, name, hold)
        for owner, name, wrap in _OTHERS:
            _replace(owner, name, wrap)
        for name in _OF_LOCK:
            method = _OfLock(name)
            setattr(locks.Condition, name, method)
            _replaced.append((locks.Condition, name, None, method))


def _give_back_in_child() -> None:
    """A guard that another thread of the parent's has held would never be free."""
    global _changing, _users  # noqa: PLW0603
    _changing = threading.Lock()
    _users = 0
    _put_back()


def _replace(owner: Any, name: str, wrap: Callable[[_Method], Any]) -> None:
    original = vars(owner).get(name)
    if original is not None:  # as in this version of Python
        replacement = wrap(original)
        setattr(owner, name, replacement)
        _replaced.append((owner, name, original, replacement))


def _uninstall() -> None:
    global _users  # noqa: PLW0603
    with _changing:
        _users -= 1
        if not _users:
            _put_back()


def _put_back() -> None:
    while _replaced:
        owner, name, original, replacement = _replaced.pop()
        if vars(owner).get(name) is not replacement:
            continue  # somebody else has put something in its place
        if original is None:
            delattr(owner, name)
        else:
            setattr(owner, name, original)
