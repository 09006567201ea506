"""Who is called for a fault, one after the other.

From the front: what others have installed since Java started and know their own faults by the place
(wasmtime), the JVM, the program's own handler if it has one, faulthandler. Each calls the next for
what is not its own.

How the JVM is told whom to call: by its library libjsig, which is loaded before the JVM. What is
installed through it between ``JVM_begin_signal_setting`` and ``JVM_end_signal_setting`` counts as
the JVM's, and what that replaced is what the JVM calls for faults not its own.

For the few microseconds without the JVM's handlers nothing else may run Java. The steps are C
functions called by a C loop, so that the GIL cannot change hands between them. Where there is no
GIL, the first step stops the world, as Python's cycle collector does, and the last one starts it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from operator import call
from typing import Any

from . import main_stack, sigaction
from .sigaction import Action

FAULTS: tuple[int, ...] = (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL)

# What enables faulthandler mute: no file ever has that descriptor, the highest there could be.
_NOWHERE = 2**31 - 1
_MUTE = (_NOWHERE, False, False) if sys.version_info >= (3, 14) else (_NOWHERE, False)

_Step = Callable[[], object]


class FaultChain:
    """The handlers of faults, in their order; with the originals of ``faulthandler``."""

    def __init__(
        self,
        libjsig: str,
        enable: Callable[..., None],
        disable: Callable[[], bool],
        is_enabled: Callable[[], bool],
    ) -> None:
        """To be made before the JVM starts."""
        self._lock = threading.RLock()
        # Where libjsig is preloaded it stands between everybody and the system, and the JVM's
        # handlers can't be replaced.
        self._is_preloaded = hasattr(ctypes.PyDLL(None), "JVM_get_signal_action")
        self._libjsig = None if self._is_preloaded else _load(libjsig)
        self._enable = enable
        self._disable = disable
        self._is_enabled = is_enabled
        # Whether the program has enabled faulthandler; it is mute otherwise.
        self.is_heard = is_enabled()
        # The JVM's handlers: as it has installed them, and as they are now.
        self._installed: dict[int, Action] = {}
        self._front: dict[int, Action] = {}
        # What the JVM calls, and what the program would find if there were neither the JVM nor the
        # mute faulthandler.
        self._behind = {signum: sigaction.get(signum) for signum in FAULTS}
        self._program = dict(self._behind)

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Around the start of the JVM, which puts its handlers in front of those it finds."""
        if not self.is_heard:
            list(_calls(*self._muting()))
        try:
            yield
        except BaseException:
            if not self.is_heard:
                list(_calls(*self._unmuting()))
            raise
        if not self._is_preloaded:
            self._installed = {signum: sigaction.get(signum) for signum in FAULTS}
            self._front = dict(self._installed)
            self._choose_stack()

    def enable(self, *args: Any, **kwargs: Any) -> None:
        """``faulthandler.enable``, by the number of a descriptor."""
        enable = partial(self._enable, *args, **kwargs)
        with self._lock:
            if self.is_heard:
                enable()  # which changes where it writes, and no handler
            else:
                self._without_jvm([*self._unmuting(), enable], self._muting())
                self.is_heard = True
                self._choose_stack()

    def disable(self) -> bool:
        """``faulthandler.disable``, but what is not CPython's stays."""
        with self._lock:
            was_heard, self.is_heard = self.is_heard, False
            if was_heard:
                found = {n: a for n, a in self._behind.items() if not _is_in_cpython(a)}
                self._without_jvm([*_putting(self._behind), self._disable])
                self._program = {**self._behind, **found}
                self._without_jvm(self._muting())
                self._choose_stack()
            return was_heard

    def verify(self) -> None:
        """What CPython put in front of the JVM goes behind it."""
        with self._lock:
            unasked = {n: a for n, a in self._in_front_of_jvm().items() if _is_cpython_s(a)}
            is_enabled = self._is_enabled()
            if not unasked and is_enabled:
                return
            if any(_is_faulthandler_s(*item) for item in unasked.items()):
                self.is_heard = True
                self._without_jvm(_putting(self._behind | unasked), dropped=unasked)
                return
            self._program.update(unasked)
            if self.is_heard and is_enabled:
                functions = {n: a for n, a in unasked.items() if sigaction.is_function(a)}
                self._without_jvm(_putting(self._behind | functions), dropped=unasked)
            else:
                self.is_heard = False
                self._without_jvm([*self._unmuting(), *self._muting()], dropped=unasked)

    def _choose_stack(self) -> None:
        """Has the JVM's handlers called where a thread has no stack left, for faulthandler's sake.

        Only then: the system ends the process by itself, where the JVM would have a word to say.
        """
        others = self._in_front_of_jvm()
        is_alternate = self.is_heard and main_stack.is_whole()
        for signum, action in self._installed.items():
            chosen = sigaction.on_alternate_stack(action) if is_alternate else action
            self._front[signum] = chosen
            if signum not in others:
                sigaction.put(signum, chosen)

    def _in_front_of_jvm(self) -> dict[int, Action]:
        actions = {signum: sigaction.get(signum) for signum in self._front}
        return {
            signum: action
            for signum, action in actions.items()
            if sigaction.handler(action) != sigaction.handler(self._front[signum])
        }

    def _muting(self) -> list[_Step]:
        """What enables faulthandler mute, behind the program's own handlers."""
        own = {n: a for n, a in self._program.items() if sigaction.is_function(a)}
        muting = _sparing_abort(partial(self._enable, *_MUTE))
        return [*_putting(self._program), *muting, *_putting(own)]

    def _unmuting(self) -> list[_Step]:
        """What has the program find faulthandler disabled, and its own handlers alone."""
        return [*_sparing_abort(self._disable), *_putting(self._program)]

    def _without_jvm(
        self,
        steps: list[_Step],
        after_failure: list[_Step] | None = None,
        dropped: dict[int, Action] | None = None,
    ) -> None:
        """Calls C functions that see, and change, the handlers as if there were no JVM.

        What others have in front of it stays there, but for what is dropped.
        """
        behind = {signum: sigaction.new_action() for signum in FAULTS}
        others = {n: sigaction.new_action() for n in self._front if n not in (dropped or ())}
        after = [
            *_getting(behind),
            *self._putting_in_front(),
            *_putting(others),
            *_world("Start"),
        ]
        all_steps = _calls(*_world("Stop"), *_getting(others), *steps, *after)
        steps_after_failure = _calls(*(after_failure or ()), *after)
        try:  # all was made before: from here on the world stands still
            list(all_steps)
        except BaseException:
            list(steps_after_failure)
            raise
        finally:
            self._behind = behind

    def _putting_in_front(self) -> list[_Step]:
        """The calls that install the JVM's handlers; it learns whom they replace, for its chain."""
        if self._libjsig is None:
            # The replaced ones are lost, but Java works.
            return _putting(self._front)
        return [
            self._libjsig.JVM_begin_signal_setting,
            *(partial(self._libjsig.sigaction, n, a, None) for n, a in self._front.items()),
            self._libjsig.JVM_end_signal_setting,
        ]


