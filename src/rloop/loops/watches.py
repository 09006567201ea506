"""What is left of asyncio's selector: who waits for which descriptor, and a ``select`` to replace.

The standard library's transports (over terminals, over FIFOs for both directions, of datagrams of
rare families) ask for the first in their ``repr``. The other is what packages that travel in time
know of asyncio's loop: they put a ``select`` of their own into ``loop._selector``, which sets the
clock, and waits by the one that was there. As long as theirs is there, the loop calls it in each
iteration (``clock.py``).
"""

from __future__ import annotations

import selectors
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import asyncio

_Select = Callable[[float | None], Sequence[Any]]

# Stands for an event: of which file it is, Java knows.
_SOMETHING = (None, 0)


class _Watcher(Protocol):
    _is_waiting_in_python: bool
    _watchers: dict[asyncio.Handle, tuple[int, Any]]

    def _watched(self, fd: int, /) -> int: ...
    def _poll(self, timeout: float | None, /) -> bool: ...
    def _find_clock(self) -> None: ...


class Watches:
    """Stands where the standard library keeps a loop's selector."""

    def __init__(self, loop: _Watcher) -> None:
        """Doesn't keep the loop alive."""
        loop._watchers = {}  # changed by Java: it keeps what Java points to
        self._loop: _Watcher = weakref.proxy(loop)

    def get_key(self, fd: int) -> selectors.SelectorKey:
        """Raises KeyError if nobody waits for the descriptor."""
        events = self._loop._watched(fd)
        if not events:
            raise KeyError(f"{fd} is not watched")
        return selectors.SelectorKey(fd, fd, events, None)

    replacement: _Select | None = None  # somebody's select

    def _own_select(self, timeout: float | None = None) -> list[Any]:
        """Finds nothing unless the loop asks: as a rule Java waits when it makes a batch."""
        if self._loop._is_waiting_in_python and self._loop._poll(timeout):
            return [_SOMETHING]
        return []

    @property
    def select(self) -> _Select:
        """Waits for events."""
        return self.replacement or self._own_select

    @select.setter
    def select(self, replacement: _Select) -> None:
        self.replacement = replacement
        self._loop._find_clock()

    @select.deleter
    def select(self) -> None:
        del self.replacement
        self._loop._find_clock()

    def close(self) -> None:
        """Does nothing: Java closes the poller."""
