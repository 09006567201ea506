"""Two that want the same signals: the JVM and faulthandler.

The JVM lives on faults. Compiled Java code doesn't test references for null and doesn't ask
whether a garbage collection waits: it touches a page that is protected in that case, and the JVM's
handler of SIGSEGV puts things right. ``faulthandler.enable()`` replaces that handler by one that
prints a traceback and dies. If Python calls it before Java starts, all is well: the JVM remembers
whom it replaced, and calls it for a fault that is not its own. If Python calls it afterwards, the
next null in Java is the end.

So faulthandler is made to believe that Java isn't there. Its functions are wrapped: take the JVM's
handlers off and put back those from before it; call the original; put the JVM's in front again,
and tell the JVM whom they replaced. Then a real crash goes to the JVM, which finds that it is not
its own, to faulthandler, which prints, restores what *it* replaced (the default action, thanks to
the first step; otherwise the two would call each other for ever) and dies of the same signal as
without Java.

How the JVM is told: by its library libjsig, which is loaded before the JVM. What is installed
through it between ``JVM_begin_signal_setting`` and ``JVM_end_signal_setting`` counts as the JVM's,
and what that replaced is what the JVM calls for faults not its own. A program that preloads
libjsig (``LD_PRELOAD``) has all of this done by it.

For the few microseconds without the JVM's handlers nothing else may run Java. The steps are C
functions called by a C loop, so that the GIL cannot change hands between them. Where there is no
GIL, the first step stops the world, as Python's cycle collector does, and the last one starts it.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from operator import call
from typing import Any

from . import sigaction
from .java_home import JavaHome
from .sigaction import Action

_FAULTS = (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL)

_chain: _Chain | None = None
_starting = threading.RLock()


@contextmanager
def kept(home: JavaHome) -> Iterator[None]:
    """Around the start of the JVM: what handled faults before Java goes on doing so."""
    global _chain  # noqa: PLW0603  # one virtual machine a process
    if hasattr(ctypes.PyDLL(None), "JVM_get_signal_action"):  # libjsig is preloaded
        yield
        return
    enable, disable = faulthandler.enable, faulthandler.disable
    with _starting:
        faulthandler.enable = _when_started(enable)
        faulthandler.disable = _when_started(disable)
        try:
            libjsig = _load(home.libjsig)
            behind = _actions()
            yield
        except BaseException:
            faulthandler.enable, faulthandler.disable = enable, disable
            raise
        _chain = _Chain(libjsig, _actions(), behind)
        faulthandler.enable = _enable_behind(_chain, enable)
        faulthandler.disable = _disable_behind(_chain, disable)


def _when_started(function: Callable[..., Any]) -> Callable[..., Any]:
    """Another thread's call while the JVM starts; it would take the handlers from under it."""

    @wraps(function)
    def wait(*args: Any, **kwargs: Any) -> Any:
        with _starting:
            pass
        return getattr(faulthandler, function.__name__)(*args, **kwargs)

    return wait


def verify() -> None:
    """Puts the JVM in front again where CPython got there by a way that isn't wrapped.

    Such ways are ``from faulthandler import enable`` before Java started, and ``signal.signal``.
    """
    if _chain is not None:
        _chain.verify()


