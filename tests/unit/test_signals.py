"""Signal handlers of the loop, and what Ctrl-C does to `asyncio.Runner`."""

import asyncio
import os
import signal
import threading
import time

import pytest

from tests.conftest import Loop, LoopFactory


def raise_later(number: signal.Signals, delay: float = 0.05) -> threading.Thread:
    """Sends this process the signal when its loop has come to rest."""

    def send() -> None:
        time.sleep(delay)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


async def test_a_handler_runs_on_its_signal(loop: Loop) -> None:
    future = loop.create_future()
    loop.add_signal_handler(signal.SIGUSR1, future.set_result, "argument")
    os.kill(os.getpid(), signal.SIGUSR1)
    assert await future == "argument"


async def test_an_idle_loop_is_woken_by_a_signal(loop: Loop) -> None:
    future = loop.create_future()
    loop.add_signal_handler(signal.SIGUSR1, future.set_result, None)
    thread = raise_later(signal.SIGUSR1)
    await asyncio.wait_for(future, 20)
    thread.join()


async def test_a_busy_loop_runs_the_handler(loop: Loop) -> None:
    received = False

    def receive() -> None:
        nonlocal received
        received = True

    loop.add_signal_handler(signal.SIGUSR1, receive)
    thread = raise_later(signal.SIGUSR1, 0.01)
    while not received:
        await asyncio.sleep(0)
    thread.join()


async def test_the_handler_runs_in_the_loop(loop: Loop) -> None:
    future = loop.create_future()
    loop.add_signal_handler(signal.SIGUSR1, lambda: future.set_result(asyncio.get_running_loop()))
    signal.raise_signal(signal.SIGUSR1)
    assert await future is loop


async def test_each_signal_has_its_own_handler(loop: Loop) -> None:
    received: list[str] = []
    loop.add_signal_handler(signal.SIGUSR1, received.append, "USR1")
    loop.add_signal_handler(signal.SIGWINCH, received.append, "WINCH")
    loop.add_signal_handler(signal.SIGHUP, received.append, "HUP")
    loop.add_signal_handler(signal.SIGTERM, received.append, "TERM")
    loop.add_signal_handler(signal.SIGQUIT, received.append, "QUIT")
    loop.add_signal_handler(signal.SIGUSR2, received.append, "USR2")
    for number in (
        signal.SIGTERM,
        signal.SIGUSR2,
        signal.SIGHUP,
        signal.SIGQUIT,
        signal.SIGWINCH,
        signal.SIGUSR1,
    ):
        signal.raise_signal(number)
        await asyncio.sleep(0.01)
    assert received == ["TERM", "USR2", "HUP", "QUIT", "WINCH", "USR1"]


async def test_a_new_handler_replaces_the_old(loop: Loop) -> None:
    future = loop.create_future()
    loop.add_signal_handler(signal.SIGUSR1, pytest.fail, "was replaced")
    loop.add_signal_handler(signal.SIGUSR1, future.set_result, None)
    signal.raise_signal(signal.SIGUSR1)
    await future


async def test_remove_signal_handler_tells_whether_there_was_one(loop: Loop) -> None:
    assert not loop.remove_signal_handler(signal.SIGUSR1)
    loop.add_signal_handler(signal.SIGUSR1, print)
    assert loop.remove_signal_handler(signal.SIGUSR1)
    assert not loop.remove_signal_handler(signal.SIGUSR1)


