"""The stack on which a thread's handlers run when its own is used up: sigaltstack(2)."""

from __future__ import annotations

import ctypes
import sys

# faulthandler's own is meant for faulthandler alone; here the JVM's handler runs beneath it.
_BYTES = 64 * 1024

_SS_DISABLE = 4 if sys.platform == "darwin" else 2  # from <signal.h>: the thread has none


class _Stack(ctypes.Structure):
    """stack_t of <signal.h>."""

    _fields_ = (
        (("base", ctypes.c_void_p), ("size", ctypes.c_size_t), ("flags", ctypes.c_int))
        if sys.platform == "darwin"
        else (("base", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))
    )


# A thread that has one may take a signal at any time until it ends, and isn't heard of then.
_in_use: list[ctypes.Array[ctypes.c_char]] = []


def provide() -> None:
    """Sees to it that the calling thread has one that is large enough."""
    sigaltstack = ctypes.PyDLL(None).sigaltstack
    sigaltstack.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
    present = _Stack()
    sigaltstack(None, ctypes.byref(present))
    if present.flags & _SS_DISABLE or present.size < _BYTES:
        memory = ctypes.create_string_buffer(_BYTES)
        _in_use.append(memory)
        sigaltstack(ctypes.byref(_Stack(base=ctypes.addressof(memory), size=_BYTES)), None)
