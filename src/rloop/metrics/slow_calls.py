"""Reports of calls that took too long: which they were, and where their tasks are now."""

from __future__ import annotations

import asyncio
import functools
import os
import sys
from asyncio import format_helpers, sslproto, tasks
from collections.abc import Sequence
from dataclasses import dataclass
from logging import getLogger
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .monitoring import Monitor

Call = tuple[Any, ...]  # (context, callback, *arguments)

_logger = getLogger("rloop.monitor")
_ASYNCIO = os.path.dirname(asyncio.__file__) + os.sep
_HAS_CALL_GRAPHS = sys.version_info >= (3, 14)


@dataclass(frozen=True, slots=True)
class SlowCall:
    """A call that kept the loop for longer than a monitor's threshold."""

    duration: float
    """How long it took, in seconds."""

    callback: str
    """What was called: a function and where it stands; of a task's step, its coroutine."""

    task_name: str | None
    """The task whose step it was, if it was one's."""

    place: str | None
    """Where the task's coroutine waits now, or if that has ended, where it is defined.

    The innermost one that is not asyncio's own, as ``file:line in name``: what it awaits after the
    step that took so long.
    """

    call_graph: Any
    """From Python 3.14 on the task's ``asyncio.FutureCallGraph``: who awaits whom."""

    def __str__(self) -> str:
        """One line, as it is logged."""
        task = f"task {self.task_name!r}, " if self.task_name is not None else ""
        place = f", now at {self.place}" if self.place is not None else ""
        return f"{task}{self.callback} took {self.duration:.3f} seconds{place}"


def report(
    loop: asyncio.AbstractEventLoop, monitors: Sequence[Monitor], call: Call, seconds: float
) -> None:
    """Tells those monitors whose threshold it has reached."""
    told = [monitor for monitor in monitors if monitor.is_slow(seconds)]
    if told:
        slow = describe(call, seconds)
        for monitor in told:
            try:
                monitor.tell(slow)
            except Exception as error:
                message = "Exception in a monitor's on_slow"
                loop.call_exception_handler({"message": message, "exception": error})


def name(call: Call) -> str:
    """A call in one line, for whoever knows how long it took."""
    slow = describe(call, 0)
    task = f"task {slow.task_name!r}, " if slow.task_name is not None else ""
    place = f", now at {slow.place}" if slow.place is not None else ""
    return f"{task}{slow.callback}{place}"


def log(slow: SlowCall) -> None:
    """What a monitor does that is not told what to do."""
    graph = slow.call_graph
    if graph is not None:
        _logger.warning("%s\n%s", slow, _formatted(graph))
    else:
        _logger.warning("%s", slow)


def _formatted(graph: Any) -> str:
    """As ``asyncio.format_call_graph`` has it, of a graph that was captured before."""
    lines = []
    todo = [(graph, 0)]
    while todo:
        node, depth = todo.pop()
        name = node.future.get_name() if isinstance(node.future, asyncio.Task) else "a future"
        lines.append(f"{'  ' * depth}* {name}")
        lines += [f"{'  ' * depth}  {_place(entry.frame)}" for entry in node.call_stack]
        todo += [(waiting, depth + 1) for waiting in reversed(node.awaited_by)]
    return "\n".join(lines)


def describe(call: Call, seconds: float) -> SlowCall:
    """Finds out what there is to know of a call that has just ended."""
    try:
        return _describe(call, seconds)
    except Exception as error:  # a program's ``__repr__``, property or class of tasks
        what = f"{type(call[1]).__qualname__}, which raises {type(error).__name__} when described,"
        return SlowCall(seconds, what, None, None, None)


def _describe(call: Call, seconds: float) -> SlowCall:
    _, callback, *arguments = call
    if arguments and isinstance(arguments[0], asyncio.Handle):  # in debug mode, or a foreign one's
        handle: Any = arguments[0]
        callback = handle._callback or callback
    task = getattr(callback, "__self__", None)
    if not isinstance(task, tasks.Task):
        return SlowCall(seconds, _source(callback), None, None, None)
    coroutine = task.get_coro()
    graph = asyncio.capture_call_graph(task) if _HAS_CALL_GRAPHS else None  # type: ignore[attr-defined,unused-ignore]
    return SlowCall(seconds, _name(coroutine), task.get_name(), _innermost_place(coroutine), graph)


def _source(callback: Any) -> str:
    """A function and where it stands; without its arguments, which may be long, or secrets."""
    while isinstance(callback, functools.partial):
        callback = callback.func
    source = format_helpers._format_callback_source(callback, ())
    protocol = _protocol(getattr(callback, "__self__", None))
    return source if protocol is None else f"{source} for {type(protocol).__qualname__}"


def _protocol(owner: Any) -> Any:
    """The program's own, which a transport's or TLS's method calls; None if it isn't one's."""
    protocol = owner.get_protocol() if isinstance(owner, asyncio.BaseTransport) else owner
    if isinstance(protocol, sslproto.SSLProtocol):
        return protocol._app_protocol
    return None if protocol is owner else protocol


def _name(coroutine: Any) -> str:
    return str(getattr(coroutine, "__qualname__", None) or type(coroutine).__qualname__)


def _innermost_place(coroutine: Any) -> str | None:
    """Where what it awaits, however deep, but for asyncio's own, is suspended."""
    place = None
    while coroutine is not None:
        found = _place_of(coroutine)
        if place is None or (found is not None and not found.startswith(_ASYNCIO)):
            place = found
        coroutine = _awaited(coroutine)
    return place


def _awaited(coroutine: Any) -> Any:
    for name in "cr_await", "gi_yieldfrom", "ag_await":
        if hasattr(coroutine, name):
            return getattr(coroutine, name)
    return None


def _place_of(coroutine: Any) -> str | None:
    for kind in "cr", "gi", "ag":
        frame = getattr(coroutine, f"{kind}_frame", None)
        if frame is not None:
            return _place(frame)
        code = getattr(coroutine, f"{kind}_code", None)
        if code is not None:
            return f"{code.co_filename}:{code.co_firstlineno} in {code.co_qualname}"
    return None


def _place(frame: Any) -> str:
    return f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_qualname}"
