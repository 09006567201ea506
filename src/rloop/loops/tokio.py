"""``TokioLoop``: one loop, several threads."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any

from rloop.java import settings

from . import workers as crews
from .rloop import RLoop
from .workers import AFFINITY, Crew

if TYPE_CHECKING:
    import asyncio
    import socket
    import ssl

# rloop.loop.Lending of Java.
_LENDING = {"busy": "WHEN_BUSY", "always": "ALWAYS"}


class TokioLoop(RLoop):
    """An asyncio event loop whose I/O threads of Java's do while it runs Python.

    A loop that isn't busy does its I/O itself, as ``RLoop`` does. On free-threaded builds several
    workers run Python, and each does its own I/O.
    """

    __slots__ = ()

    if TYPE_CHECKING:
        # Made by Java: takes the I/O home, and lends it again when all who hold it let go
        _hold_io: Callable[[bool], None]
        # Made by Java for the first loop with several workers
        _open_worker: Callable[[str | None, int], object]
        _sit: Callable[[object], object]
        _has_siblings: Callable[[], None]
        # The standard library's
        _asyncgen_firstiter_hook: Callable[[Any], None]
        _asyncgen_finalizer_hook: Callable[[Any], None]

    _crew: Crew | None = None

    def __init__(self, io_threads: int | None = None, *, workers: int | None = None) -> None:
        """Starts Java in the process's first loop, and the threads.

        ``io_threads`` is how many threads of Java's do the I/O, which share the loop's connections
        out among them; by default what ``RLOOP_IO_THREADS`` says, or half the cores that the
        process may use. ``workers`` is how many threads run Python, on a free-threaded build; by
        default what ``RLOOP_WORKERS`` says, or one. Several do their I/O themselves.

        Raises ``ValueError`` if one of these is not a number from 1 to 64.
        """
        count = settings.workers() if workers is None else _checked("workers", workers)
        if _has_gil():
            count = 1
        self._lending = _LENDING[settings.lend()]
        self._io_threads = (
            settings.io_threads() if io_threads is None else _checked("io_threads", io_threads)
        )
        if count > 1:
            self._lending = "NEVER"
            self._io_threads = 0
        super().__init__()
        if count > 1:
            try:
                self._man(count)
            except BaseException:
                self.close()
                raise

    def _man(self, count: int) -> None:
        """Starts further workers."""
        first = crews.install(RLoop)
        self._crew = Crew(self, count, first, settings.poller())
        self._states = crews.states(self._crew.workers)
        self._has_siblings()
        # A partial function, to which every call would take a reference.
        vars(self).pop("create_future", None)

    def _guard_ssl(self, ssl_object: ssl.SSLObject) -> None:
        from rloop.transports.guarded_ssl import guard  # noqa: PLC0415  # for the first TLS

        guard(ssl_object, self._hold_io)

    # ---- several workers -------------------------------------------------------------------------

    def _run_once(self) -> None:
        if self._crew is None:
            super()._run_once()
            return
        self._crew.start()
        try:
            with crews.running(self._crew.workers[0]):
                super()._run_once()
        finally:
            self._crew.park()

    def _calls(self) -> Any:
        worker = crews.current_worker()
        if worker is None or worker._loop is not self or worker.index == 0:
            return super()._calls()
        return worker._state

    def _stop_this_worker(self) -> None:
        RLoop.stop(self)

    def stop(self) -> None:
        """Ends the run after the current batch, from whatever worker."""
        if self._crew is None:
            super().stop()
        else:
            self._crew.workers[0].on(self._stop_this_worker)
            self._crew.workers[0].on(self._write_to_self)

    def close(self) -> None:
        """Sends what transports have queued and closes the loop, and ends its threads."""
        crew = self._crew
        if crew is not None and not self.is_running() and not self.is_closed():
            crew.on_each(self._flush)
        super().close()
        if crew is not None and self.is_closed():
            crew.on_each(self._close)
            crew.end()

    def create_task(self, coro: Any, **kwargs: Any) -> Any:
        """Schedules a coroutine, on this worker unless the context given says something else."""
        context = kwargs.get("context")
        if context is not None and self._crew is not None and AFFINITY not in context:
            worker = crews.current_worker()
            if worker is not None and worker._loop is self:
                context.run(AFFINITY.set, worker.affinity)
        return RLoop.create_task(self, coro, **kwargs)

    def _open_accepted(
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        sock: socket.socket,
        extra: dict[str, Any],
        sslcontext: Any,
        server: Any,
        handshake_timeout: float | None,
        shutdown_timeout: float | None,
        *contexts: Context | None,
    ) -> None:
        if self._crew is not None:
            (given,) = contexts or (None,)
            context = copy_context() if given is None else given.copy()
            is_counted = not (sslcontext and self._debug)  # by _open_connection
            context.run(AFFINITY.set, self._crew.choose(is_counted).affinity)
            contexts = (context,)
        super()._open_accepted(
            protocol_factory,
            sock,
            extra,
            sslcontext,
            server,
            handshake_timeout,
            shutdown_timeout,
            *contexts,
        )

    def _open_connection(
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        sock: socket.socket,
        sslcontext: Any,
        options: dict[str, Any],
    ) -> None:
        worker = crews.current_worker()
        if self._crew is not None and worker is not None:
            self._crew.arrived(worker)
            options["server"] = crews.Served(options["server"], worker)
        super()._open_connection(protocol_factory, sock, sslcontext, options)

    def _watch_fd(self, fd: Any, writing: bool, call: Any) -> asyncio.Handle:
        if self._crew is not None:
            for worker in self._crew.others():
                worker.on(super()._unwatch_fd, fd, writing)  # asyncio replaces it
        return super()._watch_fd(fd, writing, call)

    def _unwatch_fd(self, fd: Any, writing: bool) -> bool:
        is_watched = super()._unwatch_fd(fd, writing)
        if self._crew is not None and not self.is_closed():
            for worker in self._crew.others():
                is_watched |= worker.on(super()._unwatch_fd, fd, writing)
        return is_watched

    def set_debug(self, enabled: bool) -> None:
        """Switches asyncio's debug mode."""
        super().set_debug(enabled)
        if self._crew is not None:
            self._crew.on_each(self._set_debug, bool(enabled))

    def _check_thread(self) -> None:
        worker = crews.current_worker()
        if worker is None or worker._loop is not self:
            super()._check_thread()


def _has_gil() -> bool:
    return getattr(sys, "_is_gil_enabled", lambda: True)()


def _checked(name: str, value: int) -> int:
    number = operator.index(value)
    if not 1 <= number <= settings.MOST_THREADS:
        raise ValueError(f"{name} is {number}: expected a number from 1 to {settings.MOST_THREADS}")
    return number
