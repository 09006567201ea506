"""The scheduling methods for calls that name more arguments than ``context``, or lack one.

Java takes the usual form of such a call apart by itself, and leaves the rest, with its errors, to
Python.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Any


def call_soon(
    self: asyncio.AbstractEventLoop,
    callback: Callable[..., object],
    *args: Any,
    context: Context | None = None,
) -> asyncio.Handle:
    """As the method of that name."""
    return self.call_soon(callback, *args, context=context)


def call_soon_threadsafe(
    self: asyncio.AbstractEventLoop,
    callback: Callable[..., object],
    *args: Any,
    context: Context | None = None,
) -> asyncio.Handle:
    """As the method of that name."""
    return self.call_soon_threadsafe(callback, *args, context=context)


def call_later(
    self: asyncio.AbstractEventLoop,
    delay: float,
    callback: Callable[..., object],
    *args: Any,
    context: Context | None = None,
) -> asyncio.TimerHandle:
    """As the method of that name; by the loop's own clock, which need not be Java's."""
    if delay is None:
        raise TypeError("delay must not be None")
    return self.call_at(self.time() + delay, callback, *args, context=context)


def call_at(
    self: asyncio.AbstractEventLoop,
    when: float,
    callback: Callable[..., object],
    *args: Any,
    context: Context | None = None,
) -> asyncio.TimerHandle:
    """As the method of that name."""
    return self.call_at(when, callback, *args, context=context)
