"""Runs within runs, which nest_asyncio makes by methods of its own in the loop's class."""

import pytest

from .scripts import assert_clean, on_loop, run_script

pytest.importorskip("nest_asyncio")

BEGIN = """
import asyncio, signal, threading, warnings
import nest_asyncio
warnings.simplefilter("ignore", DeprecationWarning)

async def echo():
    async def answer(reader, writer):
        while data := await reader.read(100):
            writer.write(data)
            await writer.drain()
        writer.close()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    for _ in range(5):
        writer.write(b"abc")
        assert await reader.readexactly(3) == b"abc"
        await asyncio.sleep(0.001)
    writer.close()
    await writer.wait_closed()
    server.close()
    return "echoed"

async def nested(depth):
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert await echo() == "echoed"
    if depth:
        assert loop.run_until_complete(nested(depth - 1)) == depth - 1
        assert asyncio.run(asyncio.sleep(0.001, depth)) == depth
    assert asyncio.current_task() is task and asyncio.get_running_loop() is loop
    other = asyncio.create_task(asyncio.sleep(0.001, "slept"))
    assert loop.run_until_complete(other) == "slept"
    assert await loop.run_in_executor(None, str, depth) == str(depth)
    return depth

loop = new_loop()
asyncio.set_event_loop(loop)
"""

NESTED = {
    "applied to a loop": """
        nest_asyncio.apply(loop)
        assert loop.run_until_complete(nested(4)) == 4
        loop.call_later(0.01, loop.stop)
        loop.run_forever()
        assert loop.run_until_complete(nested(1)) == 1
        """,
    "applied to the thread's loop": """
        nest_asyncio.apply()
        assert asyncio.run(nested(2)) == 2
        """,
    "applied within a run": """
        async def main():
            nest_asyncio.apply()
            assert await nested(3) == 3
            loop.call_later(0.01, loop.stop)
            loop.run_forever()
            return await nested(1)
        assert loop.run_until_complete(main()) == 1
        assert loop.run_until_complete(nested(1)) == 1
        """,
    "in debug mode": """
        loop.set_debug(True)
        loop.slow_callback_duration = 10
        nest_asyncio.apply(loop)
        assert loop.run_until_complete(nested(3)) == 3
        """,
    "other loops": """
        def use():
            other = new_loop()
            for _ in range(10):
                assert other.run_until_complete(echo()) == "echoed"
            other.close()
        before = new_loop()
        started = threading.Event()
        async def wait_and_echo():
            started.set()
            await asyncio.sleep(0.05)
            return await echo()
        threads = [
            threading.Thread(target=lambda: before.run_until_complete(wait_and_echo())),
            threading.Thread(target=use),
        ]
        threads[0].start()
        started.wait()
        nest_asyncio.apply(loop)
        threads[1].start()
        assert loop.run_until_complete(nested(2)) == 2
        for thread in threads:
            thread.join()
        use()
        before.close()
        """,
    "a stop ends all runs": """
        async def main():
            nest_asyncio.apply()
            loop.call_later(0.01, loop.stop)
            try:
                loop.run_until_complete(asyncio.sleep(100))
            except RuntimeError as error:
                assert str(error) == "Event loop stopped before Future completed."
            await asyncio.sleep(100)
        try:
            loop.run_until_complete(main())
        except RuntimeError as error:
            assert str(error) == "Event loop stopped before Future completed."
        else:
            raise AssertionError
        """,
    "errors and cancelling": """
        nest_asyncio.apply(loop)
        errors = []
        loop.set_exception_handler(lambda loop, context: errors.append(str(context["exception"])))
        def fail(why, nests):
            if nests:
                loop.run_until_complete(asyncio.sleep(0.001))
            raise ValueError(why)
        loop.call_soon(fail, "outer", True)
        loop.call_soon(fail, "inner", False)
        cancelled = loop.call_soon(fail, "cancelled", False)
        loop.call_soon(fail, "last", False)
        cancelled.cancel()
        loop.run_until_complete(asyncio.sleep(0.01))
        assert errors == ["inner", "last", "outer"], errors
        """,
    "signals": """
        nest_asyncio.apply(loop)
        def interrupt(*_):
            raise KeyboardInterrupt
        def within(seconds, handler):
            signal.signal(signal.SIGALRM, handler)
            signal.setitimer(signal.ITIMER_REAL, seconds)
        arrived = []
        within(0.01, lambda *_: arrived.append("python"))
        loop.run_until_complete(asyncio.sleep(0.05))
        within(0.01, interrupt)
        try:
            loop.run_until_complete(asyncio.sleep(100))
        except KeyboardInterrupt:
            arrived.append("interrupt")
        loop.add_signal_handler(signal.SIGALRM, arrived.append, "loop")
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        loop.run_until_complete(asyncio.sleep(0.05))
        assert arrived == ["python", "interrupt", "loop"], arrived
        """,
}


@pytest.mark.parametrize("script", NESTED.values(), ids=NESTED.keys())
def test_a_loop_runs_within_its_own_run(loop_name: str, script: str) -> None:
    lines = "\n".join(line.removeprefix(" " * 8) for line in script.splitlines())
    assert_clean(run_script(on_loop(loop_name, BEGIN) + lines))
