"""A thread for a call that may decide to end the process: then the thread is lost, and not more.

A JVM that cannot start prints why, calls its caller's *abort hook* and then ends the process; only
where the options are at fault does it return an error. The hook runs in the thread that made the
call. So that thread is nobody's: in the hook it says what has happened, and then waits for ever.
"""

from __future__ import annotations

# As they are now: gevent puts others in their place, which are none of the system's.
from _thread import allocate_lock, get_ident, stack_size, start_new_thread
from collections.abc import Callable
from functools import partial
from operator import call
from typing import NoReturn

from rloop.errors import JavaStartError

_STACK_BYTES = 8 << 20  # as much as most main threads have


class LosableThread:
    """A thread for one call; ``threading`` doesn't see it, nor do those who trace threads."""

    def __init__(self) -> None:
        self._over = allocate_lock()
        self._never = allocate_lock()
        self._ident: int | None = None
        self._failure: BaseException | None = None

    def run(self, function: Callable[[], None]) -> bool:
        """Whether the function returned; not if it was lost. What it raises is raised.

        Signals are to be blocked, so that nothing interrupts the waiting for it.
        """
        self._over.acquire()
        self._never.acquire()
        try:
            start_thread(partial(self._run, function), _STACK_BYTES)
        except RuntimeError as error:
            raise JavaStartError(f"rloop's Java needs threads, and none can be: {error}") from error
        self._over.acquire()
        if self._failure is not None:
            raise self._failure
        return self._ident is None

    def is_current(self) -> bool:
        """Whether the function is running, and in the thread that asks."""
        return self._ident == get_ident()

    def lose(self) -> NoReturn:
        """To be called on that thread, from within the function; the end of both."""
        self._over.release()
        while True:
            self._never.acquire()

    def _run(self, function: Callable[[], None]) -> None:
        self._ident = get_ident()
        try:
            function()
        except BaseException as failure:
            self._failure = failure
        self._ident = None
        self._over.release()


def start_thread(function: Callable[[], object], stack_bytes: int) -> None:
    """Starts a thread with a stack of this size, whatever ``threading.stack_size`` is."""
    usual = stack_size()
    steps = (
        partial(stack_size, stack_bytes),
        partial(start_new_thread, function, ()),
        partial(stack_size, usual),
    )
    try:
        list(map(call, steps))  # by a C loop: no thread of others gets this size
    finally:
        stack_size(usual)
