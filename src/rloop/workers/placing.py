"""Tasks that run on a worker of their own: ``loop.spawn``, ``TokioLoop(spread="tasks")``.

A task is at home where its context says (``crew.AFFINITY``). Where nobody has placed it that
is the worker that makes it; so what descends from a connection stays with it.

CPython holds a task's critical section during a step of it. Whoever asks such a task for anything
from another thread, ``done()`` included, would wait until it suspends: a ``gather`` of computations
would make one, and not the next before the first has given way. So the coroutine of a placed task
runs within a further critical section, entered by a future that is done, and lets the thread detach
there once: CPython then unlocks all of them, and when it attaches again locks none but the
innermost.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
from asyncio import events, tasks
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rloop.java import jvm

from . import crew as crews
from .crew import AFFINITY, Worker
from .tasks import Task

if TYPE_CHECKING:
    from rloop.loops.tokio import TokioLoop

    from .crew import Crew

_T = TypeVar("_T")

_BASE: Any = Task.__base__
_new: Callable[[type[Task]], Task] = _BASE.__new__
_init: Callable[..., None] = _BASE.__init__

_EAGER: Any = getattr(asyncio, "eager_task_factory", None)  # from 3.12 on

# What the traceback of a task's making doesn't show
_OURS = {__file__, str(Path(__file__).parents[1] / "loops" / "tokio.py")}

# An ioctl of no file: detaches the thread for the least of all calls.
_detach = functools.partial(os.isatty, -1)


def current_worker() -> Worker | None:
    """The worker of a ``TokioLoop`` that this runs on; None elsewhere, also on an ``RLoop``."""
    worker = crews.current_worker()
    if worker is None:
        workers: tuple[Worker, ...] = getattr(events._get_running_loop(), "workers", ())
        return workers[0] if len(workers) == 1 else None
    return worker


def spawn(
    loop: TokioLoop,
    coro: Coroutine[Any, Any, Any],
    worker: Worker | int | None,
    name: str | None,
    context: Context | None,
) -> asyncio.Task[Any]:
    """See ``TokioLoop.spawn``."""
    crew = loop._crew
    given = None if worker is None else _of(loop, worker)
    if crew is None:
        own = None if context is None else context.copy()
        return loop.create_task(coro, name=name, context=own)  # type: ignore[no-any-return]
    if not asyncio.iscoroutine(coro):
        raise TypeError(f"a coroutine was expected, got {coro!r}")
    chosen = _choose(crew, given)
    placed = Placed(coro, functools.partial(_leave, crew, chosen))
    try:
        return _create(  # type: ignore[no-any-return]
            loop, placed, chosen.affinity, name=name, context=_context_at(chosen, context)
        )
    except BaseException:
        placed.close()
        raise


def set_main_flow_apart(loop: TokioLoop) -> None:
    """What is placed on the first worker is no longer taken for the main flow."""
    core: Any = jvm.core()
    loop.workers[0].affinity = core.new_affinity(loop._state)


class LoneWorker(Worker):
    """The worker of a loop that has no other."""

    def __init__(self, loop: TokioLoop) -> None:
        """Made when somebody asks."""
        super().__init__(loop, 0, None, None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LoneWorker) and other._loop is self._loop

    def __hash__(self) -> int:
        return hash(self._loop)

    @property
    def load(self) -> int:
        """How many connections there are."""
        return self._loop.metrics().stream_transports.open

    @load.setter
    def load(self, _: int) -> None:
        pass

    def on(self, method: Callable[..., _T], *args: Any) -> _T:
        """Calls a method of the loop's."""
        return method(*args)

    def context(self) -> Context:
        """A copy of the current context."""
        return copy_context()


def _choose(crew: Crew, given: Worker | None) -> Worker:
    """The worker that has the least to do, unless one is given; it has a task more from now on."""
    with crew._choosing:
        if given is None:
            crew._turn = (crew._turn + 1) % len(crew.workers)
            turns = crew.workers[crew._turn :] + crew.workers[: crew._turn]
            if crew._loop._tells_time:
                turns = crew.workers[:1]  # whoever made the clock knows no other
            given = min(turns, key=lambda worker: worker.load + worker.awaited + worker.tasks)
        given.tasks += 1
    return given


def _leave(crew: Crew, worker: Worker) -> None:
    with crew._choosing:
        worker.tasks -= 1


def _of(loop: TokioLoop, worker: Worker | int) -> Worker:
    if isinstance(worker, Worker):
        if worker._loop is not loop:
            raise ValueError(f"{worker!r} is not a worker of {loop!r}")
        return worker
    workers = loop.workers
    if not 0 <= worker < len(workers):
        raise ValueError(f"worker is {worker}: expected a number below {len(workers)}, or a Worker")
    return workers[worker]


