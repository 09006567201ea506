"""Raises an exception in the middle of rloop's own Python code, as a signal handler may.

Python runs signal handlers where it looks whether there are any: when a function begins, after a
call into C or Java, when a loop goes round. What a handler raises comes out there: after a call has
done its work, and before its result is stored.
"""

import dis
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import rloop

_PACKAGE = str(Path(rloop.__file__).parent)
_LOOKS_FOR_SIGNALS = ("RESUME", "CALL", "PRECALL", "JUMP_BACKWARD")


class Interrupt(BaseException):
    """What a signal handler raises: a time limit, Ctrl-C."""


class Interruption:
    """Comes at the place of a number, counted in rloop's files."""

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
        if self.has_come or not frame.f_code.co_filename.startswith(_PACKAGE):
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        last = ""

        def step(frame: FrameType, event: str, argument: Any) -> Any:
            nonlocal last
            if event == "opcode" and not self.has_come:
                coming = dis.opname[frame.f_code.co_code[frame.f_lasti]]
                is_split = last == "PRECALL" and coming == "CALL"  # one instruction in effect
                if last.startswith(_LOOKS_FOR_SIGNALS) and not is_split:
                    self._pass(frame)
                last = coming
            return step

        return step

    def _pass(self, frame: FrameType) -> None:
        self._count += 1
        if self._count >= self.at:
            self.has_come = True
            name = Path(frame.f_code.co_filename).name
            self.place = f"{name}:{frame.f_lineno} in {frame.f_code.co_name}"
            raise Interrupt


def interrupt(
    operation: Callable[[], object], check: Callable[[Interruption], object], every: int = 1
) -> int:
    """Runs an operation until it isn't interrupted: at the first place, at the second, and so on.

    Checks after each time; returns how many places there are, about. `every` third place, say,
    where the operation takes long.
    """
    at = 1
    while True:
        interruption = Interruption(at)
        try:
            with interruption.armed():
                operation()
        except Interrupt:
            pass
        check(interruption)
        if not interruption.has_come:
            return at - 1
        at += every
