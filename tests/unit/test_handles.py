"""The handles that scheduling gives back: asyncio's own types, whoever keeps or cancels them."""

import asyncio
import contextvars
import gc
import weakref
from collections.abc import Callable

import pytest

from tests.conftest import Loop, run_one_iteration

Schedule = Callable[..., asyncio.Handle]


@pytest.fixture(params=["call_soon", "call_soon_threadsafe", "call_later", "call_at"])
def schedule(loop: Loop, request: pytest.FixtureRequest) -> Schedule:
    """Each way to schedule a callback for the next iteration."""
    ways: dict[str, Schedule] = {
        "call_soon": loop.call_soon,
        "call_soon_threadsafe": loop.call_soon_threadsafe,
        "call_later": lambda *args, **named: loop.call_later(-1, *args, **named),
        "call_at": lambda *args, **named: loop.call_at(loop.time() - 1, *args, **named),
    }
    return ways[request.param]


def test_a_handle_is_one_of_asyncio(schedule: Schedule) -> None:
    assert isinstance(schedule(print), asyncio.Handle)


def test_a_handle_passes_its_arguments(loop: Loop, schedule: Schedule) -> None:
    ran: list[tuple[object, ...]] = []
    schedule(lambda *args: ran.append(args))
    schedule(lambda *args: ran.append(args), 1)
    schedule(lambda *args: ran.append(args), 1, "two", None, 4.0, b"5", (6,), [7])
    run_one_iteration(loop)
    assert ran == [(), (1,), (1, "two", None, 4.0, b"5", (6,), [7])]


def test_a_handle_that_nobody_keeps_runs(loop: Loop, schedule: Schedule) -> None:
    ran: list[int] = []
    for number in range(10):
        schedule(ran.append, number)
    gc.collect()
    run_one_iteration(loop)
    assert sorted(ran) == list(range(10))


def test_handles_that_are_kept_are_all_different(loop: Loop, schedule: Schedule) -> None:
    ran: list[int] = []
    handles = [schedule(ran.append, number) for number in range(100)]
    assert len({id(handle) for handle in handles}) == 100
    for handle in handles[1::2]:
        handle.cancel()
    assert [handle.cancelled() for handle in handles] == [False, True] * 50
    run_one_iteration(loop)
    assert sorted(ran) == list(range(0, 100, 2))


def test_a_cancelled_handle_does_not_run(loop: Loop, schedule: Schedule) -> None:
    ran: list[str] = []
    handle = schedule(ran.append, "cancelled")
    schedule(ran.append, "kept")
    assert not handle.cancelled()
    handle.cancel()
    assert handle.cancelled()
    run_one_iteration(loop)
    assert ran == ["kept"]


def test_cancelling_twice_is_fine(loop: Loop, schedule: Schedule) -> None:
    handle = schedule(pytest.fail)
    handle.cancel()
    handle.cancel()
    assert handle.cancelled()
    run_one_iteration(loop)


def test_an_earlier_callback_of_the_iteration_cancels_a_later_one(
    loop: Loop, schedule: Schedule
) -> None:
    ran: list[str] = []
    handles: list[asyncio.Handle] = []
    loop.call_soon(lambda: [handle.cancel() for handle in handles])
    handles.append(schedule(ran.append, "cancelled"))
    schedule(ran.append, "kept")
    run_one_iteration(loop)
    assert ran == ["kept"]


def test_a_callback_cancels_all_others_of_the_iteration(loop: Loop, schedule: Schedule) -> None:
    handles: list[asyncio.Handle] = []

    def cancel_all() -> None:
        for handle in handles:
            handle.cancel()

    loop.call_soon(cancel_all)
    handles.extend(schedule(pytest.fail) for _ in range(50))
    run_one_iteration(loop)


def test_a_callback_cancels_itself(loop: Loop, schedule: Schedule) -> None:
    ran: list[str] = []
    handles: list[asyncio.Handle] = []

    def cancel_myself() -> None:
        handles[0].cancel()
        ran.append("to the end")

    handles.append(schedule(cancel_myself))
    run_one_iteration(loop)
    assert ran == ["to the end"]
    assert handles[0].cancelled()


def test_a_handle_that_has_run_is_not_cancelled(loop: Loop, schedule: Schedule) -> None:
    ran: list[str] = []
    handle = schedule(ran.append, "ran")
    run_one_iteration(loop)
    assert ran == ["ran"]
    assert not handle.cancelled()
    handle.cancel()
    assert handle.cancelled()
    run_one_iteration(loop)
    assert ran == ["ran"]


def test_a_handle_of_an_earlier_run_does_not_cancel_a_later_callback(
    loop: Loop, schedule: Schedule
) -> None:
    ran: list[int] = []
    old = schedule(ran.append, 1)
    run_one_iteration(loop)
    new = schedule(ran.append, 2)
    old.cancel()
    assert not new.cancelled()
    run_one_iteration(loop)
    assert ran == [1, 2]


