"""Handles: real ``asyncio.Handle`` and ``asyncio.TimerHandle`` objects whose call Java keeps.

Imported by Java as it starts; it needs ``rloop._core``.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from contextvars import Context
from typing import Any

from rloop import _core

_PAUSE = 0.001  # seconds


class _Call:
    """What the standard library keeps in three slots, read from the one tuple of the call."""

    __slots__ = ()

    _get_call: Callable[[], tuple[Any, ...] | None]

    @property
    def _context(self) -> Context | None:
        call = self._get_call()
        return None if call is None else call[0]

    @property
    def _callback(self) -> Callable[..., object] | None:
        call = self._get_call()
        return None if call is None else call[1]

    @property
    def _args(self) -> tuple[Any, ...] | None:
        call = self._get_call()
        return None if call is None else call[2:]


class Handle(_Call, _core.Handle):  # type: ignore[misc] # plain attributes in asyncio
    """What ``call_soon`` returns."""

    __slots__ = ()

    if sys.version_info >= (3, 14):
        # Handles of call_soon_threadsafe have a lock there, held while the callback runs. Here who
        # is so late looks again and again; a lock would cost each call more than it is worth.

        def cancel(self) -> None:
            """Keeps the callback from being run; waits while another thread runs it."""
            self._wait_while_another_thread_runs_it()
            super().cancel()

        def cancelled(self) -> bool:
            """Whether it was cancelled; waits while another thread runs the callback."""
            self._wait_while_another_thread_runs_it()
            return super().cancelled()

        def _wait_while_another_thread_runs_it(self) -> None:
            while self._runs_elsewhere():
                time.sleep(_PAUSE)


class TimerHandle(_Call, _core.TimerHandle):  # type: ignore[misc] # as above
    """What ``call_later`` and ``call_at`` return."""

    __slots__ = ()

    @property
    def _when(self) -> float:
        return self._get_when()


def run(handle: asyncio.Handle) -> None:
    """Runs a handle as the standard library's loop does, errors included."""
    if not handle.cancelled():
        handle._run()
    del handle  # the traceback of an exception that is kept refers to this frame


def send_home(handle: asyncio.Handle) -> None:
    """Runs a handle where its context says by now: on another worker than where it was set."""
    if not handle.cancelled():
        handle._loop.call_soon(_run_entered, handle, context=handle._context)  # type: ignore[attr-defined]


def _run_entered(handle: asyncio.Handle) -> None:
    """Runs a handle in whose context this is called."""
    if not handle.cancelled():
        handle._callback(*handle._args)  # type: ignore[attr-defined]
