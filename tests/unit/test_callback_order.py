"""In which order callbacks run: the ready queue first, then I/O, then timers; FIFO in each."""

import functools
import socket
import sys
import weakref
from collections.abc import Iterator

import pytest

from tests.conftest import Loop, run_one_iteration


@pytest.fixture
def readable() -> Iterator[socket.socket]:
    """A socket that has something to read."""
    ours, peer = socket.socketpair()
    with ours, peer:
        ours.setblocking(False)
        peer.send(b"x")
        yield ours


def test_callbacks_run_in_the_order_they_were_scheduled(loop: Loop) -> None:
    ran: list[int] = []
    for number in range(1000):
        loop.call_soon(ran.append, number)
    run_one_iteration(loop)
    assert ran == list(range(1000))


def test_a_callback_scheduled_by_a_callback_runs_in_the_next_iteration(loop: Loop) -> None:
    ran: list[str] = []
    loop.call_soon(lambda: (ran.append("first"), loop.call_soon(ran.append, "child")))
    loop.call_soon(ran.append, "second")
    run_one_iteration(loop)
    assert ran == ["first", "second"]
    run_one_iteration(loop)
    assert ran == ["first", "second", "child"]


def test_callbacks_that_schedule_each_other_take_turns(loop: Loop) -> None:
    ran: list[str] = []

    def step(name: str, left: int) -> None:
        ran.append(f"{name}{left}")
        if left:
            loop.call_soon(step, name, left - 1)
        elif name == "b":
            loop.stop()

    loop.call_soon(step, "a", 3)
    loop.call_soon(step, "b", 3)
    loop.run_forever()
    assert ran == ["a3", "b3", "a2", "b2", "a1", "b1", "a0", "b0"]


@pytest.fixture
def _handles_that_let_go(loop_name: str, method: str) -> None:
    if (loop_name, method) == ("asyncio", "call_soon_threadsafe") and sys.version_info >= (3, 14):
        pytest.skip("there a handle's frame refers to it, in what an exception keeps")


@pytest.mark.parametrize("debug", [False, True], ids=["plain", "debug"])
@pytest.mark.parametrize("method", ["call_soon", "call_later", "call_soon_threadsafe"])
@pytest.mark.usefixtures("_handles_that_let_go")
def test_what_a_callback_holds_is_gone_when_the_next_one_runs(
    loop: Loop, method: str, *, debug: bool
) -> None:
    class Argument:
        pass

    kept: list[Exception] = []

    def keep_exception(argument: Argument) -> None:
        del argument
        try:
            raise LookupError
        except LookupError as exc:
            kept.append(exc)  # and with it the frames of all who called this

    loop.set_debug(debug)
    delay = (0,) if method == "call_later" else ()
    schedule = functools.partial(getattr(loop, method), *delay)
    argument = Argument()
    reference = weakref.ref(argument)
    seen: list[Argument | None] = []
    schedule(keep_exception, argument)
    del argument
    schedule(lambda: seen.append(reference()))
    schedule(loop.stop)
    loop.run_forever()
    assert seen == [None]


def test_batches_of_many_sizes_are_complete_and_in_order(loop: Loop) -> None:
    for count in (1, 127, 128, 129, 1, 10_000, 3, 300):
        ran: list[int] = []
        for number in range(count):
            loop.call_soon(ran.append, number)
        run_one_iteration(loop)
        assert ran == list(range(count))


def test_soon_and_threadsafe_callbacks_share_one_queue(loop: Loop) -> None:
    ran: list[int] = []
    for number in range(10):
        schedule = loop.call_soon_threadsafe if number % 2 else loop.call_soon
        schedule(ran.append, number)
    run_one_iteration(loop)
    assert ran == list(range(10))


def test_ready_callbacks_run_before_io_and_io_before_timers(
    loop: Loop, readable: socket.socket
) -> None:
    ran: list[str] = []
    loop.call_at(loop.time() - 1, ran.append, "timer")
    loop.add_reader(readable, ran.append, "reader")
    loop.call_soon(ran.append, "ready")
    run_one_iteration(loop)
    loop.remove_reader(readable)
    assert ran == ["ready", "reader", "timer"]


