"""What is left of asyncio's selector: the answer to who waits for which descriptor.

The standard library's transports (over terminals, over FIFOs for both directions, of datagrams of
rare families) ask for it in their ``repr``.
"""

from __future__ import annotations

import selectors
import weakref
from typing import Protocol


class _Watcher(Protocol):
    def _watched(self, fd: int, /) -> int: ...


class Watches:
    """Stands where the standard library keeps a loop's selector."""

    def __init__(self, loop: _Watcher) -> None:
        """Doesn't keep the loop alive."""
        self._loop: _Watcher = weakref.proxy(loop)

    def get_key(self, fd: int) -> selectors.SelectorKey:
        """Raises KeyError if nobody waits for the descriptor."""
        events = self._loop._watched(fd)
        if not events:
            raise KeyError(f"{fd} is not watched")
        return selectors.SelectorKey(fd, fd, events, None)

    def select(self, _: float | None = None) -> tuple[()]:
        """Finds nothing: Java waits when the calls are asked for (``nesting.py``)."""
        return ()

    def close(self) -> None:
        """Does nothing: Java closes the poller."""
