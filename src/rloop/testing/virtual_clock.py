"""A clock for tests: an hour's sleep takes no time, and nothing happens earlier than it should.

It puts a ``select`` of its own into ``loop._selector``, as others do (``loops/watches.py``). So it
serves the standard library's loops as well as ours.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any
from unittest import mock


class VirtualClock:
    """Time that passes only when nothing is ready: it then jumps to the next timer.

    A context manager for the running loop, or for the loop given. What the loop can do now it does
    first, I/O included; jobs of executors, looking up a host name for instance, are waited for. Of
    what other processes and threads are about to send nothing is known: ``patience`` is how many
    real seconds they get before each jump.

    Within it ``loop.time()`` begins at ``start``. Timers that are left afterwards are then the real
    clock's, and mostly late.
    """

    def __init__(
        self,
        start: float = 0.0,
        *,
        loop: asyncio.AbstractEventLoop | None = None,
        patience: float = 0.0,
    ) -> None:
        self._now = start
        self._loop = loop
        self._patience = patience
        self._jobs: weakref.WeakSet[asyncio.Future[Any]] = weakref.WeakSet()
        self._patches = ExitStack()

    def time(self) -> float:
        """What time it is: seconds, as ``loop.time()``."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Lets time pass though something may be ready; timers that are due run in their order."""
        if seconds < 0:
            raise ValueError(f"time does not go back: {seconds} seconds")
        self._now += seconds

    def __enter__(self) -> VirtualClock:
        loop: Any = self._loop or asyncio.get_running_loop()
        if not hasattr(loop, "_selector"):
            raise TypeError(
                f"expected a loop of rloop's or of asyncio's with a selector, not {loop}"
            )
        if isinstance(getattr(loop.time, "__self__", None), VirtualClock):
            raise RuntimeError("the loop has a virtual clock already")
        self._wait = loop._selector.select
        self._run = loop.run_in_executor
        with ExitStack() as patches:
            for owner, name, replacement in (
                (loop._selector, "select", self._select),
                (loop, "run_in_executor", self._run_in_executor),
                (loop, "time", self.time),
            ):
                patches.enter_context(mock.patch.object(owner, name, replacement))
            self._patches = patches.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._patches.close()

    def _run_in_executor(self, *args: Any, **kwargs: Any) -> Any:
        job = self._run(*args, **kwargs)
        if isinstance(job, asyncio.Future):
            self._jobs.add(job)
        return job

    def _select(self, timeout: float | None = None) -> Sequence[Any]:
        """In the place of the selector's ``select``."""
        found: Sequence[Any] = self._wait(0)
        if found or timeout == 0:
            return found
        if timeout is None:
            return self._wait(None)  # type: ignore[no-any-return]
        is_working = any(not job.done() for job in self._jobs)
        real = timeout if is_working else min(timeout, self._patience)
        if real > 0:
            found = self._wait(real)
        if not found:
            self._now += timeout
        return found