async def test_removing_restores_the_default(loop: Loop) -> None:
    loop.add_signal_handler(signal.SIGUSR1, print)
    loop.remove_signal_handler(signal.SIGUSR1)
    assert signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL
    loop.add_signal_handler(signal.SIGINT, print)
    loop.remove_signal_handler(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler


def test_closing_the_loop_removes_its_handlers(loop: Loop) -> None:
    loop.add_signal_handler(signal.SIGUSR1, print)
    loop.close()
    assert signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL
    assert signal.set_wakeup_fd(-1) == -1


def test_a_handler_is_not_called_for_a_signal_from_before_it(loop: Loop) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    def start() -> None:
        threads.append(raise_later(signal.SIGUSR1, 0.01))

    received: list[None] = []
    threads: list[threading.Thread] = []
    before = signal.signal(signal.SIGUSR1, interrupt)
    try:
        loop.call_soon(start)
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(asyncio.sleep(20))
        for thread in threads:
            thread.join()
        loop.add_signal_handler(signal.SIGUSR1, received.append, None)
        loop.run_until_complete(asyncio.sleep(0.01))
        assert not received
        loop.remove_signal_handler(signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_signal_that_arrives_while_the_loop_rests_is_handled_later(loop: Loop) -> None:
    received: list[str] = []
    loop.add_signal_handler(signal.SIGUSR1, received.append, "received")
    signal.raise_signal(signal.SIGUSR1)
    assert received == []
    loop.run_until_complete(asyncio.sleep(0.01))
    assert received == ["received"]


async def test_a_signal_number_must_exist(loop: Loop) -> None:
    with pytest.raises(ValueError, match="invalid signal number 1000"):
        loop.add_signal_handler(1000, print)
    with pytest.raises(TypeError, match="sig must be an int, not 'SIGINT'"):
        loop.add_signal_handler("SIGINT", print)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="invalid signal number 1000"):
        loop.remove_signal_handler(1000)


async def test_a_signal_that_cannot_be_caught_is_refused(loop: Loop) -> None:
    with pytest.raises(RuntimeError, match="sig 9 cannot be caught"):
        loop.add_signal_handler(signal.SIGKILL, print)


async def test_a_coroutine_is_refused_as_a_handler(loop: Loop) -> None:
    async def coroutine_function() -> None:
        pass

    with pytest.raises(TypeError, match="coroutines cannot be used with add_signal_handler"):
        loop.add_signal_handler(signal.SIGUSR1, coroutine_function)


def test_only_the_main_thread_takes_signals(loop: Loop) -> None:
    errors: list[BaseException] = []

    def add_handler() -> None:
        try:
            loop.add_signal_handler(signal.SIGUSR1, print)
        except (RuntimeError, ValueError) as error:
            errors.append(error)

    thread = threading.Thread(target=add_handler)
    thread.start()
    thread.join()
    assert "main thread" in str(errors[0])


def test_a_handler_of_the_signal_module_runs_while_the_loop_is_idle(loop: Loop) -> None:
    received: list[tuple[int, bool]] = []
    previous = signal.signal(
        signal.SIGUSR1, lambda number, _: received.append((number, loop.is_running()))
    )
    thread = raise_later(signal.SIGUSR1)
    loop.run_until_complete(asyncio.sleep(0.5))
    thread.join()
    signal.signal(signal.SIGUSR1, previous)
    assert received == [(signal.SIGUSR1, True)]


def test_an_exception_of_a_handler_of_the_signal_module_leaves_an_idle_loop(loop: Loop) -> None:
    class Alarm(SystemExit):
        pass

    def alarm(*_: object) -> None:
        raise Alarm

    previous = signal.signal(signal.SIGUSR1, alarm)
    thread = raise_later(signal.SIGUSR1)
    with pytest.raises(Alarm):
        loop.run_until_complete(asyncio.sleep(20))
    thread.join()
    signal.signal(signal.SIGUSR1, previous)


def test_interrupting_a_runner_cancels_its_task(loop_factory: LoopFactory) -> None:
    cancelled: list[str] = []
    threads: list[threading.Thread] = []

    async def main() -> None:
        # Not before: an interrupt that comes before the runner is ready for it is not its own.
        threads.append(raise_later(signal.SIGINT))
        try:
            await asyncio.sleep(20)
        except asyncio.CancelledError:
            cancelled.append("cancelled")
            raise

    with (
        pytest.raises(KeyboardInterrupt),
        asyncio.Runner(loop_factory=loop_factory) as runner,
    ):
        runner.run(main())
    threads.pop().join()
    assert cancelled == ["cancelled"]
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler


def test_interrupting_a_busy_runner_cancels_its_task(loop_factory: LoopFactory) -> None:
    threads: list[threading.Thread] = []

    async def main() -> None:
        threads.append(raise_later(signal.SIGINT))
        while True:
            await asyncio.sleep(0)

    with (
        pytest.raises(KeyboardInterrupt),
        asyncio.Runner(loop_factory=loop_factory) as runner,
    ):
        runner.run(main())
    threads.pop().join()


def test_a_runner_can_be_interrupted_again_and_again(loop_factory: LoopFactory) -> None:
    threads: list[threading.Thread] = []

    async def main() -> None:
        threads.append(raise_later(signal.SIGINT, 0.01))
        await asyncio.sleep(20)

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        for _ in range(5):
            with pytest.raises(KeyboardInterrupt):
                runner.run(main())
            threads.pop().join()
        assert runner.run(asyncio.sleep(0, "still usable")) == "still usable"


def test_interrupting_run_forever_raises(loop: Loop) -> None:
    threads: list[threading.Thread] = []
    loop.call_soon(lambda: threads.append(raise_later(signal.SIGINT)))
    with pytest.raises(KeyboardInterrupt):
        loop.run_forever()
    for thread in threads:  # none, if the interrupt came before it was noted
        thread.join()
    assert not loop.is_running()
