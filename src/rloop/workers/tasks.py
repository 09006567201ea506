"""The tasks of a loop with several workers: each is cancelled on its own, and told what was asked.

CPython's tasks and futures have critical sections, and so may be asked, set and waited for from any
thread. ``Task.cancel`` may not: it cancels the future that the task waits for, and code that sets
that one's result asks ``done()`` first, and then nobody must come in between; and CPython holds no
reference to it meanwhile, so that the task's worker may free it. So whoever cancels a task of
another worker has it done there.

What then becomes of the answer: True says that the task will be cancelled, which is not known yet.
Who cancels a task *because it waits for this one* would trust it, and the cancellation would be
lost if this one ended before. There it is False, which has that task cancel itself as well.

A task that fails is done before CPython notes that nobody has asked for its exception, and other
threads come in between: where it stops the world to forget a task that another worker has made, and
where it calls back. Who asks then would be forgotten, and the exception reported as one that was
never retrieved. So whoever asks a failed task of another worker has it asked there once more.

A task keeps the affinity that its context has: the context itself may be looked at by nobody else
while the task runs. Where that is may change, with the client's connection that the task descends
from.
"""

from __future__ import annotations

import functools
import threading
from asyncio import tasks
from collections.abc import Callable, Generator
from contextvars import copy_context
from typing import Any

from rloop.java import jvm

from . import crew as crews
from .crew import AFFINITY

_cancelling = threading.local()

# jvm.core() looks for forks and more first, which takes 60 µs.
_core: Callable[[], Any] = functools.cache(jvm.core)


class Task(tasks.Task[Any]):
    """A task of a loop with several workers."""

    __slots__ = ("affinity",)
    affinity: object

    def cancel(self, msg: Any | None = None) -> bool:
        """As asyncio's; a task of another worker is cancelled when that one comes to it."""
        outer = getattr(_cancelling, "task", None)
        if not is_elsewhere(self):
            _cancelling.task = self
            try:
                return super().cancel(msg)
            finally:
                _cancelling.task = outer
        if self.done():
            _ask_at_home(self)  # asyncio as well reports no task that has been cancelled
            return False
        call_at_home(self, self.cancel, msg)
        return outer is None

    def exception(self) -> BaseException | None:
        """As asyncio's."""
        found = super().exception()
        if found is not None:
            _ask_at_home(self)
        return found

    def result(self) -> Any:
        """As asyncio's."""
        try:
            return super().result()
        except BaseException:
            _ask_at_home(self)
            raise
        finally:
            del self  # the exception's traceback refers to this frame

    def __await__(self) -> Generator[Any, None, Any]:
        """As asyncio's, which asks for the result by itself."""
        _ask_at_home(self)
        return super().__await__()

    __iter__ = __await__

    def get_coro(self) -> Any:
        """The coroutine that was given."""
        coro = super().get_coro()
        return getattr(coro, "coro", coro) if type(coro).__name__ == "Placed" else coro


def _ask_at_home(task: Task) -> None:
    """Has a task of another worker, if it has failed, asked on that one when its step is over."""
    if task._exception is not None and is_elsewhere(task):
        call_at_home(task, tasks.Task.exception, task)


def is_elsewhere(task: Any) -> bool:
    """Whether it is the task of another worker, which may run now."""
    affinity = getattr(task, "affinity", None)
    if affinity is None:
        return False  # made by a program's own factory, or not for this loop
    loop: Any = task.get_loop()
    here = crews.current_worker()
    if here is None or here._loop is not loop:
        return loop.is_running()  # type: ignore[no-any-return]
    return _core().home_of(loop, affinity) not in (here.index, None)


def call_at_home(task: Any, callback: Callable[..., object], *args: Any) -> None:
    """Has something called on the task's worker."""
    context = copy_context()
    context.run(AFFINITY.set, task.affinity)
    task.get_loop().call_soon_threadsafe(callback, *args, context=context)
