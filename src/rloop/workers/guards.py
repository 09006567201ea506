"""Guards: locks that make asyncio's primitives right for tasks on several workers.

A ``Lock`` or a ``Queue`` of asyncio's assumes that nothing comes in between while one of its
methods runs, up to where it suspends. So each object has a guard, which is held while its methods
run, and not while they wait; each version's own code stays. A coroutine method takes the guard when
it begins, and what it waits for gives the guard up meanwhile (``LettingWaiter``). One that waits
for other guarded objects is driven step by step (``steps``).

A guard never waits for user code. It may be held while a future's result is set: that schedules
callbacks on other workers, for which CPython and Java lock for a moment, and a thread that waits
for those locks gives up all others of their kind. Guards of several objects are taken from the
outside to the inside (a queue, its event), and again by whoever holds them, such as a finaliser.

A future that a guarded method waits for is cancelled by its own task, whenever that likes, and the
method that wakes it asks ``done()`` first: so such a future, a ``Waiter``, takes the guard as well
to be cancelled.

Guards are acquired and released by name: on free-threaded builds ``with`` takes twice as long.
"""

from __future__ import annotations

import functools
import threading
import types
from asyncio import futures
from collections.abc import Callable, Coroutine, Generator
from typing import Any

from .same_signature import wrapper


def guard_of(guarded: Any) -> threading.RLock:
    """The guard of an object; made when somebody first asks."""
    try:
        return guarded._rloop_guard  # type: ignore[no-any-return]
    except AttributeError:
        guard = threading.RLock()
        return guarded.__dict__.setdefault("_rloop_guard", guard)  # type: ignore[no-any-return]


_TAKE = """
def wrapper{parameters}:
    try:
        guard = {self}._rloop_guard
    except AttributeError:
        guard = guard_of({self})
    guard.acquire()
"""
_METHOD = f"""{_TAKE}
    try:
        return original({{arguments}})
    finally:
        guard.release()
"""

# A coroutine that ends by a GeneratorExit has waited for something, and has let the guard go: who
# has thrown that may be a collection of garbage, on any thread and in any order.
_COROUTINE_METHOD = f"""async {_TAKE.lstrip()}
    try:
        result = await original({{arguments}})
    except GeneratorExit:
        raise
    except BaseException:
        guard.release()
        raise
    guard.release()
    return result
"""


def guarded(original: Callable[..., Any]) -> Callable[..., Any]:
    """A method that holds the guard."""
    return wrapper(original, _METHOD, {"guard_of": guard_of})  # type: ignore[no-any-return]


def guarded_coroutine(original: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    """A coroutine method that holds the guard, but for what it waits for, which lets it go."""
    return wrapper(original, _COROUTINE_METHOD, {"guard_of": guard_of})  # type: ignore[no-any-return]


def driven_coroutine(original: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    """A coroutine method that holds the guard in each of its steps, whatever it waits for."""

    @functools.wraps(original)
    async def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return await steps(guard_of(self), original(self, *args, **kwargs))

    return method


def waiting_coroutine(original: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Any]:
    """A coroutine method, of guarded ones as a rule, that lets the guard go while it waits."""

    @functools.wraps(original)
    async def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        guard = guard_of(self)
        guard.acquire()
        try:
            result = await _letting_go(guard, original(self, *args, **kwargs))
        except GeneratorExit:  # it has let the guard go
            raise
        except BaseException:
            guard.release()
            raise
        guard.release()
        return result

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


@types.coroutine
def _letting_go(guard: Any, coro: Coroutine[Any, Any, Any]) -> Generator[Any, Any, Any]:
    """Awaits a coroutine, with the guard that it has, but for the time between its steps."""
    step: Callable[..., Any] = coro.send
    argument: Any = None
    while True:
        try:
            yielded = step(argument)
        except StopIteration as stop:
            return stop.value
        finally:
            argument = None
        held = guard._release_save()
        try:
            argument = yield yielded
            step = coro.send
        except GeneratorExit:
            coro.close()
            raise
        except BaseException as exc:  # the coroutine's, whatever it is
            step, argument = coro.throw, exc
        guard._acquire_restore(held)


class Waiter(futures.Future[Any]):
    """What a method that is driven waits for."""

    __slots__ = ("guard",)
    guard: Any

    def cancel(self, msg: Any | None = None) -> bool:
        """As of any future."""
        with self.guard:
            return super().cancel(msg)


class LettingWaiter(Waiter):
    """What a method waits for that holds the guard: it is let go meanwhile."""

    __slots__ = ()

    def __await__(self) -> Generator[Any, Any, Any]:
        """As of any future."""
        guard = self.guard
        if not guard._is_owned():  # a subclass's own method waits
            return (yield from super().__await__())
        held = guard._release_save()  # also if it was taken more than once
        try:
            result = yield from super().__await__()
        except GeneratorExit:
            raise
        except BaseException:
            guard._acquire_restore(held)
            raise
        guard._acquire_restore(held)
        return result

    __iter__ = __await__


class WaiterLoop:
    """A loop whose futures are the waiters of one guard."""

    def __init__(self, loop: Any, kind: type[Waiter], guard: Any) -> None:
        """For as long as a method needs it."""
        self._loop = loop
        self._kind = kind
        self._guard = guard

    def create_future(self) -> Waiter:
        """A new waiter."""
        waiter = self._kind(loop=self._loop)
        waiter.guard = self._guard
        return waiter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)