def test_a_reader_runs_before_a_writer_of_the_same_socket(
    loop: Loop, readable: socket.socket
) -> None:
    ran: list[str] = []
    loop.add_writer(readable, ran.append, "writer")
    loop.add_reader(readable, ran.append, "reader")
    run_one_iteration(loop)
    loop.remove_reader(readable)
    loop.remove_writer(readable)
    assert ran == ["reader", "writer"]


def test_io_is_not_starved_by_callbacks_that_reschedule_themselves(
    loop: Loop, readable: socket.socket
) -> None:
    def spin() -> None:
        loop.call_soon(spin)

    loop.add_reader(readable, loop.stop)
    loop.call_soon(spin)
    loop.run_forever()
    loop.remove_reader(readable)


def test_timers_are_not_starved_by_callbacks_that_reschedule_themselves(loop: Loop) -> None:
    def spin() -> None:
        loop.call_soon(spin)

    loop.call_later(0.01, loop.stop)
    loop.call_soon(spin)
    loop.run_forever()


def test_a_callback_of_a_timer_is_not_called_before_its_time(loop: Loop) -> None:
    delay = 0.05
    start = loop.time()
    loop.call_later(delay, loop.stop)
    loop.run_forever()
    assert loop.time() - start >= delay - 1e-3


def test_due_timers_run_in_the_order_of_their_deadlines(loop: Loop) -> None:
    ran: list[int] = []
    now = loop.time()
    for number in (3, 1, 4, 0, 2):
        loop.call_at(now - 10 + number, ran.append, number)
    run_one_iteration(loop)
    assert ran == [0, 1, 2, 3, 4]


def test_negative_delays_run_in_the_order_of_their_deadlines(loop: Loop) -> None:
    ran: list[str] = []
    loop.call_later(-1, ran.append, "a second late")
    loop.call_later(-3, ran.append, "three seconds late")
    loop.call_later(0, ran.append, "now")
    loop.call_later(-2, ran.append, "two seconds late")
    loop.call_later(0.01, loop.stop)
    loop.run_forever()
    assert ran == ["three seconds late", "two seconds late", "a second late", "now"]


def test_a_timer_that_is_late_by_a_long_time_runs_at_once(loop: Loop) -> None:
    ran: list[str] = []
    loop.call_at(-1e9, ran.append, "long ago")
    loop.call_at(float("-inf"), ran.append, "for ever")
    run_one_iteration(loop)
    assert ran == ["for ever", "long ago"]


def test_a_zero_delay_timer_runs_after_callbacks_that_are_ready(loop: Loop) -> None:
    ran: list[str] = []
    loop.call_later(0, ran.append, "timer")
    loop.call_soon(ran.append, "ready")
    loop.call_later(0.01, loop.stop)
    loop.run_forever()
    assert ran == ["ready", "timer"]


def test_a_due_timer_set_by_a_callback_runs_in_the_next_iteration(loop: Loop) -> None:
    ran: list[str] = []
    loop.call_soon(loop.call_later, -1, ran.append, "timer")
    loop.call_soon(ran.append, "ready")
    run_one_iteration(loop)
    assert ran == ["ready"]
    run_one_iteration(loop)
    assert ran == ["ready", "timer"]


def test_a_due_timer_set_by_a_timer_runs_in_the_next_iteration(loop: Loop) -> None:
    ran: list[str] = []
    loop.call_later(-1, loop.call_later, -2, ran.append, "child")
    run_one_iteration(loop)
    assert ran == []
    run_one_iteration(loop)
    assert ran == ["child"]


def test_timers_of_one_deadline_all_run_in_one_iteration(loop: Loop) -> None:
    ran: list[int] = []
    deadline = loop.time() - 1
    for number in range(100):
        loop.call_at(deadline, ran.append, number)
    run_one_iteration(loop)
    assert sorted(ran) == list(range(100))


def test_a_thousand_timers_run_in_the_order_of_their_deadlines(loop: Loop) -> None:
    ran: list[int] = []
    now = loop.time()
    numbers = [number * 7919 % 1000 for number in range(1000)]
    for number in numbers:
        loop.call_at(now + number * 1e-6, ran.append, number)
    loop.call_at(now + 0.05, loop.stop)
    loop.run_forever()
    assert ran == sorted(numbers)
