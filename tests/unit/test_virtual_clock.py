"""``rloop.testing``: time that passes only when nothing is ready."""

import asyncio
import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from rloop.testing import VirtualClock
from tests.conftest import Loop, LoopFactory
from tests.hazards.scripts import NEW_LOOP, assert_clean, run_script

HOUR = 3600.0


async def test_sleeps_take_no_time_and_end_in_order(loop: Loop) -> None:
    began = time.monotonic()
    woken = []

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append((seconds, loop.time()))

    with VirtualClock() as clock:
        await asyncio.gather(sleep(HOUR), sleep(0.5), sleep(2), sleep(1))
        assert woken == [(0.5, 0.5), (1, 1), (2, 2), (HOUR, HOUR)]
        assert clock.time() == loop.time() == HOUR
    assert time.monotonic() - began < HOUR / 100


async def test_timeouts_come_when_they_are_due(loop: Loop) -> None:
    with VirtualClock(start=100) as clock:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await asyncio.Event().wait()
        assert clock.time() == 160
        await asyncio.wait_for(asyncio.sleep(5), 6)
        assert clock.time() == 165


async def test_no_time_passes_while_something_is_ready(loop: Loop) -> None:
    with VirtualClock() as clock:
        timer = loop.call_later(0.001, pytest.fail, "too early")
        for _ in range(200):
            await asyncio.sleep(0)
        timer.cancel()
        assert clock.time() == 0


async def test_what_arrives_comes_before_a_timeout(loop: Loop) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    with VirtualClock() as clock:
        server = await asyncio.start_server(echo, "localhost", 0, family=socket.AF_INET)
        async with server:
            port = server.sockets[0].getsockname()[1]
            reader, writer = await asyncio.wait_for(
                asyncio.open_connection("localhost", port, family=socket.AF_INET), 5
            )
            for _ in range(20):
                writer.write(b"hello\n")
                assert await asyncio.wait_for(reader.readline(), 0.001) == b"hello\n"
            writer.close()
            await writer.wait_closed()
        assert clock.time() == 0


async def test_jobs_of_executors_are_waited_for(loop: Loop) -> None:
    with VirtualClock() as clock:
        await asyncio.wait_for(asyncio.to_thread(time.sleep, 0.05), 5)
        assert clock.time() == 0


async def test_jobs_of_executors_may_wait_for_the_clock(loop: Loop) -> None:
    def wait_for_the_loop() -> None:
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.05), loop).result()

    with VirtualClock() as clock:
        await asyncio.to_thread(wait_for_the_loop)
        assert clock.time() == pytest.approx(0.05)


async def test_the_world_outside_is_given_time_by_patience(loop: Loop) -> None:
    program = (sys.executable, "-S", "-c", "import time; time.sleep(0.2)")
    with VirtualClock(patience=20) as clock:
        process = await asyncio.create_subprocess_exec(*program)
        assert await asyncio.wait_for(process.wait(), 3 * HOUR) == 0
        assert clock.time() == 0


async def test_time_may_be_put_forward_by_hand(loop: Loop) -> None:
    ran: list[int] = []
    with VirtualClock() as clock:
        for delay in (3, 1, 2):
            loop.call_later(delay, ran.append, delay)
        clock.advance(2)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert ran == [1, 2]
        assert clock.time() == 2
        with pytest.raises(ValueError, match="does not go back"):
            clock.advance(-1)
        await asyncio.sleep(1)


async def test_afterwards_time_is_as_before(loop: Loop) -> None:
    with VirtualClock():
        await asyncio.sleep(HOUR)
    assert abs(loop.time() - time.monotonic()) < 1
    began = time.monotonic()
    await asyncio.sleep(0.02)
    assert time.monotonic() - began >= 0.019
    with VirtualClock():
        await asyncio.sleep(HOUR)


