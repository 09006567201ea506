"""Another Java virtual machine in this process, which JPype or pyjnius started before us.

A process can have one of each library. A second one of the same library is refused by the first;
two libraries get mixed up, since the dynamic linker knows them by the same name: what belongs to
the second one is linked to the first. So ours must be the first to be loaded. (Those that come
after it work, or are refused by it.)
"""

from __future__ import annotations

import ctypes
import os
import signal

from rloop.errors import JavaStartError

from . import sigaction

_NAME = b"/libjvm.so"


class _LoadedLibrary(ctypes.Structure):
    """The beginning of dl_phdr_info of <link.h>."""

    _fields_ = (("address", ctypes.c_void_p), ("name", ctypes.c_char_p))


_Visitor = ctypes.PYFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(_LoadedLibrary), ctypes.c_size_t, ctypes.c_void_p
)


def refuse(libjvm: str) -> None:
    """Raises a JavaStartError if there is one beside ours, or one that was made with ours."""
    for path in _loaded():
        if not _is_same(path, libjvm):
            found = f"the library of another Java is loaded in this process already ({path})"
        elif _has_started(path):
            found = f"a Java virtual machine runs, or has run, in this process already ({path})"
        else:
            continue
        raise JavaStartError(
            f"{found}, by something else, such as JPype or pyjnius, and rloop needs one of its "
            "own: make rloop's first loop before that one starts, or use two processes"
        )


def _loaded() -> list[str]:
    """The paths of all libraries named libjvm that are loaded."""
    visit_all = getattr(ctypes.PyDLL(None), "dl_iterate_phdr", None)
    if visit_all is None:  # macOS
        return []
    found = []

    def visit(library: ctypes._Pointer[_LoadedLibrary], size: int, data: int | None) -> int:
        path = library.contents.name or b""
        if path.endswith(_NAME):
            found.append(os.fsdecode(path))
        return 0

    visit_all(_Visitor(visit), None)
    return found


def _is_same(path: str, libjvm: str) -> bool:
    try:
        return os.path.samefile(path, libjvm)
    except OSError:
        return False  # it was replaced since then


def _has_started(path: str) -> bool:
    try:
        library = ctypes.PyDLL(path, mode=os.RTLD_NOLOAD | os.RTLD_NOW)
    except OSError:
        return False  # not loaded (any more)
    vm, count = ctypes.c_void_p(), ctypes.c_int()
    library.JNI_GetCreatedJavaVMs(ctypes.byref(vm), 1, ctypes.byref(count))
    return count.value > 0 or _has_left_handlers(library)


def _has_left_handlers(library: ctypes.CDLL) -> bool:
    """By which one shows that has ended. Where another is asked for then, who asks next hangs."""
    of_this_one = ctypes.cast(library.JNI_GetCreatedJavaVMs, ctypes.c_void_p)
    base = sigaction.library_base(of_this_one.value)
    return any(
        sigaction.is_function(action) and sigaction.library_base(sigaction.handler(action)) == base
        for action in map(sigaction.get, signal.valid_signals())
    )
