"""``rloop.flight_recorder``: what loops do, recorded by Java's Flight Recorder.

Beside whatever the JDK records there are the events ``rloop.Iteration``, ``rloop.SlowCall``,
``rloop.Poll``, ``rloop.ConnectionOpened``, ``rloop.ConnectionClosed`` and ``rloop.TlsHandshake``.
``jfr print --categories rloop FILE`` shows them, and so does JDK Mission Control.
"""

from __future__ import annotations

import atexit
import os
import signal
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING

from .java import fork, jvm
from .loops import rloop as loops
from .loops.rloop import RLoop

if TYPE_CHECKING:
    from typing import Self

_CONFIGURATIONS = (None, "default", "profile")

_lock = threading.RLock()  # a signal handler may close what is being closed


class FlightRecording:
    """A recording that runs from when it is made until ``close()``, or the program's end.

    A context manager. All loops are recorded, those that are made later as well. Its methods may be
    called on any thread.

    ``path`` is the file, as an absolute path.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        jdk_events: str | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        if jdk_events not in _CONFIGURATIONS:
            raise ValueError(f"jdk_events is 'default', 'profile' or None, not {jdk_events!r}")
        pairs = [text for pair in (settings or {}).items() for text in pair]
        if not all(isinstance(text, str) for text in pairs):
            raise TypeError(
                "settings have strings as names and values, such as "
                f"{{'rloop.SlowCall#threshold': '5 ms'}}, not {settings!r}"
            )
        self.path = os.path.abspath(os.fsdecode(path))
        is_new = not os.path.exists(self.path)
        with open(self.path, "ab"):
            pass  # what is wrong with it is told now, and by Python
        try:
            self._start(jdk_events or "", *pairs)
        except BaseException:
            if is_new:
                os.unlink(self.path)
            raise
        self._is_open = True
        atexit.register(self.close)

    def _start(self, configuration: str, *settings: str) -> None:
        with _lock:
            core = jvm.core()
            loops.install()
            if not hasattr(core, "start_recording"):
                from .metrics import added  # noqa: PLC0415  # it needs the module that Java makes

                added.check()
                core.add_recording(RLoop)
            with _signals_blocked():
                self._number = core.start_recording(self.path, configuration, *settings)
            RLoop._are_recorded = True
            for loop in _loops():
                loop._on_each_worker(loop._record, True)

    def close(self) -> None:
        """Ends the recording, and writes the file; ``OSError`` if that fails."""
        if fork.is_child():
            return  # the lock may be held there for ever
        with _lock:
            if not self._is_open:
                return
            self._is_open = False
            atexit.unregister(self.close)
            core = jvm.core()
            try:
                core.stop_recording(self._number)
            finally:
                if not core.is_recording():
                    RLoop._are_recorded = False
                    for loop in _loops():
                        loop._on_each_worker(loop._record, False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _loops() -> Iterable[RLoop]:
    return [loop for loop in fork.loops() if isinstance(loop, RLoop)]


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Java's threads inherit a mask that keeps them from taking signals, which are all Python's.

    But for those of its own faults, which this thread takes meanwhile.
    """
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals() - set(jvm.FAULTS))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
