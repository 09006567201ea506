"""The scheduling methods for calls that name more arguments than ``context``, or lack one.

Java takes the usual form of such a call apart by itself, and leaves the rest, with its errors, to
Python; and the ``call_soon_threadsafe`` of other threads, whose handles have a lock since 3.14.
"""

from __future__ import annotations

import asyncio
from asyncio import events
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .loop import RLoop


def call_soon(
    self: RLoop, callback: Callable[..., object], *args: Any, context: Context | None = None
) -> asyncio.Handle:
    """As the method of that name."""
    return self.call_soon(callback, *args, context=context)


def call_soon_threadsafe(
    self: RLoop, callback: Callable[..., object], *args: Any, context: Context | None = None
) -> asyncio.Handle:
    """As the method of that name."""
    return self.call_soon_threadsafe(callback, *args, context=context)


def call_soon_elsewhere(
    self: RLoop, callback: Callable[..., object], *args: Any, context: Context | None = None
) -> asyncio.Handle:
    """As ``call_soon_threadsafe`` on another thread than the loop's.

    The standard library's handle keeps that thread from cancelling it while it runs: it waits.
    """
    handle: asyncio.Handle = events._ThreadSafeHandle(callback, args, self, context)
    if handle._source_traceback:
        del handle._source_traceback[-2:]  # this function, and the handle's constructor
    self._add_foreign_handle(handle)
    self._write_to_self()
    return handle


def call_later(
    self: RLoop,
    delay: float,
    callback: Callable[..., object],
    *args: Any,
    context: Context | None = None,
) -> asyncio.TimerHandle:
    """As the method of that name."""
    return self.call_later(delay, callback, *args, context=context)


def call_at(
    self: RLoop,
    when: float,
    callback: Callable[..., object],
    *args: Any,
    context: Context | None = None,
) -> asyncio.TimerHandle:
    """As the method of that name."""
    return self.call_at(when, callback, *args, context=context)
