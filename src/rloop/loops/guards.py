"""Guards: locks that make asyncio's primitives right for tasks on several workers.

A ``Lock`` or a ``Queue`` of asyncio's assumes that nothing comes in between while one of its
methods runs, up to where it suspends. So each object has a guard, which is held during a step of
its methods, and not while they wait: a coroutine method is driven step by step, and each version's
own code stays.

A guard never waits for user code. It may be held while a future's result is set: that schedules
callbacks on other workers, for which CPython and Java lock for a moment, and a thread that waits
for those locks gives up all others of their kind. Guards of several objects are taken from the
outside to the inside (a queue, its event), and again by whoever holds them, such as a finaliser.

A future that a guarded method waits for is cancelled by its own task, whenever that likes, and the
method that wakes it asks ``done()`` first: so such a future, a ``Waiter``, takes the guard as well
to be cancelled.
"""

from __future__ import annotations

import functools
import threading
import types
from asyncio import futures
from collections.abc import Callable, Coroutine, Generator
from typing import Any


def guard_of(guarded: Any) -> threading.RLock:
    """The guard of an object; made when somebody first asks."""
    try:
        return guarded._rloop_guard  # type: ignore[no-any-return]
    except AttributeError:
        guard = threading.RLock()
        return guarded.__dict__.setdefault("_rloop_guard", guard)  # type: ignore[no-any-return]


def guarded(original: Callable[..., Any]) -> Callable[..., Any]:
    """A method that holds the guard."""

    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        with guard_of(self):
            return original(self, *args, **kwargs)

    return method


def guarded_coroutine(original: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    """A coroutine method that holds the guard whenever it runs."""

    @functools.wraps(original)
    async def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return await steps(guard_of(self), original(self, *args, **kwargs))

    return method


@types.coroutine
def steps(guard: threading.RLock, coro: Coroutine[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """Awaits a coroutine, each step of it with the guard."""
    step: Callable[..., Any] = coro.send
    argument: Any = None
    while True:
        with guard:
            try:
                yielded = step(argument)
            except StopIteration as stop:
                return stop.value
            finally:
                argument = None  # an exception's traceback refers to this frame
        try:
            argument = yield yielded
            step = coro.send
        except GeneratorExit:
            with guard:
                coro.close()
            raise
        except BaseException as exc:  # the coroutine's, whatever it is
            step, argument = coro.throw, exc


class Waiter(futures.Future[Any]):
    """What a guarded method waits for."""

    __slots__ = ("guard",)
    guard: threading.RLock

    def cancel(self, msg: Any | None = None) -> bool:
        """As of any future."""
        with self.guard:
            return super().cancel(msg)


class WaiterLoop:
    """A loop whose futures are the waiters of one guard."""

    def __init__(self, loop: Any, guard: threading.RLock) -> None:
        """For as long as a method needs it."""
        self._loop = loop
        self._guard = guard

    def create_future(self) -> Waiter:
        """A new waiter."""
        waiter = Waiter(loop=self._loop)
        waiter.guard = self._guard
        return waiter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)
