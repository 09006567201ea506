"""Signals, the one use of the self-pipe.

Python runs signal handlers when it next runs Python code. For a signal that arrives while Java
works between two batches that would be after a wait that nothing ends. So while the main thread
runs the loop every signal writes to the pipe, which the poller watches.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable


class Signals(asyncio.SelectorEventLoop):
    """The part of the loop that signals wake."""

    __slots__ = ()

    if TYPE_CHECKING:
        _is_woken: bool  # by signals
        # The standard library's
        _closed: bool
        _csock: socket.socket
        _read_from_self: Callable[[], None]
        _signal_handlers: dict[int, asyncio.Handle]

    def __init__(self, selector: Any) -> None:
        self._is_woken = False
        super().__init__(selector)

    def add_signal_handler(self, sig: int, callback: Callable[..., Any], *args: Any) -> None:  # type: ignore[override]
        """Has a callback run when the signal arrives, but not for one that has arrived before."""
        if not self._closed:
            self._read_from_self()
        super().add_signal_handler(sig, callback, *args)

    def _let_signals_wake(self) -> None:
        """Has every signal wake the poller, if this is the thread that signals come to."""
        # Known before it is so: a signal handler's exception may come as soon as it is.
        self._is_woken = threading.current_thread() is threading.main_thread()
        if not self._is_woken:
            return
        ours = self._csock.fileno()
        others = signal.set_wakeup_fd(ours, warn_on_full_buffer=False)
        if others not in {-1, ours}:
            # Whoever set it knows whom to wake, and can't be asked whether to warn.
            signal.set_wakeup_fd(others, warn_on_full_buffer=False)
            self._is_woken = False

    def _let_signals_sleep(self) -> None:
        if self._is_woken and not self._signal_handlers:
            signal.set_wakeup_fd(-1)
            self._is_woken = False