def _context_at(worker: Worker, given: Context | None) -> Context:
    """A copy, since no two workers can be in a context at once."""
    context = copy_context() if given is None else given
    if given is None or context.get(AFFINITY) is not worker.affinity:
        context = context.copy()
        context.run(AFFINITY.set, worker.affinity)
    return context


def create_plain_task(loop: TokioLoop, coro: Any) -> Any:
    """As ``create_task``, without the steps that do nothing as a rule."""
    affinity = AFFINITY.get(None)
    if (
        affinity is None
        or loop._spreads_tasks
        or loop._debug
        or loop._closed
        or loop._task_factory is not None
        or tasks.Task is not _BASE
    ):
        return create_task(loop, coro)
    task = _new(Task)
    task.affinity = affinity  # before anybody can cancel it
    _init(task, coro, loop=loop)
    return task


def create_task(loop: TokioLoop, coro: Any, **kwargs: Any) -> Any:
    """As ``create_task``, but the context of the task says where it runs."""
    context = kwargs.get("context")
    affinity = AFFINITY.get(None) if context is None else context.get(AFFINITY)
    if affinity is None or affinity is loop._main_flow:
        worker = crews.current_worker()
        if worker is not None and worker._loop is not loop:
            worker = None
        if loop._spreads_tasks and worker is not None and worker.index == 0:
            return spawn(loop, coro, None, kwargs.get("name"), context)
        if affinity is None:
            if context is None:
                context = kwargs["context"] = copy_context()
            affinity = loop._main_flow if worker is None else worker.affinity
            context.run(AFFINITY.set, affinity)
    return _create(loop, coro, affinity, **kwargs)


def _create(loop: TokioLoop, coro: Any, affinity: object, **kwargs: Any) -> Any:
    factory = loop._task_factory
    if factory is not None or "eager_start" in kwargs:
        is_here = not isinstance(coro, Placed) and affinity is AFFINITY.get(None)
        if factory is _EAGER:
            kwargs.setdefault("eager_start", True)
        if not is_here and (kwargs.get("eager_start") or _starts_eagerly(factory)):
            kwargs["eager_start"] = False
        if factory not in (None, _EAGER):
            return factory(loop, coro, **kwargs)
    if loop._debug or loop._closed:
        loop._check_closed()  # type: ignore[attr-defined]
    if tasks.Task is not _BASE:  # somebody has put another in its place
        return tasks.Task(coro, loop=loop, **kwargs)
    task = _new(Task)
    task.affinity = affinity
    try:
        _init(task, coro, loop=loop, **kwargs)
        if loop._debug:
            _forget_our_frames(task)
        return task
    finally:
        del task  # as asyncio does: an exception's traceback may refer to this frame


def _forget_our_frames(task: Any) -> None:
    made = task._source_traceback
    while made and made[-1].filename in _OURS:
        del made[-1]


def _starts_eagerly(factory: Callable[..., object] | None) -> bool:
    if factory is None:
        return False
    try:
        return "eager_start" in inspect.signature(factory).parameters
    except ValueError:
        return False


class Placed(Coroutine[Any, Any, Any]):
    """A coroutine whose steps leave its task unlocked."""

    def __init__(self, coro: Coroutine[Any, Any, Any], ended: Callable[[], object]) -> None:
        """``ended`` is called once, when it won't run any more."""
        self.coro = coro
        self._ended: Callable[[], object] | None = ended
        self._section: asyncio.Future[None] | None = None
        self._yielded: Any = None

    def send(self, value: Any) -> Any:
        """As of any coroutine."""
        return self._step(functools.partial(self.coro.send, value))

    def throw(self, *exc: Any) -> Any:
        """As of any coroutine."""
        return self._step(functools.partial(self.coro.throw, *exc))

    def _step(self, step: Callable[[], Any]) -> Any:
        section = self._section
        if section is None:
            section = self._section = asyncio.Future(loop=self)  # type: ignore[arg-type]
            section.set_result(None)
        try:
            section.add_done_callback(step, context=None)  # type: ignore[arg-type]
        except BaseException:
            self._end()
            raise
        yielded, self._yielded = self._yielded, None
        return yielded

    def call_soon(self, step: Callable[[], Any], _: object, *, context: None) -> None:
        """Called by the future at once, in its critical section, since it is done."""
        del context
        _detach()
        self._yielded = step()

    def get_debug(self) -> bool:
        """The future asks its loop."""
        return False

    def close(self) -> None:
        """As of any coroutine."""
        try:
            self.coro.close()
        finally:
            self._end()

    def _end(self) -> None:
        self._section = None  # it refers to this
        ended, self._ended = self._ended, None
        if ended is not None:
            ended()

    def __await__(self) -> Any:
        """As of any coroutine."""
        return self

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        return self.send(None)

    def __del__(self) -> None:
        self._end()

    def __getattr__(self, name: str) -> Any:
        """What it is called, and where it stands."""
        if name == "coro":
            raise AttributeError(name)  # __init__ has not run
        return getattr(self.coro, name)
