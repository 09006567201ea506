"""Whether Python runs on one thread at a time, and who on a free-threaded build has it do so."""

from __future__ import annotations

import ctypes
import sys
import time
import warnings
from importlib.machinery import ExtensionFileLoader

_IS_FREE_THREADED = "t" in getattr(sys, "abiflags", "")

# PyModuleObject.md_gil (pycore_moduleobject.h of 3.13 and 3.14), behind the object's header and
# five pointers; its values are those of the slot Py_mod_gil.
_MD_GIL = object.__basicsize__ + 5 * ctypes.sizeof(ctypes.c_void_p)
_HAS_MD_GIL = sys.version_info[:2] in {(3, 13), (3, 14)}
_USED, _NOT_USED = 0, 1

# Seconds.
_LONGEST_IMPORT = 2.0
_PAUSE = 0.001


def is_enabled() -> bool:
    """Whether there is a GIL now."""
    return getattr(sys, "_is_gil_enabled", lambda: True)()


def stays_enabled() -> bool:
    """Whether there is a GIL for longer than the import of some module takes on another thread.

    CPython switches it on while it imports an extension module, and off again if that declares that
    it does without.
    """
    end = time.monotonic() + _LONGEST_IMPORT
    while is_enabled():
        if not _IS_FREE_THREADED or getattr(sys.flags, "gil", None) or _who_needs_it():
            return True
        if time.monotonic() > end:
            return True
        time.sleep(_PAUSE)
    return False


def warn_if_enabled(stack_level: int) -> None:
    """Says why several workers can't be had, on a build that could have them."""
    if not _IS_FREE_THREADED or not is_enabled():
        return
    if getattr(sys.flags, "gil", None):
        reason = "by PYTHON_GIL=1 or -X gil=1"
    else:
        names = ", ".join(_who_needs_it()) or "some extension module"
        reason = f"by the import of {names}, which does not declare that it works without it"
    warnings.warn(
        f"TokioLoop runs Python on one worker, for the GIL was switched on {reason}",
        RuntimeWarning,
        stacklevel=stack_level + 1,
    )


def _who_needs_it() -> list[str]:
    """The extension modules that don't declare that they do without."""
    if not _HAS_MD_GIL:
        return []
    found = {}
    for name, module in list(sys.modules.items()):
        loader = getattr(getattr(module, "__spec__", None), "loader", None)
        if isinstance(loader, ExtensionFileLoader):
            found[name] = ctypes.c_void_p.from_address(id(module) + _MD_GIL).value or _USED
    if not set(found.values()) <= {_USED, _NOT_USED}:
        return []  # it is somewhere else
    return sorted(name for name, gil in found.items() if gil == _USED)
