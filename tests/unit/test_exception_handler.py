"""What happens to an exception that nobody catches: it is reported, and the loop goes on."""

import asyncio
import contextvars
import gc
import logging
from typing import Any

import pytest

from tests.conftest import Loop, run_one_iteration

Report = dict[str, Any]


@pytest.fixture
def reports(loop: Loop) -> list[Report]:
    """What the loop reports to its exception handler."""
    reports: list[Report] = []
    loop.set_exception_handler(lambda _, context: reports.append(context))
    return reports


def fail(*_: object) -> None:
    raise LookupError("gone")


def test_an_exception_in_a_callback_is_reported_with_its_handle(
    loop: Loop, reports: list[Report]
) -> None:
    handle = loop.call_soon(fail, 1)
    run_one_iteration(loop)
    (report,) = reports
    assert set(report) == {"message", "exception", "handle"}
    assert isinstance(report["exception"], LookupError)
    assert report["handle"] is handle
    assert report["message"].startswith("Exception in callback fail(")


def test_the_handle_of_a_failed_callback_is_reported_though_nobody_kept_it(
    loop: Loop, reports: list[Report]
) -> None:
    def fail_again() -> None:
        raise ZeroDivisionError

    loop.call_soon(fail)
    loop.call_soon(fail_again)
    run_one_iteration(loop)
    assert ["fail()" in repr(report["handle"]) for report in reports] == [True, False]
    assert ["fail_again()" in repr(report["handle"]) for report in reports] == [False, True]


def test_the_timer_of_a_failed_callback_is_reported(loop: Loop, reports: list[Report]) -> None:
    handle = loop.call_later(-1, fail)
    run_one_iteration(loop)
    (report,) = reports
    assert report["handle"] is handle
    assert report["message"].startswith("Exception in callback fail() at ")


def test_the_traceback_begins_in_the_loop_and_ends_where_it_was_raised(
    loop: Loop, reports: list[Report]
) -> None:
    loop.call_soon(fail)
    run_one_iteration(loop)
    traceback = reports[0]["exception"].__traceback__
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    assert traceback.tb_frame.f_code is fail.__code__


def test_the_rest_of_the_iteration_runs(loop: Loop, reports: list[Report]) -> None:
    ran: list[str] = []
    loop.call_soon(ran.append, "before")
    loop.call_soon(fail)
    loop.call_soon(ran.append, "between")
    loop.call_soon(fail)
    loop.call_soon(ran.append, "after")
    loop.call_later(-1, fail)
    loop.call_later(-1, ran.append, "timer")
    run_one_iteration(loop)
    assert ran == ["before", "between", "after", "timer"]
    assert len(reports) == 3


def test_a_thousand_failing_callbacks_are_reported_in_order(
    loop: Loop, reports: list[Report]
) -> None:
    def fail_with(number: int) -> None:
        raise LookupError(number)

    for number in range(1000):
        loop.call_soon(fail_with, number)
    run_one_iteration(loop)
    assert [report["exception"].args[0] for report in reports] == list(range(1000))


def test_any_kind_of_exception_is_reported(loop: Loop, reports: list[Report]) -> None:
    class Unusual(BaseException):
        pass

    kinds = [Unusual, GeneratorExit, StopIteration, StopAsyncIteration, MemoryError,
             RecursionError, asyncio.CancelledError, Exception]  # fmt: skip

    def fail_with(kind: type[BaseException]) -> None:
        raise kind

    for kind in kinds:
        loop.call_soon(fail_with, kind)
    run_one_iteration(loop)
    assert [type(report["exception"]) for report in reports] == kinds


def test_a_stop_iteration_is_reported_as_it_was_raised(loop: Loop, reports: list[Report]) -> None:
    raised = StopIteration(42)
    calls = iter([raised])

    def fail() -> None:
        raise next(calls)

    loop.call_soon(fail)
    run_one_iteration(loop)
    assert reports[0]["exception"] is raised


def test_a_callback_that_cannot_be_called_is_reported(loop: Loop, reports: list[Report]) -> None:
    loop.call_soon(42)  # type: ignore[arg-type]
    loop.call_soon(fail, 1, 2)
    run_one_iteration(loop)
    assert [type(report["exception"]) for report in reports] == [TypeError, LookupError]


def test_a_context_that_is_already_entered_is_reported(
    loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    context = contextvars.copy_context()
    loop.call_soon(pytest.fail, context=context)
    context.run(run_one_iteration, loop)
    assert "cannot enter context" in caplog.text
    caplog.clear()


def test_the_default_handler_logs_the_exception(
    loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    loop.call_soon(fail)
    run_one_iteration(loop)
    (record,) = caplog.records
    caplog.clear()
    assert (record.name, record.levelno) == ("asyncio", logging.ERROR)
    assert record.getMessage().startswith("Exception in callback fail() at ")
    assert "\nhandle: <Handle fail() at " in record.getMessage()
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], LookupError)


