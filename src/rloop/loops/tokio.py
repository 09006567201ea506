"""``TokioLoop``: one loop, several threads."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from rloop.java import fork, settings
from rloop.workers import crew as crews
from rloop.workers import gil, placing, shared_ports
from rloop.workers.crew import Crew, Worker
from rloop.workers.guards import guard_of

from .rloop import RLoop

if TYPE_CHECKING:
    import asyncio
    import ssl

_T = TypeVar("_T")

# Free-threaded builds of 3.13 are experiments: asyncio has locks for several threads since 3.14.
_CAN_HAVE_WORKERS = sys.version_info >= (3, 14)

# rloop.loop.Lending of Java.
_LENDING = {"busy": "WHEN_BUSY", "always": "ALWAYS"}


class TokioLoop(RLoop):
    """An asyncio event loop whose I/O threads of Java's do while it runs Python.

    A loop that isn't busy does its I/O itself, as ``RLoop`` does. On free-threaded builds several
    workers run Python, and each does its own I/O.
    """

    # As RLoop's.
    __slots__ = (
        "_crew",
        "_guarding",
        "_io_threads",
        "_lending",
        "_main_flow",
        "_spreads_tasks",
    )

    if TYPE_CHECKING:
        _crew: Crew | None
        _guarding: Callable[[], object]  # ends the guards of asyncio's classes
        _main_flow: object  # the affinity of what is at home on the first worker unplaced
        # Made by Java: takes the I/O home, and lends it again when all who hold it let go
        _hold_io: Callable[[bool], None]
        # Made by Java for the first loop with several workers
        _open_worker: Callable[[str | None, int], object]
        _sit: Callable[[object], object]
        # The standard library's
        _default_executor: object
        _asyncgen_firstiter_hook: Callable[[Any], None]
        _asyncgen_finalizer_hook: Callable[[Any], None]

    def __init__(
        self,
        io_threads: int | None = None,
        *,
        workers: int | None = None,
        spread: Literal["tasks"] | None = None,
    ) -> None:
        """Starts Java in the process's first loop, and the threads.

        ``io_threads`` is how many threads of Java's do the I/O, which share the loop's connections
        out among them; by default what ``RLOOP_IO_THREADS`` says, or half the cores that the
        process may use. ``workers`` is how many threads run Python, on a free-threaded build; by
        default what ``RLOOP_WORKERS`` says, or as many as cores. Several do their I/O themselves:
        who asks for I/O threads and not for workers has one.
        ``spread="tasks"`` places each task of the main flow as ``spawn`` does: what is created on
        the first worker, but not by something that was placed there, such as a connection.

        Raises ``ValueError`` if one of these is not a number from 1 to 64, or ``spread`` is
        something else.
        """
        self._crew = None
        self._main_flow = None
        self._guarding = bool  # nothing to end
        if spread not in (None, "tasks"):
            raise ValueError(f'spread is {spread!r}: expected "tasks" or None')
        self._spreads_tasks = spread == "tasks"
        if workers is not None:
            count = _checked("workers", workers)
        else:
            count = settings.workers(io_threads is not None)
        if fork.is_child() or not _CAN_HAVE_WORKERS:
            count = 1
        if count > 1 and gil.stays_enabled():
            gil.warn_if_enabled(stack_level=2)
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
        self._states = tuple(worker._state for worker in self._crew.workers)
        # A partial function, to which every call would take a reference.
        vars(self).pop("create_future", None)
        self._main_flow = first
        from rloop.workers import guarded_classes  # noqa: PLC0415  # for the first such loop

        self._guarding = guarded_classes.install_for(self)
        self._watch_homes(self._debug)
        if self._spreads_tasks:
            placing.set_main_flow_apart(self)

    def _guard_ssl(self, ssl_object: ssl.SSLObject) -> None:
        from rloop.transports.guarded_ssl import guard  # noqa: PLC0415  # for the first TLS

        guard(ssl_object, self._hold_io)

    # ---- workers ---------------------------------------------------------------------------------

    @property
    def workers(self) -> tuple[Worker, ...]:
        """The threads that run the loop's Python; the first is the one that runs the loop."""
        if self._crew is None:
            return (placing.LoneWorker(self),)
        return tuple(self._crew.workers)

    def spawn(
        self,
        coro: Coroutine[Any, Any, _T],
        *,
        worker: Worker | int | None = None,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[_T]:
        """As ``create_task``, for a task on a worker of its own choice.

        By default that is the one with the fewest connections and placed tasks. What the task makes
        stays with it. It runs in a copy of the context. With one worker this is ``create_task``.
        ``worker`` is one of ``workers``, or its index: ``ValueError`` if there is none such. As all
        methods that aren't called ``…_threadsafe``, on the loop's threads alone.
        """
        return placing.spawn(self, coro, worker, name, context)

    def set_debug(self, enabled: bool) -> None:
        """Switches debug mode, which also tells of what is used where it is not at home."""
        super().set_debug(enabled)
        if self._crew is not None:
            self._watch_homes(bool(enabled))

    def _watch_homes(self, is_debugged: bool) -> None:
        from rloop.workers import not_at_home  # noqa: PLC0415  # for several workers

        not_at_home.watch(self, is_debugged)

    def run_in_executor(  # type: ignore[override]  # their types
        self, executor: Any, func: Callable[..., _T], *args: Any
    ) -> asyncio.Future[_T]:
        """As asyncio's; the first to need the default executor makes it for all workers."""
        run = super().run_in_executor
        if self._crew is None or executor is not None or self._default_executor is not None:
            return run(executor, func, *args)
        with guard_of(self):
            return run(executor, func, *args)

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
        if self._is_on_first_worker():
            return super()._calls()
        return crews.current_worker()._state  # type: ignore[union-attr]

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
        super().close()
        if self._crew is not None and self.is_closed():
            self._crew.end()
            self._guarding()
            self._watch_homes(False)

    def add_signal_handler(self, sig: int, callback: Callable[..., Any], *args: Any) -> None:  # type: ignore[override]
        """As asyncio's; from another worker than the first it is done when that comes to it."""
        add = super().add_signal_handler
        if self._is_on_first_worker():
            add(sig, callback, *args)
        else:
            self._check_signal(sig)  # type: ignore[attr-defined]
            self.workers[0].call_soon(add, sig, callback, *args)

    def remove_signal_handler(self, sig: int) -> bool:
        """As asyncio's; from another worker than the first it is done when that comes to it."""
        remove = super().remove_signal_handler
        if self._is_on_first_worker():
            return remove(sig)
        self._check_signal(sig)  # type: ignore[attr-defined]
        self.workers[0].call_soon(remove, sig)
        return sig in self._signal_handlers

    def _is_on_first_worker(self) -> bool:
        worker = crews.current_worker()
        return worker is None or worker._loop is not self or worker.index == 0

    def _on_each_worker(self, method: Callable[..., _T], *args: Any) -> list[_T]:
        if self._crew is None:
            return super()._on_each_worker(method, *args)
        return [worker.on(method, *args) for worker in self._crew.workers]

    def create_task(self, coro: Any, **kwargs: Any) -> Any:
        """Schedules a coroutine, on this worker unless the context given says something else."""
        if self._crew is None:
            return RLoop.create_task(self, coro, **kwargs)
        if kwargs:
            return placing.create_task(self, coro, **kwargs)
        return placing.create_plain_task(self, coro)

    async def create_datagram_endpoint(
        self,
        protocol_factory: Callable[[], Any],
        local_addr: Any = None,
        remote_addr: Any = None,
        **options: Any,
    ) -> Any:
        """Opens an endpoint; with ``reuse_port`` one on each worker, at the same address."""
        create = super().create_datagram_endpoint
        options |= {"local_addr": local_addr, "remote_addr": remote_addr}
        is_shared = options.get("reuse_port") and local_addr and not remote_addr
        if self._crew is None or not is_shared:
            return await create(protocol_factory, **options)
        return await shared_ports.open_on_all(self._crew, create, protocol_factory, options)

    async def start_tls(self, transport: Any, *args: Any, **kwargs: Any) -> Any:
        """Upgrades a connection to TLS, where it is at home."""
        start = super().start_tls(transport, *args, **kwargs)
        context = None if self._crew is None else getattr(transport, "_given_context", None)
        if context is None:
            return await start
        return await self.create_task(start, context=context.copy())

    def _watch_fd(self, fd: Any, writing: bool, call: Any) -> asyncio.Handle:
        if self._crew is not None:
            for worker in self._crew.others():
                worker.on(super()._unwatch_fd, fd, writing)  # asyncio replaces it
        return super()._watch_fd(fd, writing, call)

    def _unwatch_fd(self, fd: Any, writing: bool) -> bool:
        if self._crew is None or self.is_closed():
            return super()._unwatch_fd(fd, writing)
        number = self._number_of(fd)
        return self._unwatch(number, writing) or any(
            worker.on(self._unwatch, number, writing) for worker in self._crew.others()
        )

    def _check_thread(self) -> None:
        worker = crews.current_worker()
        if worker is None or worker._loop is not self:
            super()._check_thread()


def _checked(name: str, value: int) -> int:
    number = operator.index(value)
    if not 1 <= number <= settings.MOST_THREADS:
        raise ValueError(f"{name} is {number}: expected a number from 1 to {settings.MOST_THREADS}")
    return number
