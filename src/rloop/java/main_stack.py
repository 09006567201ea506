"""The main thread's stack, as far as it may grow.

The system makes it grow with each access to what is below it, down to a limit; at the limit stand
the JVM's guard pages. If C code steps over the rest onto them, the JVM takes them away, to let the
thread finish: then the stack does not grow onto what it has next to it any more, and a handler of
the JVM that runs on an alternate stack takes the same fault for ever. So before there is such a
handler the stack is given all of its addresses; memory it takes only where it is used.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import resource

# More is not reserved: it may count as memory that is in use.
_MOST_BYTES = 64 << 20

# The guard pages are four, of 4 KiB at least.
_MOST_GUARD_PAGES = 64

_EXISTS = 0  # F_OK of <unistd.h>


def is_whole() -> bool:
    """Gives the stack what is above the guard pages, and tells whether it has it."""
    limit, _ = resource.getrlimit(resource.RLIMIT_STACK)
    top = _top()
    if top == 0 or not 0 < limit <= _MOST_BYTES:
        return False
    lowest = top - limit
    last = lowest + _MOST_GUARD_PAGES * mmap.PAGESIZE
    return any(map(_is_accessible, range(lowest, last, mmap.PAGESIZE)))


def _top() -> int:
    try:
        with open("/proc/self/maps") as maps:
            for line in maps:
                if line.endswith("[stack]\n"):
                    return int(line.split()[0].partition("-")[2], 16)
    except OSError:
        pass  # another system, or none that tells
    return 0


def _is_accessible(address: int) -> bool:
    """Has the system read there, which makes the stack grow, and is no fault where it can't."""
    access = ctypes.CDLL(None, use_errno=True).access
    access.argtypes = (ctypes.c_void_p, ctypes.c_int)
    ctypes.set_errno(0)
    access(address, _EXISTS)  # as a path, whatever it says
    return ctypes.get_errno() != errno.EFAULT