async def test_a_clock_that_raises_in_between_is_taken_away(loop: Loop) -> None:
    with pytest.raises(ZeroDivisionError), VirtualClock():
        raise ZeroDivisionError
    await asyncio.sleep(0.001)
    assert abs(loop.time() - time.monotonic()) < 1


def test_it_may_be_there_before_the_loop_runs(loop: Loop) -> None:
    with VirtualClock(loop=loop) as clock:
        loop.call_later(HOUR, loop.stop)
        loop.run_forever()
        assert clock.time() == HOUR
        loop.run_until_complete(asyncio.sleep(HOUR))
        assert clock.time() == 2 * HOUR


def test_what_cannot_be_is_refused(loop: Loop) -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        VirtualClock().__enter__()
    with pytest.raises(TypeError, match="with a selector"):
        VirtualClock(loop=asyncio.AbstractEventLoop()).__enter__()  # type: ignore[abstract]
    with (
        VirtualClock(loop=loop),
        pytest.raises(RuntimeError, match="already"),
        VirtualClock(loop=loop),
    ):
        pass


async def test_signals_are_handled_while_it_waits(loop: Loop) -> None:
    woken = asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, woken.set)
    try:
        with VirtualClock():
            kill = f"sleep 0.2; kill -USR1 {os.getpid()}"
            process = await asyncio.create_subprocess_shell(kill)
            await woken.wait()
            await process.wait()
    finally:
        loop.remove_signal_handler(signal.SIGUSR1)


def test_in_debug_mode_as_well(loop_factory: LoopFactory) -> None:
    async def main() -> None:
        with VirtualClock() as clock:
            await asyncio.sleep(HOUR)
            assert clock.time() == HOUR

    with asyncio.Runner(loop_factory=loop_factory, debug=True) as runner:
        runner.run(main())


TESTS = """
import asyncio
import pytest
from conftest import new_loop

pytestmark = pytest.mark.{mark}

async def test_an_hour(virtual_clock):
    loop = asyncio.get_running_loop()
    assert type(loop) is new_loop
    await asyncio.sleep(3600)
    assert virtual_clock.time() == loop.time() == 3600

@pytest.mark.parametrize("seconds", [1, 2])
async def test_arguments_are_passed_on(virtual_clock, seconds):
    await asyncio.sleep(seconds)
    assert virtual_clock.time() == seconds

def test_that_is_no_coroutine(virtual_clock):
    async def main():
        with virtual_clock:
            await asyncio.sleep(7200)
            return virtual_clock.time()
    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(main()) == 7200
"""

CONFTEST = {
    "asyncio": """
pytest_plugins = ["rloop.testing.plugin"]
def pytest_asyncio_loop_factories(config, item):
    return {"new_loop": new_loop}
""",
    "anyio": """
import pytest
pytest_plugins = ["rloop.testing.plugin"]
@pytest.fixture
def anyio_backend():
    return "asyncio", {"loop_factory": new_loop}
""",
}


SETTINGS = {
    "asyncio": """
[pytest]
filterwarnings =
    error
    ignore:.*is marked with '@pytest.mark.asyncio' but it is not an async function:
asyncio_default_fixture_loop_scope = function
""",
    "anyio": """
[pytest]
filterwarnings = error
""",
}


@pytest.mark.parametrize("plugin", CONFTEST)
def test_the_fixture_is_the_clock_of_the_test(loop_name: str, plugin: str, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(NEW_LOOP[loop_name] + CONFTEST[plugin])
    (tmp_path / "test_it.py").write_text(TESTS.format(mark=plugin))
    (tmp_path / "pytest.ini").write_text(SETTINGS[plugin])
    script = "import pytest, sys; sys.exit(pytest.main(sys.argv[1:]))"
    others = [name for name in ("asyncio", "anyio", "looptime_plugin") if name != plugin]
    without = [f"-pno:{name}" for name in others]
    result = run_script(script, *without, f"--rootdir={tmp_path}", str(tmp_path))
    assert_clean(result)
    assert "4 passed" in result.stdout
