"""Debug mode: what it checks, and what it remembers and warns of."""

import asyncio
import logging
import os
import re
import threading
import time
import types
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.conftest import Loop, run_one_iteration
from tests.hazards.scripts import assert_clean, on_loop, run_script

Schedule = Callable[[Any], object]


@pytest.fixture
def debug_loop(loop: Loop) -> Loop:
    """A loop in debug mode."""
    loop.set_debug(True)
    return loop


async def coroutine_function() -> None:
    pass


def has_origin(coroutine: Coroutine[Any, Any, None]) -> bool:
    assert isinstance(coroutine, types.CoroutineType)
    return coroutine.cr_origin is not None


def test_debug_mode_is_off_until_set(loop: Loop) -> None:
    assert not loop.get_debug()
    loop.set_debug(True)
    assert loop.get_debug()


def test_the_limit_for_slow_callbacks_is_a_tenth_of_a_second(loop: Loop) -> None:
    assert loop.slow_callback_duration == 0.1


def test_a_slow_callback_is_warned_of(debug_loop: Loop, caplog: pytest.LogCaptureFixture) -> None:
    debug_loop.slow_callback_duration = 0.005
    debug_loop.call_soon(time.sleep, 0.01)
    debug_loop.call_soon(bool)
    run_one_iteration(debug_loop)
    (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert record.name == "asyncio"
    assert re.fullmatch(
        r"Executing <Handle .*sleep\(0\.01\) .*created at .*test_debug_mode\.py:\d+> "
        r"took \d+\.\d{3} seconds",
        record.getMessage(),
    )


def test_a_slow_timer_is_warned_of(debug_loop: Loop, caplog: pytest.LogCaptureFixture) -> None:
    debug_loop.slow_callback_duration = 0.005
    debug_loop.call_later(-1, time.sleep, 0.01)
    run_one_iteration(debug_loop)
    messages = [record.getMessage() for record in caplog.records]
    assert any(message.startswith("Executing <TimerHandle when=") for message in messages)


def test_debug_mode_may_be_set_twice_in_a_callback(
    loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    def set_twice() -> None:
        loop.set_debug(True)
        loop.set_debug(True)
        loop.slow_callback_duration = 0.005
        loop.call_soon(time.sleep, 0.01)
        loop.call_later(0.02, loop.stop)

    loop.call_soon(set_twice)
    loop.run_forever()
    assert "sleep(0.01)" in caplog.text


def test_a_slow_callback_of_a_handle_is_warned_of_by_its_own_name(
    loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    loop.slow_callback_duration = 0.005
    argument = loop.call_later(60, print)
    loop.call_soon(lambda handle: time.sleep(0.01), argument)
    loop.set_debug(True)
    run_one_iteration(loop)
    assert "lambda" in caplog.text


def test_a_slow_step_of_a_task_is_warned_of(
    debug_loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    debug_loop.slow_callback_duration = 0.005

    async def slow_step() -> None:
        time.sleep(0.01)

    debug_loop.run_until_complete(slow_step())
    messages = [record.getMessage() for record in caplog.records]
    pattern = r"Executing <Task .*slow_step\(\).*> took \d+\.\d{3} seconds"
    assert any(re.fullmatch(pattern, message) for message in messages)


def test_a_callback_that_is_quick_is_not_warned_of(
    debug_loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    debug_loop.slow_callback_duration = 10
    debug_loop.call_soon(bool)
    run_one_iteration(debug_loop)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_failing_callback_is_reported_with_the_place_of_its_scheduling(
    debug_loop: Loop,
) -> None:
    reports: list[dict[str, Any]] = []
    debug_loop.set_exception_handler(lambda _, context: reports.append(context))
    debug_loop.call_soon(divmod, 1, 0)
    debug_loop.call_later(-1, divmod, 1, 0)
    run_one_iteration(debug_loop)
    assert len(reports) == 2
    for report in reports:
        last = report["source_traceback"][-1]
        assert last.filename == __file__
        assert last.name == "test_a_failing_callback_is_reported_with_the_place_of_its_scheduling"


def test_the_default_handler_tells_the_place_of_the_scheduling(
    debug_loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    debug_loop.call_soon(divmod, 1, 0)
    run_one_iteration(debug_loop)
    message = next(r.getMessage() for r in caplog.records if r.levelno == logging.ERROR)
    caplog.clear()
    assert "source_traceback: Object created at (most recent call last):" in message
    assert os.path.basename(__file__) in message


def test_cancellation_works_in_debug_mode(debug_loop: Loop) -> None:
    later = debug_loop.call_later(-1, pytest.fail, "was cancelled")
    debug_loop.call_soon(later.cancel)
    run_one_iteration(debug_loop)


def test_the_order_is_the_same_in_debug_mode(debug_loop: Loop) -> None:
    ran: list[str] = []
    debug_loop.call_later(-1, ran.append, "timer")
    debug_loop.call_soon(lambda: (ran.append("soon"), debug_loop.call_soon(ran.append, "child")))
    run_one_iteration(debug_loop)
    assert ran == ["soon", "timer"]
    run_one_iteration(debug_loop)
    assert ran == ["soon", "timer", "child"]


def test_debug_mode_switched_by_a_callback_holds_for_the_next(
    loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    loop.slow_callback_duration = 0.005
    ran: list[str] = []
    loop.call_soon(loop.set_debug, True)
    loop.call_soon(ran.append, "in the same iteration")
    run_one_iteration(loop)
    loop.call_soon(time.sleep, 0.01)
    run_one_iteration(loop)
    assert ran == ["in the same iteration"]
    assert any("Executing" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(
    ("name", "schedule"),
    [
        ("call_soon", lambda loop, callback: loop.call_soon(callback)),
        ("call_soon_threadsafe", lambda loop, callback: loop.call_soon_threadsafe(callback)),
        ("call_at", lambda loop, callback: loop.call_later(60, callback)),
        ("call_at", lambda loop, callback: loop.call_at(60, callback)),
        ("run_in_executor", lambda loop, callback: loop.run_in_executor(None, callback)),
    ],
)
def test_what_cannot_be_called_is_refused(
    debug_loop: Loop, name: str, schedule: Callable[[Loop, Any], object]
) -> None:
    message = rf"^a callable object was expected by {name}\(\), got 42$"
    with pytest.raises(TypeError, match=message):
        schedule(debug_loop, 42)
    message = rf"^coroutines cannot be used with {name}\(\)$"
    with pytest.raises(TypeError, match=message):
        schedule(debug_loop, coroutine_function)
    coroutine = coroutine_function()
    with pytest.raises(TypeError, match=message):
        schedule(debug_loop, coroutine)
    coroutine.close()


@pytest.mark.parametrize(
    "schedule",
    [
        lambda loop: loop.call_soon(bool),
        lambda loop: loop.call_later(60, bool),
        lambda loop: loop.call_at(60, bool),
    ],
)
def test_scheduling_from_another_thread_is_refused(
    debug_loop: Loop, schedule: Callable[[Loop], object]
) -> None:
    errors: list[RuntimeError] = []

    def schedule_elsewhere() -> None:
        try:
            schedule(debug_loop)
        except RuntimeError as error:
            errors.append(error)

    async def main() -> None:
        thread = threading.Thread(target=schedule_elsewhere)
        thread.start()
        thread.join()

    debug_loop.run_until_complete(main())
    (error,) = errors
    assert str(error) == (
        "Non-thread-safe operation invoked on an event loop other than the current one"
    )


def test_scheduling_from_another_thread_is_fine_while_the_loop_rests(debug_loop: Loop) -> None:
    ran: list[str] = []
    thread = threading.Thread(target=debug_loop.call_soon, args=(ran.append, "ran"))
    thread.start()
    thread.join()
    run_one_iteration(debug_loop)
    assert ran == ["ran"]


def test_coroutines_remember_their_origin_while_the_loop_runs(debug_loop: Loop) -> None:
    async def main() -> bool:
        coroutine = coroutine_function()
        remembered = has_origin(coroutine)
        await coroutine
        return remembered

    assert debug_loop.run_until_complete(main())
    coroutine = coroutine_function()
    assert not has_origin(coroutine)
    coroutine.close()


def test_set_debug_while_running_switches_coroutine_origins(loop: Loop) -> None:
    async def main() -> bool:
        loop.set_debug(True)
        await asyncio.sleep(0.001)
        coroutine = coroutine_function()
        remembered = has_origin(coroutine)
        await coroutine
        return remembered

    assert loop.run_until_complete(main())


REPORTS_ITS_MODE = """
    loop = new_loop()
    print(loop.get_debug())
    loop.close()
"""


def test_the_environment_switches_debug_mode_on(loop_name: str) -> None:
    environment = {**os.environ, "PYTHONASYNCIODEBUG": "1"}
    result = run_script(on_loop(loop_name, REPORTS_ITS_MODE), env=environment)
    assert_clean(result)
    assert result.stdout == "True\n"


def test_development_mode_switches_debug_mode_on(loop_name: str) -> None:
    result = run_script(on_loop(loop_name, REPORTS_ITS_MODE), python_options=["-X", "dev"])
    assert_clean(result)
    assert result.stdout == "True\n"


def test_asyncio_run_sets_debug_mode(loop_name: str) -> None:
    script = """
        import asyncio

        async def main():
            print(asyncio.get_running_loop().get_debug())

        with asyncio.Runner(debug=True, loop_factory=new_loop) as runner:
            runner.run(main())
    """
    result = run_script(on_loop(loop_name, script))
    assert_clean(result)
    assert result.stdout == "True\n"
