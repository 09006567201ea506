"""Raises an exception in the middle of rloop's own Python code, as a signal handler may.

A signal handler's exception comes out of whichever bytecode was to run next: after a call into
Java has returned, before its result is stored. `interrupt(operation)` runs an operation again and
again, and interrupts it before its first bytecode in rloop's files, then before its second, until
it runs through.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import rloop

_PACKAGE = str(Path(rloop.__file__).parent)


class Interrupt(BaseException):
    """What a signal handler raises: a time limit, Ctrl-C."""


class Interruption:
    """Comes before the bytecode of a number, counted in rloop's files."""

    def __init__(self, at: int) -> None:
        """Has not come yet."""
        self.at = at
        self.has_come = False
        self.place = "nowhere"
        self._count = 0

    @contextmanager
    def armed(self) -> Iterator[None]:
        """While it may come."""
        before = sys.gettrace()
        sys.settrace(self._enter)
        try:
            yield
        finally:
            sys.settrace(before)

    def _enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(_PACKAGE) or self.has_come:
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return self._step

    def _step(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "opcode" and not self.has_come:
            self._count += 1
            if self._count >= self.at:
                self.has_come = True
                name = Path(frame.f_code.co_filename).name
                self.place = f"{name}:{frame.f_lineno} in {frame.f_code.co_name}"
                raise Interrupt
        return self._step


def interruptions(step: int = 1) -> Iterator[Interruption]:
    """One before the first bytecode, one before the second, until one does not come."""
    at = 1
    while True:
        interruption = Interruption(at)
        yield interruption
        if not interruption.has_come:
            return
        at += step


def interrupt(operation: Callable[[], object], check: Callable[[Interruption], object]) -> int:
    """Interrupts an operation at each place; checks after each time; returns how many there are."""
    count = 0
    for interruption in interruptions():
        try:
            with interruption.armed():
                operation()
        except Interrupt:
            count += 1
        check(interruption)
    return count
