"""``RLoop``: asyncio's selector loop with everything that is hot replaced by Java.

Java adds ``call_soon``, ``call_soon_threadsafe``, ``call_later``, ``call_at`` and ``stop``, and
hands out the calls over which ``_run_once`` iterates. What remains is the standard
library's, over the few private methods that are overridden here; it has no selector, and a
self-pipe for signals alone.
"""

from __future__ import annotations

import asyncio
import functools
import sys
import threading
from asyncio import base_events, format_helpers, futures, tasks
from asyncio.log import logger
from collections.abc import Callable
from contextvars import Context, copy_context
from selectors import _fileobj_to_fd  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any, TypeVar

from rloop.java import fork, jvm, settings

from .accepting import Accepting
from .clock import Clock
from .making_transports import MakingTransports
from .nesting import Nesting
from .numeric_addresses import NumericAddresses
from .signals import Signals
from .socket_operations import SocketOperations
from .watches import Watches

if TYPE_CHECKING:
    import socket

    from rloop.metrics.figures import LoopMetrics
    from rloop.metrics.monitoring import Monitor

_T = TypeVar("_T")

Call = tuple[Any, ...]  # (context, callback, *arguments)
Watched = tuple[int, Any]  # (descriptor, what was given for it)

# What create_task hands on to a task: from 3.14 on whatever it is given.
_TAKES_ALL_KEYWORDS = sys.version_info >= (3, 14)
_TASK_KEYWORDS = {"name", "context"}

_installation = threading.Lock()
_is_installed = False


def install() -> None:
    """Starts Java and has it add its methods; does nothing from the second time on."""
    global _is_installed  # noqa: PLW0603  # a process has one Java
    core = jvm.core()
    with _installation:
        if not _is_installed:
            core.install(RLoop)
            fork.give_back_in_children(RLoop)
            fork.free_without_java_in_children(core.reference_deallocator)
            fork.forbid_methods_in_children(core.Handle, core.TimerHandle)
            fork.forbid_in_children([(core.LoopState, "__next__")])
            fork.forbid_functions_in_children(core)
            _is_installed = True