def _sparing_abort(function: _Step) -> list[_Step]:
    """A call of faulthandler, which also wants SIGABRT; the JVM doesn't."""
    action = {signal.SIGABRT: sigaction.new_action()}
    return [*_getting(action), function, *_putting(action)]


def _getting(actions: dict[Any, Action]) -> list[_Step]:
    return [sigaction.getting(*item) for item in actions.items()]


def _putting(actions: dict[Any, Action]) -> list[_Step]:
    return [sigaction.putting(*item) for item in actions.items()]


def _calls(*steps: _Step) -> Iterator[object]:
    """Calls C functions when a C loop consumes it: no other Python thread runs meanwhile."""
    return map(call, steps)


def _load(libjsig: str) -> ctypes.CDLL | None:
    if not os.path.exists(libjsig):
        return None
    library = ctypes.PyDLL(libjsig, mode=ctypes.RTLD_GLOBAL)  # global: so the JVM finds it
    library.sigaction.argtypes = sigaction.ARGUMENTS
    return library


def _world(verb: str) -> list[_Step]:
    """The call that stops or starts all other Python threads; none where the GIL does that."""
    function = getattr(ctypes.pythonapi, f"_PyEval_{verb}TheWorld", None)
    if function is None or getattr(sys, "_is_gil_enabled", lambda: True)():
        return []
    return [partial(function, ctypes.c_void_p(ctypes.pythonapi.PyInterpreterState_Main()))]


def _is_cpython_s(action: Action) -> bool:
    """Whether ``signal.signal`` or faulthandler has installed it, or whoever took its own off."""
    return not sigaction.is_function(action) or _is_in_cpython(action)


def _is_faulthandler_s(signum: int, action: Action) -> bool:
    return _is_in_cpython(action) and not callable(signal.getsignal(signum))


def _is_in_cpython(action: Action) -> bool:
    known = ctypes.cast(ctypes.pythonapi.Py_IsInitialized, ctypes.c_void_p).value
    return sigaction.is_function(action) and (
        sigaction.library_base(sigaction.handler(action)) == sigaction.library_base(known)
    )
