"""The handlers of signals as the system has them, beneath Python's ``signal`` module.

Python's module knows what Python installed. The JVM and faulthandler install theirs by the system
call, so that is where their handlers are seen, saved and put back.
"""

from __future__ import annotations

import ctypes
import signal
import sys
from functools import partial

# An action is kept as it came, without a look inside. No system's struct sigaction is larger:
# Linux has 152 bytes, macOS 16.
_STRUCT_BYTES = 256

# Where sa_flags is: after the handler and the mask, which has 128 bytes on Linux and 4 on macOS.
_FLAGS_OFFSET = 12 if sys.platform == "darwin" else 136

# "On the thread's alternate stack, if it has one", from <signal.h>.
_SA_ONSTACK = 0x1 if sys.platform == "darwin" else 0x08000000

Action = ctypes.Array[ctypes.c_char]


class _SymbolInfo(ctypes.Structure):
    """Dl_info of <dlfcn.h>."""

    _fields_ = (
        ("file", ctypes.c_char_p),
        ("base", ctypes.c_void_p),
        ("symbol", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    )


# int sigaction(int signum, const struct sigaction *new, struct sigaction *old)
ARGUMENTS = (ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)

_system = ctypes.PyDLL(None).sigaction
_system.argtypes = ARGUMENTS


def get(signum: int) -> Action:
    """What the system does when the signal arrives."""
    action = new_action()
    getting(signum, action)()
    return action


def put(signum: int, action: Action) -> None:
    """Makes it what the system does when the signal arrives."""
    putting(signum, action)()


def new_action() -> Action:
    """The default action, and room for another one."""
    return ctypes.create_string_buffer(_STRUCT_BYTES)


def getting(signum: int, action: Action) -> partial[int]:
    """The call that fills in the action, for later."""
    return partial(_system, signum, None, action)


def putting(signum: int, action: Action) -> partial[int]:
    """The call that installs the action, for later."""
    return partial(_system, signum, action, None)


def handler(action: Action) -> int:
    """The address of the function that is called; the first field on every system."""
    return ctypes.c_size_t.from_buffer(action).value


def is_function(action: Action) -> bool:
    """Whether a handler is called, and not the default action taken, or none."""
    return handler(action) not in (signal.SIG_DFL, signal.SIG_IGN)


def on_alternate_stack(action: Action) -> Action:
    """A copy whose handler is called even when the thread has no stack left."""
    copy = ctypes.create_string_buffer(action.raw, _STRUCT_BYTES)
    ctypes.c_uint.from_buffer(copy, _FLAGS_OFFSET).value |= _SA_ONSTACK
    return copy


def library_base(address: int | None) -> int | None:
    """Where the library begins that an address is in; None if it is in none."""
    info = _SymbolInfo()
    dladdr = ctypes.PyDLL(None).dladdr
    dladdr.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
    base: int | None = info.base if dladdr(address, ctypes.byref(info)) else None
    return base
