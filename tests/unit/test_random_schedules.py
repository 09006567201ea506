"""Random programs of scheduling and cancelling run in the order in which asyncio runs them."""

import asyncio
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Loop, LoopFactory

# Each example makes two loops; more would not find more in the time that it takes.
EXAMPLES = 60

# Deadlines far enough in the past to be due at once, and apart enough to have one order.
LONG_AGO = -1e6


@dataclass(frozen=True)
class Soon:
    """`call_soon` of a callback that does what follows."""

    then: tuple["Action", ...]


@dataclass(frozen=True)
class Timer:
    """`call_at` a time in the past."""

    rank: int
    then: tuple["Action", ...]


@dataclass(frozen=True)
class Cancel:
    """`cancel` of a handle made before, counted from the last."""

    back: int


@dataclass(frozen=True)
class Raise:
    """The end of the callback by an exception."""


Action = Soon | Timer | Cancel | Raise

leaves: st.SearchStrategy[Action] = st.one_of(
    st.builds(Soon, st.just(())),
    st.builds(Cancel, st.integers(0, 10)),
    st.builds(Timer, st.integers(0, 5), st.just(())),
    st.just(Raise()),
)
programs = st.lists(
    st.recursive(
        leaves,
        lambda actions: st.one_of(
            st.builds(Soon, st.lists(actions, max_size=4).map(tuple)),
            st.builds(Timer, st.integers(0, 5), st.lists(actions, max_size=4).map(tuple)),
        ),
        max_leaves=15,
    ),
    min_size=1,
    max_size=12,
).map(tuple)


class Machine:
    """Runs a program on a loop, and notes which callback ran in which iteration."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._handles: list[asyncio.Handle] = []
        self._iteration = 0
        self.trace: list[tuple[int, int]] = []
        loop.set_exception_handler(lambda *_: None)

    def run(self, program: tuple[Action, ...], iterations: int) -> None:
        self._perform(program)
        for self._iteration in range(iterations):
            self._loop.stop()
            self._loop.run_forever()

    def _perform(self, actions: tuple[Action, ...]) -> None:
        for action in actions:
            number = len(self._handles)
            match action:
                case Soon(then):
                    handle = self._loop.call_soon(self._callback, number, then)
                    self._handles.append(handle)
                case Timer(rank, then):
                    # The number keeps apart timers of one rank: for equal times there is no order.
                    when = LONG_AGO + rank + number * 1e-3
                    timer = self._loop.call_at(when, self._callback, number, then)
                    self._handles.append(timer)
                case Cancel(back):
                    if back < number:
                        self._handles[number - 1 - back].cancel()
                case Raise():
                    if self.trace:  # inside a callback
                        raise LookupError

    def _callback(self, number: int, then: tuple[Action, ...]) -> None:
        self.trace.append((self._iteration, number))
        self._perform(then)


def trace_of(loop: Loop, program: tuple[Action, ...]) -> list[tuple[int, int]]:
    machine = Machine(loop)
    try:
        machine.run(program, iterations=8)
    finally:
        loop.close()
    return machine.trace


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(program=programs)
def test_a_program_of_callbacks_runs_as_on_asyncio(
    loop_factory: LoopFactory, program: tuple[Action, ...]
) -> None:
    expected = trace_of(asyncio.SelectorEventLoop(), program)
    assert trace_of(loop_factory(), program) == expected
