"""Raises an exception in the middle of rloop's own Python code, as a signal handler may.

Python runs signal handlers where it looks whether there are any: when a function begins, after a
call into C or Java, when a loop goes round. What a handler raises comes out there: after a call has
done its work, and before its result is stored.
"""

import dis
import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType, FunctionType
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
        self._last: dict[int, str] = {}  # by the address of the frame, which is not kept alive

    @contextmanager
    def armed(self) -> Iterator[None]:
        """While it may come."""
        with _watched_instructions(self._instruction):
            yield

    def _instruction(self, frame: FrameType) -> None:
        """One that is about to be executed."""
        if self.has_come:
            return
        coming = dis.opname[frame.f_code.co_code[frame.f_lasti]]
        last = self._last.get(id(frame), "") if frame.f_lasti else ""
        self._last[id(frame)] = coming
        is_split = last == "PRECALL" and coming == "CALL"  # one instruction in effect
        if last.startswith(_LOOKS_FOR_SIGNALS) and not is_split:
            self._count += 1
            if self._count >= self.at:
                self.has_come = True
                name = Path(frame.f_code.co_filename).name
                self.place = f"{name}:{frame.f_lineno} in {frame.f_code.co_name}"
                raise Interrupt


if sys.version_info >= (3, 12):
    _TOOL = sys.monitoring.PROFILER_ID
    _INSTRUCTION = sys.monitoring.events.INSTRUCTION

    @contextmanager
    def _watched_instructions(watch: Callable[[FrameType], None]) -> Iterator[None]:
        """Calls `watch` before each instruction of rloop's; `settrace` misses the first run."""
        sys.monitoring.use_tool_id(_TOOL, "interruptions")
        for code in _all_code():
            sys.monitoring.set_local_events(_TOOL, code, _INSTRUCTION)
        sys.monitoring.register_callback(
            _TOOL, _INSTRUCTION, lambda _code, _offset: watch(sys._getframe(1))
        )
        try:
            yield
        finally:
            sys.monitoring.register_callback(_TOOL, _INSTRUCTION, None)
            for code in _all_code():
                sys.monitoring.set_local_events(_TOOL, code, 0)
            sys.monitoring.free_tool_id(_TOOL)

    def _all_code() -> Iterator[CodeType]:
        for each in gc.get_objects():
            if isinstance(each, FunctionType) and each.__code__.co_filename.startswith(_PACKAGE):
                yield from _with_inner(each.__code__)

    def _with_inner(code: CodeType) -> Iterator[CodeType]:
        yield code
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                yield from _with_inner(constant)

else:

    @contextmanager
    def _watched_instructions(watch: Callable[[FrameType], None]) -> Iterator[None]:
        """Calls `watch` before each instruction of rloop's."""

        def enter(frame: FrameType, event: str, argument: Any) -> Any:
            if not frame.f_code.co_filename.startswith(_PACKAGE):
                return None
            frame.f_trace_opcodes = True
            frame.f_trace_lines = False
            return step

        def step(frame: FrameType, event: str, argument: Any) -> Any:
            if event == "opcode":
                watch(frame)
            return step

        before = sys.gettrace()
        sys.settrace(enter)
        try:
            yield
        finally:
            sys.settrace(before)


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
