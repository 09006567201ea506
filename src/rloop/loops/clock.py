"""The loop's clock: Java's, unless a subclass or a test puts another one in its place.

Such a clock is asked where asyncio asks it: by ``call_later``, for how long to wait, and for which
timers are due. Java doesn't ask while it makes a batch, for no frame of its own may be on the stack
then; it is told the time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import TYPE_CHECKING, Any

Call = tuple[Any, ...]  # (context, callback, *arguments)


def _monotonic() -> float:
    """Seconds, as Java's ``System.nanoTime`` has them."""
    return time.monotonic()


class _ReplaceableMethod(property):
    """What is a method for who reads it, and tells its object when it is replaced there."""

    def __call__(self, loop: Clock) -> float:
        """For ``RLoop.time(loop)``."""
        return loop._clock()


class Clock(asyncio.SelectorEventLoop):
    """The part of the loop that knows the time."""

    __slots__ = ()

    if TYPE_CHECKING:
        # Made by Java
        _state: Iterable[Call | None]
        _use_told_time: Callable[[bool], None]
        _tell_time: Callable[[float], None]

    _clock: Callable[[], float] = staticmethod(_monotonic)
    _tells_time = False

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
        """Looks whether it is another one than Java's."""
        self._tells_time = self._clock is not _monotonic or type(self).time is not Clock.time
        self._use_told_time(self._tells_time)

    def _calls(self) -> Iterable[Call]:
        """The calls that Java hands out."""
        if self._tells_time:
            return self._calls_by_told_time()
        return self._state  # type: ignore[return-value]  # a None only where the time is told

    def _calls_by_told_time(self) -> Iterator[Call]:
        """Tells the time first, and whenever Java asks by a None.

        That is twice a batch: for how long to wait, and for which timers are due.
        """
        self._tell_time(self.time())
        for call in self._state:
            if call is None:
                self._tell_time(self.time())
            else:
                yield call
                call = None  # noqa: PLW2901  # as in _run_calls
