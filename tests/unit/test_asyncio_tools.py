"""What asyncio and unittest offer around a loop: inspection, test cases, keywords."""

import asyncio
import subprocess
import sys
import unittest
from collections.abc import Coroutine, Generator
from contextvars import ContextVar, copy_context
from typing import Any

import pytest

from tests.conftest import Loop, LoopFactory
from tests.hazards.scripts import assert_clean, on_loop, run_script

since_3_12 = pytest.mark.skipif(sys.version_info < (3, 12), reason="came with 3.12")
since_3_14 = pytest.mark.skipif(sys.version_info < (3, 14), reason="came with 3.14")


async def test_create_task_takes_a_name_and_a_context(loop: Loop) -> None:
    variable: ContextVar[str] = ContextVar("variable")
    context = copy_context()
    context.run(variable.set, "of the context")

    async def read() -> str:
        return variable.get()

    task = loop.create_task(read(), name="reader", context=context)
    assert task.get_name() == "reader"
    assert await task == "of the context"


@since_3_14
async def test_create_task_starts_eagerly_where_asked_to(loop: Loop) -> None:
    ran: list[int] = []

    async def work() -> None:
        ran.append(1)

    task = loop.create_task(work(), eager_start=True)  # type: ignore[call-arg]
    assert ran == [1]
    assert task.done()
    later = loop.create_task(work(), eager_start=False)  # type: ignore[call-arg]
    assert ran == [1]
    await later


@since_3_14
async def test_create_task_hands_every_keyword_to_the_factory(loop: Loop) -> None:
    given: list[dict[str, Any]] = []

    def factory(
        loop: asyncio.AbstractEventLoop,
        coro: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
        **named: Any,
    ) -> "asyncio.Task[Any]":
        given.append(named)
        return asyncio.Task(coro, loop=loop)

    loop.set_task_factory(factory)
    await loop.create_task(asyncio.sleep(0), name="a", eager_start=False)  # type: ignore[call-arg]
    loop.set_task_factory(None)
    assert given == [{"name": "a", "eager_start": False}]


@since_3_14
async def test_the_call_graph_shows_who_awaits_whom(loop: Loop) -> None:
    async def inner() -> None:
        await asyncio.sleep(30)

    async def outer() -> None:
        await inner()

    task = loop.create_task(outer())
    await asyncio.sleep(0)
    graph = asyncio.capture_call_graph(task)  # type: ignore[attr-defined]
    names = [entry.frame.f_code.co_name for entry in graph.call_stack]
    assert names == ["sleep", "inner", "outer"]
    task.cancel()


@since_3_14
def test_ps_lists_the_tasks_of_a_running_process(loop_name: str) -> None:
    script = """
        import asyncio, sys

        async def main():
            waiting = asyncio.create_task(asyncio.sleep(60), name="a waiting task")
            await asyncio.sleep(0)
            print("ready", flush=True)
            await waiting

        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(main())
    """
    command = [sys.executable, "-c", on_loop(loop_name, script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            ps = [sys.executable, "-m", "asyncio", "ps", str(process.pid)]
            listed = subprocess.run(ps, capture_output=True, text=True, check=False)
        finally:
            process.kill()
    if "Permission" in listed.stderr:
        pytest.skip("this system lets no process look into another")
    assert listed.returncode == 0, listed.stderr
    assert "a waiting task" in listed.stdout


def test_asynchronous_test_cases_run_on_the_loop(loop_factory: LoopFactory) -> None:
    loops: list[asyncio.AbstractEventLoop] = []

    class Case(unittest.IsolatedAsyncioTestCase):
        async def asyncSetUp(self) -> None:
            loops.append(asyncio.get_running_loop())

        async def test_it(self) -> None:
            loops.append(asyncio.get_running_loop())
            await asyncio.sleep(0)

        def _setupAsyncioRunner(self) -> None:  # its one hook for a loop before 3.13
            self._asyncioRunner = asyncio.Runner(debug=True, loop_factory=loop_factory)

    result = unittest.TestResult()
    Case("test_it").run(result)
    assert result.wasSuccessful(), result.errors + result.failures
    assert [type(loop) for loop in loops] == [loop_factory] * 2


def test_a_runner_keeps_its_loop_and_closes_it(loop_factory: LoopFactory) -> None:
    async def running() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    with asyncio.Runner(loop_factory=loop_factory, debug=True) as runner:
        loop = runner.run(running())
        assert type(loop) is loop_factory
        assert runner.run(running()) is loop is runner.get_loop()
        assert loop.get_debug()
        left = loop.create_task(asyncio.sleep(60))
    assert left.cancelled()
    assert loop.is_closed()


@since_3_12
def test_run_takes_the_loop_s_factory(loop_factory: LoopFactory) -> None:
    async def running() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    loop = asyncio.run(running(), loop_factory=loop_factory)  # type: ignore[call-arg]
    assert type(loop) is loop_factory
    assert loop.is_closed()


def test_development_mode_has_nothing_to_say(loop_name: str) -> None:
    # Debug mode, warnings of everything left open, checks of the allocator, faulthandler.
    script = """
        import asyncio, socket

        class Datagrams(asyncio.DatagramProtocol):
            def datagram_received(self, data, address):
                done.set_result(data)

        async def main():
            global done
            async def echo(reader, writer):
                writer.write(await reader.readline())
                writer.close()
                await writer.wait_closed()

            loop = asyncio.get_running_loop()
            async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
                address = server.sockets[0].getsockname()
                for _ in range(3):
                    reader, writer = await asyncio.open_connection(*address)
                    writer.write(b"hello\\n")
                    assert await reader.read() == b"hello\\n"
                    writer.close()
                    await writer.wait_closed()
                with socket.socket() as sock:
                    sock.setblocking(False)
                    await loop.sock_connect(sock, address)
                    await loop.sock_sendall(sock, b"hello\\n")
                    assert await loop.sock_recv(sock, 100) == b"hello\\n"
            done = loop.create_future()
            transport, _ = await loop.create_datagram_endpoint(Datagrams, ("127.0.0.1", 0))
            transport.sendto(b"hello", transport.get_extra_info("sockname"))
            assert await done == b"hello"
            transport.close()
            child = await asyncio.create_subprocess_exec("cat", stdin=-1, stdout=-1)
            assert (await child.communicate(b"hello"))[0] == b"hello"
            await loop.run_in_executor(None, int)
            await asyncio.to_thread(int)
            await asyncio.wait_for(asyncio.sleep(0.001), 30)
            loop.call_later(60, print).cancel()

        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(main())
    """
    result = run_script(on_loop(loop_name, script), python_options=["-X", "dev"])
    assert_clean(result)
    assert result.stderr == ""


@pytest.mark.skipif(sys.version_info >= (3, 16), reason="there are no policies any more")
def test_policies_warn_only_where_the_program_asks_for_asyncio_s_own() -> None:
    script = """
        import asyncio, rloop
        rloop.install()
        rloop.EventLoopPolicy()

        async def main():
            assert type(asyncio.get_running_loop()) is rloop.RLoop

        asyncio.run(main())
    """
    assert_clean(run_script(script, python_options=["-W", "error"]))