class _Chain:
    """The JVM's handlers in front, behind them those that it calls for faults not its own."""

    def __init__(
        self, libjsig: ctypes.CDLL | None, front: dict[int, Action], behind: dict[int, Action]
    ) -> None:
        self._libjsig = libjsig
        self._front = front
        self._behind = behind

    def call_without_jvm(self, function: Callable[[], object]) -> Any:
        """Calls a C function that sees, and may change, the handlers as if there were no JVM."""
        take_off = [sigaction.putting(*item) for item in self._behind.items()]
        look_behind = [sigaction.getting(*item) for item in self._behind.items()]
        before: list[Callable[[], object]] = [*_world("Stop"), *take_off]
        after = [*self._putting_in_front(_FAULTS), *_world("Start")]
        steps = _calls(*before, function, *look_behind, *after)
        steps_after_failure = _calls(*after)  # made now: the world stands still by then
        try:
            return list(steps)[len(before)]
        except BaseException:
            list(steps_after_failure)
            raise

    def verify(self) -> None:
        """What CPython put in front, unasked, goes behind."""
        unasked = {
            signum: action
            for signum, action in _actions().items()
            if sigaction.handler(action) != sigaction.handler(self._front[signum])
            and _is_in_cpython(sigaction.handler(action))
        }
        if unasked:
            # It will give the fault back to the JVM, whom it replaced; being called but once, it
            # does not get it again, and the JVM ends the process.
            once = [sigaction.putting(signum, sigaction.once(a)) for signum, a in unasked.items()]
            put_in_front = self._putting_in_front(unasked)
            list(_calls(*_world("Stop"), *once, *put_in_front, *_world("Start")))

    def _putting_in_front(self, signums: Iterable[int]) -> list[Callable[[], object]]:
        """The calls that install the JVM's handlers; it learns whom they replace, for its chain."""
        if self._libjsig is None:
            # The replaced ones are lost, but Java works.
            return [sigaction.putting(signum, self._front[signum]) for signum in signums]
        return [
            self._libjsig.JVM_begin_signal_setting,
            *(partial(self._libjsig.sigaction, n, self._front[n], None) for n in signums),
            self._libjsig.JVM_end_signal_setting,
        ]


def _enable_behind(chain: _Chain, enable: Callable[..., None]) -> Callable[..., None]:
    kept_open: list[Any] = []

    @wraps(enable)
    def enable_behind_jvm(file: Any = None, *args: Any, **kwargs: Any) -> None:
        stream = sys.stderr if file is None else file
        descriptor = stream
        if hasattr(stream, "fileno"):
            # Here and not by the original, which would run Python code while the JVM is off.
            stream.flush()
            descriptor = stream.fileno()
        chain.call_without_jvm(partial(enable, descriptor, *args, **kwargs))
        kept_open[:] = [stream]

    return enable_behind_jvm


def _disable_behind(chain: _Chain, disable: Callable[[], Any]) -> Callable[[], Any]:
    @wraps(disable)
    def disable_behind_jvm() -> Any:
        return chain.call_without_jvm(disable)

    return disable_behind_jvm


def _load(libjsig: str) -> ctypes.CDLL | None:
    if not os.path.exists(libjsig):
        return None
    library = ctypes.PyDLL(libjsig, mode=ctypes.RTLD_GLOBAL)  # global: so the JVM finds it
    library.sigaction.argtypes = sigaction.ARGUMENTS
    return library


def _actions() -> dict[int, Action]:
    return {signum: sigaction.get(signum) for signum in _FAULTS}


def _calls(*steps: Callable[[], object]) -> Iterator[object]:
    """Calls C functions when a C loop consumes it: no other Python thread runs meanwhile."""
    return map(call, steps)


def _world(verb: str) -> list[Callable[[], object]]:
    """The call that stops or starts all other Python threads; none where the GIL does that."""
    function = getattr(ctypes.pythonapi, f"_PyEval_{verb}TheWorld", None)
    if function is None or getattr(sys, "_is_gil_enabled", lambda: True)():
        return []
    return [partial(function, ctypes.c_void_p(ctypes.pythonapi.PyInterpreterState_Main()))]


class _SymbolInfo(ctypes.Structure):
    """Dl_info of <dlfcn.h>."""

    _fields_ = (
        ("file", ctypes.c_char_p),
        ("base", ctypes.c_void_p),
        ("symbol", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    )


def _is_in_cpython(function: int) -> bool:
    known = ctypes.cast(ctypes.pythonapi.Py_IsInitialized, ctypes.c_void_p).value
    return bool(function) and _library_base(function) == _library_base(known)


def _library_base(address: int | None) -> int | None:
    info = _SymbolInfo()
    dladdr = ctypes.PyDLL(None).dladdr
    dladdr.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
    base: int | None = info.base if dladdr(address, ctypes.byref(info)) else None
    return base
