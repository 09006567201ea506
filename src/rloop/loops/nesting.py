"""Runs within runs, as nest_asyncio and its like make them.

They put a ``_run_once`` of their own in the place of the loop's: the standard library's, made
simpler, which asks the selector, hands what that found to ``_process_events``, and goes on with
what is ready. Here Java is the selector, and nothing is ever ready afterwards: ``_process_events``
makes the calls of one batch. A call among them, a task's step for instance, may run the loop again;
that inner run takes what is left of the batch first.
"""

from __future__ import annotations

import asyncio
from asyncio import tasks
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import Context
from typing import TYPE_CHECKING, Any

Call = tuple[Any, ...]  # (context, callback, *arguments)


class Nesting(asyncio.SelectorEventLoop):
    """The part of the loop that lets others run it."""

    __slots__ = ()

    if TYPE_CHECKING:
        # Made by Java
        _start_run: Callable[[], None]
        _abandon_run: Callable[[], None]
        _is_run_over: Callable[[], bool]
        _is_batch_over: Callable[[], bool]
        _take_stop: Callable[[], bool]
        # RLoop's
        _calls: Callable[[], Iterable[Call]]
        _run_timed: Callable[..., None]
        _report: Callable[[Call, BaseException], None]
        _report_slow_call: Callable[[Call, float], None]
        _let_signals_wake: Callable[[], None]
        _let_signals_sleep: Callable[[], None]
        # The standard library's
        _debug: bool
        _stopping: bool

    _has_nested = False  # while a call ran, so that it isn't the last that started

    def _process_events(self, _: object) -> None:
        """Makes the calls of a batch, after a wait where there is none."""
        with self._run_of_others() if self._is_run_over() else self._run_inside():
            call: Call | None
            for call in self._calls():
                self._make(call)
                call = None  # noqa: PLW2901  # dies before the next starts
                if self._is_batch_over():
                    break
            else:
                self._stopping = self._is_run_over()

    def _take_nested(self) -> bool:
        """Whether other calls were made within the one that has raised."""
        has_nested = self._has_nested
        self._has_nested = False
        return has_nested

    def _make(self, call: Call) -> None:
        from .handles import run  # noqa: PLC0415  # it needs the module that Java makes

        context, callback, *arguments = call
        if callback is run or callback is dict or callback == self._report_slow_call:
            context = Context()  # Java has one for all of these, which an outer run may be in
        try:
            (self._run_timed if self._debug else Context.run)(context, callback, *arguments)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as exc:
            self._report(call, exc)

    @contextmanager
    def _run_of_others(self) -> Iterator[None]:
        try:
            self._let_signals_wake()
            self._start_run()
            yield
        finally:
            self._stopping |= self._take_stop()
            self._abandon_run()
            self._let_signals_sleep()

    @contextmanager
    def _run_inside(self) -> Iterator[None]:
        self._has_nested = True
        with self._between_tasks():
            try:
                yield
            finally:
                if self._take_stop() or self._is_run_over():
                    self._start_run()  # which the outer one is in
                    self._stopping = True
                    self.call_soon(self._stop_outer_run)

    @contextmanager
    def _between_tasks(self) -> Iterator[None]:
        """The task whose step runs the loop is not the current one meanwhile."""
        # Tasks written in Python, as nest_asyncio has them, and asyncio's own in C: up to 3.13 they
        # have one dictionary.
        in_python = tasks._current_tasks.pop(self, None)  # type: ignore[attr-defined]
        in_c = tasks.current_task(self)
        if in_c is not None:
            tasks._leave_task(self, in_c)
        try:
            yield
        finally:
            if in_c is not None:
                tasks._enter_task(self, in_c)
            if in_python is not None:
                tasks._current_tasks[self] = in_python  # type: ignore[attr-defined]

    def _stop_outer_run(self) -> None:
        """If the inner one, having ended, has left it to be stopped."""
        if self._stopping:
            self.stop()
