"""A loop that is closed refuses, in asyncio's words, and closing has its rules."""

import asyncio
import socket
import threading
import warnings
from collections.abc import Callable, Coroutine

import pytest

from tests.conftest import Loop, forget
from tests.unit.connections import tcp_pair

CLOSED = "^Event loop is closed$"


@pytest.mark.parametrize(
    "use",
    [
        lambda loop: loop.call_soon(print),
        lambda loop: loop.call_soon_threadsafe(print),
        lambda loop: loop.call_later(1, print),
        lambda loop: loop.call_at(1, print),
        lambda loop: loop.run_in_executor(None, print),
        lambda loop: loop.run_forever(),
        lambda loop: loop.run_until_complete(loop.create_future()),
        lambda loop: loop.add_reader(0, print),
        lambda loop: loop.add_writer(0, print),
        lambda loop: loop.add_signal_handler(1, print),
    ],
)
def test_a_closed_loop_refuses_to_work(loop: Loop, use: Callable[[Loop], object]) -> None:
    loop.close()
    with pytest.raises(RuntimeError, match=CLOSED):
        use(loop)


@pytest.mark.parametrize(
    "use",
    [
        lambda loop, coroutine: loop.create_task(coroutine),
        lambda loop, coroutine: loop.run_until_complete(coroutine),
    ],
)
def test_a_closed_loop_takes_no_coroutines(
    loop: Loop, use: Callable[[Loop, Coroutine[None, None, None]], object]
) -> None:
    loop.close()
    coroutine = asyncio.sleep(0)
    with pytest.raises(RuntimeError, match=CLOSED):
        use(loop, coroutine)
    coroutine.close()


def test_a_closed_loop_is_closed_and_not_running(loop: Loop) -> None:
    assert not loop.is_closed()
    loop.close()
    assert loop.is_closed()
    assert not loop.is_running()


def test_closing_twice_is_fine(loop: Loop) -> None:
    loop.close()
    loop.close()


def test_a_running_loop_cannot_be_closed(loop: Loop) -> None:
    async def close() -> None:
        with pytest.raises(RuntimeError, match="^Cannot close a running event loop$"):
            loop.close()

    loop.run_until_complete(close())
    assert not loop.is_closed()


def test_stop_after_close_is_fine(loop: Loop) -> None:
    loop.close()
    loop.stop()


def test_a_closed_loop_still_tells_time_and_makes_futures(loop: Loop) -> None:
    loop.close()
    assert loop.time() > 0
    assert not loop.create_future().done()
    assert not loop.get_debug()


def test_callbacks_that_wait_when_the_loop_is_closed_never_run(loop: Loop) -> None:
    loop.call_soon(pytest.fail)
    loop.call_later(0, pytest.fail)
    loop.call_soon_threadsafe(pytest.fail)
    loop.close()


def test_a_loop_is_closed_from_another_thread(loop: Loop) -> None:
    loop.run_until_complete(asyncio.sleep(0))
    thread = threading.Thread(target=loop.close)
    thread.start()
    thread.join()
    assert loop.is_closed()


def test_a_watched_socket_stays_open_when_the_loop_is_closed(loop: Loop) -> None:
    ours, peer = socket.socketpair()
    with ours, peer:
        loop.add_reader(ours, print)
        loop.close()
        peer.send(b"x")
        assert ours.recv(1) == b"x"


@pytest.mark.parametrize("is_paused", [False, True])
def test_a_transport_of_a_closed_loop_refuses_or_ignores_but_never_crashes(
    loop: Loop, is_paused: bool
) -> None:
    ours, peer = tcp_pair()
    transport, _ = loop.run_until_complete(loop.create_connection(asyncio.Protocol, sock=ours))
    if is_paused:
        transport.pause_reading()
    loop.close()
    refusals: set[str] = set()
    for name, *args in (
        ("write", b"x"),
        ("write", bytes(10_000_000)),  # more than the kernel takes
        ("writelines", [b"x", b"y"]),
        ("pause_reading",),
        ("resume_reading",),
        ("get_write_buffer_size",),
        ("write_eof",),
        ("__repr__",),
        ("is_closing",),
        ("close",),
        ("abort",),
    ):
        try:
            getattr(transport, name)(*args)
        except RuntimeError as error:
            refusals.add(str(error))
    assert refusals <= {"Event loop is closed"}
    ours.close()
    peer.close()
    kept: list[object] = [transport]
    del transport
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        forget(kept)


@pytest.mark.parametrize("name", ["call_soon", "call_later", "call_at", "call_soon_threadsafe"])
def test_missing_arguments_are_refused(loop: Loop, name: str) -> None:
    with pytest.raises(TypeError):
        getattr(loop, name)()


@pytest.mark.parametrize("name", ["call_soon", "call_soon_threadsafe"])
def test_unknown_keywords_are_refused(loop: Loop, name: str) -> None:
    with pytest.raises(TypeError):
        getattr(loop, name)(print, unknown=1)
    with pytest.raises(TypeError):
        getattr(loop, name)(print, 1, context=None, unknown=1)


def test_arguments_may_be_given_by_name(loop: Loop) -> None:
    ran: list[str] = []
    loop.call_soon(callback=lambda: ran.append("soon"))
    loop.call_later(delay=-1, callback=lambda: ran.append("timer"))
    loop.call_at(when=0, callback=lambda: ran.append("at"), context=None)
    loop.call_later(0.005, loop.stop)
    loop.run_forever()
    assert ran == ["soon", "at", "timer"]


def test_a_context_that_is_none_means_the_current_one(loop: Loop) -> None:
    loop.call_soon(loop.stop, context=None)
    loop.run_forever()


def test_a_context_that_is_not_one_never_crashes(loop: Loop) -> None:
    reports: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: reports.append(context))
    try:
        loop.call_soon(print, context=42)  # type: ignore[arg-type]
    except (TypeError, AttributeError):
        return
    loop.stop()
    try:
        loop.run_forever()
    except (TypeError, AttributeError):
        return
    assert reports