def test_a_handler_that_raises_is_logged(loop: Loop, caplog: pytest.LogCaptureFixture) -> None:
    def bad_handler(*_: object) -> None:
        raise ZeroDivisionError

    ran: list[str] = []
    loop.set_exception_handler(bad_handler)
    loop.call_soon(fail)
    loop.call_soon(ran.append, "after")
    run_one_iteration(loop)
    (record,) = caplog.records
    caplog.clear()
    assert record.getMessage().startswith("Unhandled error in exception handler")
    assert ran == ["after"]


def test_a_default_handler_that_raises_is_logged(
    loop: Loop, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bad_handler(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(loop, "default_exception_handler", bad_handler)
    loop.call_soon(fail)
    run_one_iteration(loop)
    (record,) = caplog.records
    caplog.clear()
    assert record.getMessage() == "Exception in default exception handler"


def test_the_handler_may_use_the_loop(loop: Loop) -> None:
    ran: list[str] = []

    def handler(loop: asyncio.AbstractEventLoop, _: Report) -> None:
        loop.call_soon(ran.append, "scheduled by the handler")
        loop.stop()

    loop.set_exception_handler(handler)
    loop.call_soon(fail)
    loop.call_soon(ran.append, "the rest")
    loop.run_forever()
    assert ran == ["the rest"]
    run_one_iteration(loop)
    assert ran == ["the rest", "scheduled by the handler"]


def test_get_exception_handler_gives_what_was_set(loop: Loop) -> None:
    def handler(loop: asyncio.AbstractEventLoop, context: Report) -> None:
        pass

    assert loop.get_exception_handler() is None
    loop.set_exception_handler(handler)
    assert loop.get_exception_handler() is handler
    loop.set_exception_handler(None)
    assert loop.get_exception_handler() is None


def test_a_handler_must_be_callable(loop: Loop) -> None:
    with pytest.raises(TypeError, match="^A callable object or None is expected, got 42$"):
        loop.set_exception_handler(42)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_exit_and_interrupt_leave_the_loop(loop: Loop, kind: type[BaseException]) -> None:
    ran: list[str] = []

    def leave() -> None:
        raise kind

    loop.call_soon(ran.append, "before")
    loop.call_soon(leave)
    loop.call_soon(ran.append, "after")
    with pytest.raises(kind):
        loop.run_forever()
    assert ran == ["before"]
    assert not loop.is_running()
    run_one_iteration(loop)
    assert ran == ["before", "after"]


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_exit_and_interrupt_in_a_timer_leave_the_rest_for_the_next_run(
    loop: Loop, kind: type[BaseException]
) -> None:
    ran: list[str] = []

    def leave() -> None:
        raise kind

    now = loop.time()
    loop.call_at(now - 2, leave)
    loop.call_at(now - 1, ran.append, "timer")
    with pytest.raises(kind):
        loop.run_forever()
    run_one_iteration(loop)
    assert ran == ["timer"]


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_exit_and_interrupt_in_a_task_leave_the_loop(loop: Loop, kind: type[BaseException]) -> None:
    async def leave() -> None:
        await asyncio.sleep(0)
        raise kind

    with pytest.raises(kind):
        loop.run_until_complete(leave())
    assert loop.run_until_complete(asyncio.sleep(0, "still usable")) == "still usable"


def test_exit_in_the_handler_leaves_the_loop(loop: Loop) -> None:
    def handler(*_: object) -> None:
        raise SystemExit(3)

    ran: list[str] = []
    loop.set_exception_handler(handler)
    loop.call_soon(fail)
    loop.call_soon(ran.append, "after")
    with pytest.raises(SystemExit):
        loop.run_forever()
    run_one_iteration(loop)
    assert ran == ["after"]


def test_a_task_whose_exception_is_never_retrieved_is_reported(
    loop: Loop, reports: list[Report]
) -> None:
    async def main() -> None:
        asyncio.create_task(failing())  # noqa: RUF006
        await asyncio.sleep(0.001)

    async def failing() -> None:
        raise LookupError("gone")

    loop.run_until_complete(main())
    gc.collect()
    (report,) = reports
    assert report["message"] == "Task exception was never retrieved"
    assert isinstance(report["future"], asyncio.Task)


def test_a_pending_task_that_is_destroyed_is_reported(loop: Loop, reports: list[Report]) -> None:
    async def wait() -> None:
        await loop.create_future()

    async def main() -> None:
        asyncio.create_task(wait())  # noqa: RUF006
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        gc.collect()

    loop.run_until_complete(main())
    (report,) = reports
    assert report["message"] == "Task was destroyed but it is pending!"


def test_call_exception_handler_passes_the_context_on(loop: Loop, reports: list[Report]) -> None:
    context = {"message": "mine", "other": 1}
    loop.call_exception_handler(context)
    assert reports == [context]


@pytest.mark.skipif(not hasattr(asyncio.Handle, "get_context"), reason="new in Python 3.12")
def test_the_handler_runs_in_the_context_of_the_callback(loop: Loop) -> None:
    variable = contextvars.ContextVar("variable", default="default")
    seen: list[str] = []
    loop.set_exception_handler(lambda *_: seen.append(variable.get()))
    context = contextvars.copy_context()
    context.run(variable.set, "of the callback")
    loop.call_soon(fail, context=context)
    run_one_iteration(loop)
    assert seen == ["of the callback"]
