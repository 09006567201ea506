"""Two that want the same signals: the JVM and faulthandler.

The JVM lives on faults. Compiled Java code doesn't test references for null and doesn't ask
whether a garbage collection waits: it touches a page that is protected in that case, and the JVM's
handler of SIGSEGV puts things right. ``faulthandler.enable()`` and ``signal.signal`` replace that
handler. If Python calls them before Java starts, all is well: the JVM remembers whom it replaced,
and calls it for a fault that is not its own. If Python calls them afterwards, the next null in
Java is the end.

So they are made to believe that Java isn't there: they are wrapped, and what they install is put
behind the JVM's (``fault_chain.py``). Then a real crash goes to the JVM, which finds that it is not
its own, to faulthandler, which prints, restores what *it* replaced (the default action; otherwise
the two would call each other for ever) and dies of the same signal as without Java.

Where there is nobody behind it, the JVM would write a report about itself and die of SIGABRT. So
somebody always is: as long as the program doesn't enable faulthandler, it is enabled *mute*, with a
descriptor that can't be one. Its handler then just ends the process by the signal that came, be it
a fault's or another process's.

A program that preloads libjsig (``LD_PRELOAD``) has the order of handlers seen to by it.
"""

from __future__ import annotations

import faulthandler
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from types import ModuleType
from typing import Any

from . import alternate_stack
from .fault_chain import FAULTS, FaultChain
from .java_home import JavaHome

_Function = Callable[..., Any]
_Place = tuple[ModuleType, str]

# As they are now: tests of programs put mocks in their place for a while.
_BARE: dict[_Place, _Function] = {
    place: getattr(*place)
    for place in (
        (faulthandler, "enable"),
        (faulthandler, "disable"),
        (faulthandler, "is_enabled"),
        (signal, "signal"),
    )
}

_chain: FaultChain | None = None
_starting = threading.RLock()


@contextmanager
def kept(home: JavaHome) -> Iterator[None]:
    """Around the start of the JVM: what handled faults before Java goes on doing so."""
    global _chain  # noqa: PLW0603  # one virtual machine a process
    originals = {place: getattr(*place) for place in _BARE}
    with _starting:
        _put({place: _when_started(*place) for place in _BARE})
        try:
            chain = FaultChain(
                home.libjsig,
                _BARE[faulthandler, "enable"],
                _BARE[faulthandler, "disable"],
                _BARE[faulthandler, "is_enabled"],
            )
            with chain.starting():
                yield
        except BaseException:
            _put(originals)
            raise
        if chain.is_heard:
            alternate_stack.provide()
        _chain = chain
        _put({place: _wrapped(chain, place, original) for place, original in originals.items()})


def verify() -> None:
    """Puts the JVM in front again where CPython got there by a way that isn't wrapped.

    Such ways are functions of ``faulthandler`` and ``signal`` by names bound before Java started,
    and those that a mock, there while Java started, gave way to.
    """
    if _chain is not None:
        for place, bare in _BARE.items():
            if getattr(*place) is bare:
                _put({place: _wrapped(_chain, place, bare)})
        _chain.verify()


def _put(functions: dict[_Place, _Function]) -> None:
    for place, function in functions.items():
        setattr(*place, function)


def _wrapped(chain: FaultChain, place: _Place, function: _Function) -> _Function:
    return _WRAPPERS[place[1]](chain, function)


def _when_started(module: ModuleType, name: str) -> _Function:
    """Another thread's call while the JVM starts; it would take the handlers from under it."""

    @wraps(getattr(module, name))
    def wait(*args: Any, **kwargs: Any) -> Any:
        with _starting:
            pass
        return getattr(module, name)(*args, **kwargs)

    return wait


def _enable(chain: FaultChain, enable: _Function) -> _Function:
    kept_open: list[Any] = []

    @wraps(enable)
    def enable_behind_jvm(file: Any = None, *args: Any, **kwargs: Any) -> None:
        stream = sys.stderr if file is None else file
        descriptor = stream
        if hasattr(stream, "fileno"):
            # Here and not by the original, which would run Python code while the JVM is off.
            stream.flush()
            descriptor = stream.fileno()
        chain.enable(descriptor, *args, **kwargs)
        alternate_stack.provide()
        kept_open[:] = [stream]

    return enable_behind_jvm


def _disable(chain: FaultChain, disable: _Function) -> _Function:
    @wraps(disable)
    def disable_behind_jvm() -> bool:
        return chain.disable()

    return disable_behind_jvm


def _is_enabled(chain: FaultChain, is_enabled: _Function) -> _Function:
    @wraps(is_enabled)
    def is_heard() -> bool:
        return chain.is_heard

    return is_heard


def _signal(chain: FaultChain, signal_: _Function) -> _Function:
    @wraps(signal_)
    def signal_behind_jvm(signalnum: Any, handler: Any) -> Any:
        # Put behind it afterwards: the original may run Python's handlers of other signals first.
        replaced = signal_(signalnum, handler)
        if signalnum in FAULTS:
            chain.verify()
        return replaced

    return signal_behind_jvm


_WRAPPERS: dict[str, Callable[[FaultChain, _Function], _Function]] = {
    "enable": _enable,
    "disable": _disable,
    "is_enabled": _is_enabled,
    "signal": _signal,
}
