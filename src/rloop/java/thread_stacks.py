"""Threads with stacks that are too small for Java.

The JVM keeps some pages at the end of a stack for itself, and room for its own functions: a thread
with less than a hundred kilobytes that calls Java ends the process. Those that
``threading.stack_size`` makes smaller can call Java at any time, as by ``call_soon_threadsafe``. So
once Java runs none is made smaller. A loop in a thread that was is refused.
"""

from __future__ import annotations

import _thread
import ctypes
import threading

from rloop.errors import JavaStartError

LEAST_BYTES = 160 << 10

_ATTRIBUTES_BYTES = 256  # pthread_attr_t has 56 on Linux

_system = threading.stack_size
_requested = 0


def check() -> None:
    """Raises a JavaStartError if this thread's stack is too small for a loop."""
    size = _size_of_this_one()
    if size < LEAST_BYTES:
        raise JavaStartError(
            f"this thread has a stack of {size >> 10} KiB, and one that runs an rloop loop needs "
            f"{LEAST_BYTES >> 10}, for Java's part: give threading.stack_size() that much before "
            "the thread is started"
        )


def keep_large_enough() -> None:
    """From now on ``threading.stack_size`` makes none too small."""
    global _requested  # noqa: PLW0603
    if threading.stack_size is not stack_size:
        _requested = _system()
        stack_size(_requested)
        threading.stack_size = _thread.stack_size = stack_size


def stack_size(size: int = 0, /) -> int:
    """Does what ``threading.stack_size`` does, but that threads get what Java needs at least."""
    global _requested  # noqa: PLW0603
    before = _requested
    _system(size)
    _requested = size
    if 0 < size < LEAST_BYTES:
        _system(LEAST_BYTES)
    return before


def _size_of_this_one() -> int:
    """At least; main threads have enough."""
    c = ctypes.PyDLL(None)
    if threading.current_thread() is threading.main_thread() or not hasattr(
        c, "pthread_getattr_np"
    ):
        return LEAST_BYTES
    attributes = ctypes.create_string_buffer(_ATTRIBUTES_BYTES)
    start, size = ctypes.c_void_p(), ctypes.c_size_t()
    c.pthread_self.restype = ctypes.c_void_p
    if c.pthread_getattr_np(ctypes.c_void_p(c.pthread_self()), attributes) != 0:
        return LEAST_BYTES
    c.pthread_attr_getstack(attributes, ctypes.byref(start), ctypes.byref(size))
    c.pthread_attr_destroy(attributes)
    return size.value
