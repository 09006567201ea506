"""What debug mode tells of a loop with several workers: what is used where it is not at home.

A connection may be written to and closed from any worker. What changes who gets its data, and when,
may not: its own worker may be about to deliver some. The methods that do so say it, while such a
loop is in debug mode; they are put back when none is any more.
"""

from __future__ import annotations

import functools
import sys
import threading
import weakref
from asyncio import streams
from asyncio.log import logger
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import crew as crews

if TYPE_CHECKING:
    from rloop.loops.tokio import TokioLoop

_METHODS = ("set_protocol", "pause_reading", "resume_reading")

_ADVICE = (
    "%s() of %s was called on worker %d, but the connection is at home on worker %d, which may be "
    "about to deliver data: call it there, in a method of its protocol or in a task that one has "
    "made, or by loop.workers[%d].call_soon(transport.%s)"
)

_changing = threading.Lock()
_debugged: weakref.WeakSet[TokioLoop] = weakref.WeakSet()
_replaced: list[tuple[type, str, Any]] = []  # None for what is inherited


def watch(loop: TokioLoop, is_debugged: bool) -> None:
    """The loop enters debug mode, or leaves it."""
    with _changing:
        if is_debugged:
            _debugged.add(loop)
        else:
            _debugged.discard(loop)
        if _debugged and not _replaced:
            _replace()
        elif not _debugged:
            while _replaced:
                owner, name, original = _replaced.pop()
                if original is None:
                    delattr(owner, name)
                else:
                    setattr(owner, name, original)


def _replace() -> None:
    from rloop.transports.pipe import PipeTransport  # noqa: PLC0415  # they need Java
    from rloop.transports.stream import SocketTransport  # noqa: PLC0415

    for owner in (SocketTransport, PipeTransport):
        for name in _METHODS:
            _replaced.append((owner, name, vars(owner).get(name)))
            setattr(owner, name, _reporting(getattr(owner, name), name))


def _reporting(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    @functools.wraps(original)
    def method(self: Any, *args: Any) -> Any:
        loop = self._loop
        if loop is not None and loop.get_debug() and self._is_elsewhere() and not _is_reader():
            here = crews.current_worker()
            if here is not None:
                home = self._home()
                said = (name, repr(self), here.index, home, home, name)
                logger.warning(_ADVICE, *said, stack_info=True)
        return original(self, *args)

    return method


def _is_reader() -> bool:
    """Whether a stream reader calls, which is guarded and knows what it has received."""
    return sys._getframe(2).f_code.co_filename == streams.__file__