class RLoop(
    SocketOperations, Accepting, MakingTransports, Nesting, NumericAddresses, Signals, Clock
):
    """An asyncio event loop with a Java core, on one thread."""

    # Slots, since asyncio has 27 attributes, and CPython keeps up to thirty within an object: more
    # stand in a dictionary, in which each method is looked up first. What methods of this class set
    # on `self` counts as well. `_states` are of all workers, where there are several.
    __slots__ = ("_is_woken", "_state", "_states", "_tells_time", "_watchers")

    _crew: Any = None  # of the workers, where there are several: rloop.workers.crew.Crew

    if TYPE_CHECKING:
        # Made by Java
        _open: Callable[[str | None, str, int], None]
        _start_run: Callable[[], None]
        _abandon_run: Callable[[], None]
        _is_run_over: Callable[[], bool]
        _flush: Callable[[], None]
        _close: Callable[[], None]
        _watchers: dict[asyncio.Handle, Watched]
        # Made by Java when somebody first asks: rloop.metrics.added
        _figures: Callable[[], bytes]
        _add_monitor: Callable[[int, int], int]
        _read_monitor: Callable[[int], bytes]
        _reset_monitor: Callable[[int], None]
        _remove_monitor: Callable[[int], None]
        # Made by Java for the first recording: rloop.flight
        _record: Callable[[bool], None]
        _record_slow_call: Callable[[str], None]
        _set_debug: Callable[[bool], None]
        _origin: Callable[[Call], tuple[asyncio.Handle, Any]]
        _handle_for: Callable[[Call], asyncio.Handle]
        _add_foreign_handle: Callable[[asyncio.Handle], None]
        _watch: Callable[[int, bool, asyncio.Handle, dict[asyncio.Handle, Watched], Watched], None]
        _unwatch: Callable[[int, bool], bool]
        _watched: Callable[[int], int]
        # The standard library's
        _transports: Any  # a weakref.WeakValueDictionary
        _current_handle: asyncio.Handle | None
        _check_thread: Callable[[], None]
        _check_callback: Callable[[object, str], None]
        _write_to_self: Callable[[], None]
        _signal_handlers: dict[int, asyncio.Handle]
        _csock: socket.socket
        _task_factory: Any
        _ssock: socket.socket | None

    _closed = True  # for __del__ after a failed __init__
    _io_threads = 0
    _monitors: tuple[Monitor, ...] = ()
    _are_recorded = False  # changed for the class
    _lending = "NEVER"  # when another thread does the I/O, rloop.loop.Lending of Java

    def __init__(self) -> None:
        """Starts Java in the process's first loop."""
        install()
        try:
            self._open(settings.poller(), self._lending, self._io_threads)
            super().__init__(Watches(self))  # type: ignore[arg-type]  # what is used of a selector
            fork.register(self)
            self._find_clock()
            if type(self).create_future is base_events.BaseEventLoop.create_future:
                self.create_future = functools.partial(  # type: ignore[method-assign]
                    futures.Future, loop=self
                )
        except BaseException:  # no descriptors left, or a signal handler's exception
            self._undo_init()
            raise

    def _undo_init(self) -> None:
        self._closed = True
        if hasattr(self, "_state"):
            self._close()
        for end in ("_ssock", "_csock"):
            if hasattr(self, end):
                getattr(self, end).close()

    # ---- running ---------------------------------------------------------------------------------

    def _run_once(self) -> None:
        """Runs until ``stop()``: the standard library's ``run_forever`` calls it in its loop."""
        try:
            self._let_signals_wake()
            self._start_run()
            while not self._run_calls():
                pass
        except BaseException:
            self._abandon_run()
            raise
        finally:
            self._let_signals_sleep()
        self._stopping = True

    def _run_calls(self) -> bool:
        """Returns whether the run is over; it may also go on in another mode, or after a signal."""
        run = self._run_timed if self._debug else Context.run
        call: Call | None = None
        while True:
            try:
                for call in self._calls():
                    run(*call)
                    call = None  # noqa: PLW2901  # dies before the next starts, or a wait
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as exc:
                if call is None:
                    raise  # it came from the loop itself
                self._report(call, exc)
                call = None
            else:
                return self._is_run_over()

    def _run_timed(self, context: Context, *run: Any) -> None:
        call = (context, *run)
        self._current_handle = handle = self._describe(call)
        started = self.time()
        try:
            context.run(*run)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as exc:
            self._report(call, exc)
        finally:
            self._current_handle = None
        elapsed = self.time() - started
        if elapsed >= self.slow_callback_duration:
            described = base_events._format_handle(handle)  # type: ignore[attr-defined]
            logger.warning("Executing %s took %.3f seconds", described, elapsed)
        del call, run, handle  # the traceback of an exception that is kept refers to this frame

    def _describe(self, call: Call) -> asyncio.Handle:
        """The handle that a call runs, or one made for it."""
        from .handles import run  # noqa: PLC0415  # it needs the module that Java makes

        return call[2] if call[1] is run else self._handle_for(call)

    def _report(self, call: Call, exc: BaseException) -> None:
        """Reports what a call, the last that started, has raised, as asyncio would."""
        if self._take_nested():
            handle = self._handle_for(call)
        else:
            handle, transport = self._origin(call)
            if transport is not None:
                transport._delivery_failed(exc)
                return
        _, callback, *args = call
        self.call_exception_handler(
            {
                "message": "Exception in callback "
                + format_helpers._format_callback_source(callback, args),
                "exception": exc,
                "handle": handle,
            }
        )

    def close(self) -> None:
        """Sends what transports have queued and closes the loop."""
        if not self.is_running() and not self.is_closed():
            self._on_each_worker(self._flush)
        try:
            super().close()
        finally:
            if self.is_closed():
                self._on_each_worker(self._close)
                vars(self).pop("create_future", None)  # it refers to the loop

    def _on_each_worker(self, method: Callable[..., _T], *args: Any) -> list[_T]:
        """What a method of the loop's returns on each of its workers, of which there is one."""
        return [method(*args)]

    def _close_self_pipe(self) -> None:
        # A loop that was never closed may die with its sockets, and after them. One whose closing
        # was interrupted here has none any more.
        if self._ssock is not None and self._ssock.fileno() >= 0:
            super()._close_self_pipe()  # type: ignore[misc]

    def create_task(self, coro: Any, **kwargs: Any) -> Any:
        """Schedules a coroutine as a task, as asyncio's loop does."""
        # Without the steps of the standard library's that do nothing.
        if self._task_factory is None and not (self._debug or self._closed):
            if not kwargs:
                return tasks.Task(coro, loop=self)
            if _TAKES_ALL_KEYWORDS or kwargs.keys() <= _TASK_KEYWORDS:
                return tasks.Task(coro, loop=self, **kwargs)
        return super().create_task(coro, **kwargs)

    # ---- figures ---------------------------------------------------------------------------------

    def metrics(self) -> LoopMetrics:
        """What the loop has done so far, in figures: an immutable object.

        To be called on any thread at any time, also of a loop that is closed. The loop counts
        anyway, so that asking is all that costs, some ten microseconds. Raises ``RuntimeError`` in
        a process that was forked after Java's start.
        """
        from rloop.metrics import added, figures  # noqa: PLC0415  # for who asks

        added.check()
        written = self._on_each_worker(self._figures)
        return figures.total([figures.read(figure, self._io_threads) for figure in written])

    def _report_slow_call(self, call: Call, seconds: float) -> None:
        """Java has this called after a call that took longer than a monitor allows."""
        from rloop.metrics import slow_calls  # noqa: PLC0415  # for who monitors

        slow_calls.report(self, self._monitors, call, seconds)
        if self._are_recorded:
            self._record_slow_call(slow_calls.name(call))

    # ---- debug mode ------------------------------------------------------------------------------

    def set_debug(self, enabled: bool) -> None:
        """Switches asyncio's debug mode."""
        super().set_debug(enabled)
        if type(self).get_debug is base_events.BaseEventLoop.get_debug:
            self.get_debug = _say_yes if enabled else _say_no  # type: ignore[method-assign]
        self._on_each_worker(self._set_debug, bool(enabled))

    def _check_call(self, method: str, callback: object) -> None:
        """Java calls this before it schedules a callback in debug mode."""
        if method != "call_soon_threadsafe":
            self._check_thread()
        self._check_callback(callback, method)

    def _trace(self, handle: Any) -> None:
        """Java calls this with each handle that it makes in debug mode."""
        handle._source_traceback = format_helpers.extract_stack(sys._getframe(1))

    # ---- what the standard library's code calls --------------------------------------------------

    def _add_callback(self, handle: asyncio.Handle) -> None:
        if not handle.cancelled():
            self._add_foreign_handle(handle)

    def _add_callback_signalsafe(self, handle: asyncio.Handle) -> None:
        self._add_callback(handle)
        self._write_to_self()

    def _timer_handle_cancelled(self, _: asyncio.TimerHandle) -> None:
        """Timers leave the queue as they are cancelled; nothing is counted."""

    def _add_reader(
        self, fd: int, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        return self._watch_fd(fd, False, (_or_copy(context), callback, *args))

    def _add_writer(
        self, fd: int, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        return self._watch_fd(fd, True, (_or_copy(context), callback, *args))

    def _watch_fd(self, fd: Any, writing: bool, call: Call) -> asyncio.Handle:
        handle = self._handle_for(call)
        if self._debug:
            self._trace(handle)
        number = self._number_of(fd)
        self._watch(number, writing, handle, self._watchers, (number, fd))
        return handle

    def _remove_reader(self, fd: Any) -> bool:
        return self._unwatch_fd(fd, False)

    def _remove_writer(self, fd: Any) -> bool:
        return self._unwatch_fd(fd, True)

    def _unwatch_fd(self, fd: Any, writing: bool) -> bool:
        if self.is_closed():
            return False
        return self._unwatch(self._number_of(fd), writing)

    def _number_of(self, fd: Any) -> int:
        """The descriptor of an object, also of one that was closed while it is watched."""
        try:
            return _fileobj_to_fd(fd)  # type: ignore[no-any-return]
        except ValueError:
            for number, watched in list(self._watchers.values()):
                if watched is fd:
                    return number
            raise


# What answers for the debug mode, which every future and every task asks for.
_say_no = bool
_say_yes = True.__bool__


def _or_copy(context: Context | None) -> Context:
    return copy_context() if context is None else context
