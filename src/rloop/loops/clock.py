"""The loop's clock: Java's, unless a subclass or a test puts another one in its place.

Such a clock is asked where asyncio asks it: by ``call_later``, for how long to wait, and for which
timers are due. Java doesn't ask while it makes a batch, for no frame of its own may be on the stack
then; it is told the time. In the same way Python waits, where the selector's ``select`` is another
one (``watches.py``).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from .watches import Watches

Call = tuple[Any, ...]  # (context, callback, *arguments)


def _monotonic() -> float:
    """Seconds, as Java's ``System.nanoTime`` has them."""
    return time.monotonic()


class _ReplaceableMethod(property):
    """The loop's clock: seconds, as a number that only grows; ``loop.time()``, on any thread."""

    # A method for who reads it, it tells its object when it is replaced there.

    def __call__(self, loop: Clock) -> float:
        """For ``RLoop.time(loop)``."""
        return loop._clock()


class Clock(asyncio.SelectorEventLoop):
    """The part of the loop that knows the time."""

    __slots__ = ()

    if TYPE_CHECKING:
        # Made by Java
        _state: Iterable[Call | bool | None]
        _use_told_time: Callable[[bool], None]
        _tell_time: Callable[[float], None]
        _wait_in_python: Callable[[bool], None]
        _time_to_wait: Callable[[], float | None]
        # RLoop's
        _selector: Watches
        _tells_time: bool

    _clock: Callable[[], float] = staticmethod(_monotonic)
    _is_waiting_in_python = False

    def _set_clock(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._find_clock()

    def _delete_clock(self) -> None:
        del self._clock
        self._find_clock()

    time = _ReplaceableMethod(
        attrgetter("_clock"),
        _set_clock,
        _delete_clock,
        "Seconds on the clock that deadlines refer to.",
    )

    def _find_clock(self) -> None:
        """Looks whether it is another one than Java's, and whether Java waits."""
        has_other_clock = self._clock is not _monotonic or type(self).time is not Clock.time
        has_other_select = self._selector.replacement is not None
        self._tells_time = has_other_clock or has_other_select
        self._use_told_time(self._tells_time)
        self._wait_in_python(has_other_select)

    def _calls(self) -> Iterable[Call]:
        """The calls that Java hands out."""
        if not self._tells_time and type(self).time is not Clock.time:
            self._find_clock()  # the loop was given another class
        if self._tells_time:
            return self._calls_by_told_time()
        return self._state  # type: ignore[return-value]  # a None only where the time is told

    def _calls_by_told_time(self) -> Iterator[Call]:
        """Tells the time first, and whenever Java asks by a None; waits when it asks by a False.

        That is twice a batch: for how long to wait, and for which timers are due.
        """
        self._tell_time(self.time())
        for call in self._state:
            if call is None:
                self._tell_time(self.time())
            elif call is False:
                self._wait()
            else:
                yield call  # type: ignore[misc]  # Java never asks by True
                call = None  # noqa: PLW2901  # as in _run_calls

    def _wait(self) -> None:
        """Waits as somebody else's ``select`` does."""
        self._is_waiting_in_python = True
        try:
            self._selector.select(self._time_to_wait())
        finally:
            self._is_waiting_in_python = False