def test_cancelling_releases_the_callback_and_its_arguments(schedule: Schedule) -> None:
    class Argument:
        pass

    argument = Argument()
    reference = weakref.ref(argument)
    handle = schedule(print, argument)
    del argument
    handle.cancel()
    gc.collect()
    assert reference() is None


def test_running_releases_the_callback_and_its_arguments(loop: Loop, schedule: Schedule) -> None:
    class Argument:
        pass

    argument = Argument()
    reference = weakref.ref(argument)
    schedule(bool, argument)
    del argument
    assert reference() is not None
    run_one_iteration(loop)
    run_one_iteration(loop)
    gc.collect()
    assert reference() is None


def test_a_handle_takes_weak_references(loop: Loop, schedule: Schedule) -> None:
    handle = schedule(bool)
    reference = weakref.ref(handle)
    assert reference() is handle
    handle.cancel()


def test_a_weak_reference_never_comes_to_mean_another_callback(
    loop: Loop, schedule: Schedule
) -> None:
    reference = weakref.ref(schedule(bool))
    run_one_iteration(loop)
    handles = [schedule(bool) for _ in range(3)]
    assert not any(reference() is handle for handle in handles)
    run_one_iteration(loop)


def test_repr_names_the_callback(schedule: Schedule) -> None:
    handle = schedule(print, 1, "two")
    assert repr(handle).startswith(f"<{type(handle).__name__}")
    assert " print(" in repr(handle)
    handle.cancel()
    assert repr(handle).startswith(f"<{type(handle).__name__} cancelled")
    assert "print" not in repr(handle)


def test_repr_of_a_timer_tells_its_time(loop: Loop) -> None:
    handle = loop.call_at(loop.time() + 60, print, 1)
    assert f"when={handle.when()}" in repr(handle)
    handle.cancel()
    assert f"cancelled when={handle.when()}" in repr(handle)


def test_a_handle_keeps_a_cancelled_callback_in_its_repr_in_debug_mode(
    loop: Loop, schedule: Schedule
) -> None:
    loop.set_debug(True)
    handle = schedule(print, 1, "two")
    handle.cancel()
    assert "print(1, 'two')" in repr(handle)
    assert "created at" in repr(handle)


def test_the_context_is_the_one_of_the_scheduling_code(loop: Loop, schedule: Schedule) -> None:
    variable = contextvars.ContextVar("variable", default="default")
    seen: list[str] = []
    schedule(lambda: seen.append(variable.get()))
    variable.set("later")
    schedule(lambda: seen.append(variable.get()))
    run_one_iteration(loop)
    assert seen == ["default", "later"]


def test_the_context_may_be_given(loop: Loop, schedule: Schedule) -> None:
    variable = contextvars.ContextVar("variable", default="default")
    context = contextvars.copy_context()
    context.run(variable.set, "given")
    seen: list[str] = []

    def callback() -> None:
        seen.append(variable.get())
        variable.set("changed")

    schedule(callback, context=context)
    schedule(callback)
    run_one_iteration(loop)
    assert seen == ["given", "default"]
    assert context[variable] == "changed"
    assert variable.get() == "default"


def test_a_callback_does_not_change_the_context_of_others(loop: Loop, schedule: Schedule) -> None:
    variable = contextvars.ContextVar("variable", default=0)
    seen: list[int] = []

    def callback(value: int) -> None:
        seen.append(variable.get())
        variable.set(value)

    for value in (1, 2, 3):
        schedule(callback, value)
    run_one_iteration(loop)
    assert seen == [0, 0, 0]


def test_many_callbacks_share_a_given_context(loop: Loop, schedule: Schedule) -> None:
    variable = contextvars.ContextVar("variable", default=0)
    context = contextvars.copy_context()

    def count() -> None:
        variable.set(variable.get() + 1)

    for _ in range(100):
        schedule(count, context=context)
    run_one_iteration(loop)
    assert context[variable] == 100


@pytest.mark.skipif(not hasattr(asyncio.Handle, "get_context"), reason="new in Python 3.12")
def test_get_context_gives_the_context_of_the_callback(schedule: Schedule) -> None:
    context = contextvars.copy_context()
    handle = schedule(print, context=context)
    assert handle.get_context() is context  # type: ignore[attr-defined]


def test_a_hundred_thousand_callbacks_run(loop: Loop) -> None:
    ran: list[int] = []
    handles = [loop.call_soon(ran.append, number) for number in range(100_000)]
    for handle in handles[::2]:
        handle.cancel()
    run_one_iteration(loop)
    assert ran == list(range(1, 100_000, 2))


def test_a_loop_that_is_closed_does_not_keep_its_callbacks(loop: Loop, schedule: Schedule) -> None:
    class Argument:
        pass

    argument = Argument()
    reference = weakref.ref(argument)
    schedule(print, argument)
    del argument
    loop.close()
    gc.collect()
    assert reference() is None


def test_a_handle_kept_longer_than_its_loop_can_be_cancelled(
    loop: Loop, schedule: Schedule
) -> None:
    handle = schedule(print)
    loop.close()
    handle.cancel()
    assert handle.cancelled()
