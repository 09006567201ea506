"""Packages that set the clock by ``loop._selector.select``, as they are published."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Loop, LoopFactory
from tests.hazards.scripts import NEW_LOOP, assert_clean, run_script

aiotools: Any = pytest.importorskip("aiotools")
looptime: Any = pytest.importorskip("looptime")

HOUR = 3600.0


async def test_aiotools_virtual_clock(loop: Loop) -> None:
    clock = aiotools.VirtualClock()
    woken = []

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(seconds)
        woken.append((seconds, loop.time()))

    began = time.monotonic()
    with clock.patch_loop():
        await asyncio.sleep(HOUR)
        await asyncio.gather(sleep(3), sleep(1), sleep(2))
        assert woken == [(1, HOUR + 1), (2, HOUR + 2), (3, HOUR + 3)]
        assert clock.virtual_time() == loop.time() == HOUR + 3
    assert time.monotonic() - began < HOUR / 100
    await asyncio.sleep(0.001)
    assert abs(loop.time() - time.monotonic()) < 1


async def test_aiotools_timers_by_its_clock(loop: Loop) -> None:
    ticks = []

    async def tick(_: float) -> None:
        ticks.append(loop.time())

    with aiotools.VirtualClock().patch_loop():
        timer = aiotools.create_timer(tick, 10)
        await asyncio.sleep(35)
        timer.cancel()
        await asyncio.gather(timer, return_exceptions=True)
    assert ticks == [0, 10, 20, 30]


@pytest.fixture
def compact(loop_factory: LoopFactory) -> Any:
    loop = looptime.patch_event_loop(loop_factory(), start=0)
    yield loop
    loop.close()


async def _sleep_in_turn(loop: Any) -> list[float]:
    seen = []
    for seconds in (HOUR, 1, 0.25):
        await asyncio.sleep(seconds)
        seen.append(loop.time())
    return seen


def test_looptime_ends_sleeps_at_once(compact: Any) -> None:
    began = time.monotonic()
    assert compact.run_until_complete(_sleep_in_turn(compact)) == [HOUR, HOUR + 1, HOUR + 1.25]
    assert time.monotonic() - began < HOUR / 100


def test_looptime_with_timeouts_executors_and_connections(compact: Any) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        writer.close()

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 10)
        assert compact.time() == 10
        await compact.run_in_executor(None, time.sleep, 0.02)
        async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"hello\n")
            assert await asyncio.wait_for(reader.read(), 5) == b"hello\n"
            writer.close()
        assert compact.time() == 10

    compact.run_until_complete(main())


def test_looptime_ends_the_world(loop_factory: LoopFactory) -> None:
    loop = looptime.patch_event_loop(loop_factory(), start=0, end=50)
    with pytest.raises(looptime.LoopTimeoutError):
        loop.run_until_complete(asyncio.sleep(HOUR))
    assert loop.time() == 50
    loop.close()


def test_looptime_ends_idleness(loop_factory: LoopFactory) -> None:
    loop = looptime.patch_event_loop(loop_factory(), start=0, idle_timeout=0.05)
    with pytest.raises(looptime.IdleTimeoutError):
        loop.run_until_complete(asyncio.Event().wait())
    loop.close()


def test_looptime_switched_off_waits(loop_factory: LoopFactory) -> None:
    loop = looptime.patch_event_loop(loop_factory(), start=0, _enabled=False)
    began = time.monotonic()
    loop.run_until_complete(asyncio.sleep(0.05))
    assert time.monotonic() - began >= 0.049
    loop.close()


LOOPTIME_TESTS = """
import asyncio
import pytest
from conftest import new_loop

@pytest.mark.asyncio
@pytest.mark.looptime(start=100)
async def test_an_hour(looptime):
    assert issubclass(type(asyncio.get_running_loop()), new_loop)
    await asyncio.sleep(3600)
    assert looptime == 3700

@pytest.mark.asyncio
async def test_in_real_time():
    await asyncio.sleep(0.01)
"""


def test_looptimes_plugin_beside_pytest_asyncio(loop_name: str, tmp_path: Path) -> None:
    factories = """
def pytest_asyncio_loop_factories(config, item):
    return {"new_loop": new_loop}
"""
    (tmp_path / "conftest.py").write_text(NEW_LOOP[loop_name] + factories)
    (tmp_path / "test_it.py").write_text(LOOPTIME_TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    script = "import pytest, sys; sys.exit(pytest.main(sys.argv[1:]))"
    result = run_script(script, f"--rootdir={tmp_path}", str(tmp_path))
    assert_clean(result)
    assert "2 passed" in result.stdout
