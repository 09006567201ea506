"""The end of the stack: recursion to the limit, and threads that have little of it.

Java guards the stacks of threads that enter it. On a thread that Python made, the guard must
neither be met by Python's own depth nor turn what Python can bear into a crash.
"""

import pytest

from tests.hazards.scripts import assert_clean, on_loop, run_script

COMMON = """
    import asyncio, socket, sys, threading

    async def exchange(size=100_000):
        async def echo(reader, writer):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            writer.close()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        for turn in range(5):
            writer.write(bytes(size))
            assert await reader.readexactly(size) == bytes(size)
        writer.close()
        await writer.wait_closed()
        server.close()
        await asyncio.sleep(0.002)
"""

RECURSIONS = {
    "Python functions": """
        def recurse(then):
            then()
            recurse(then)
    """,
    "C functions": """
        def recurse(then):
            then()
            list(map(recurse, [then]))
    """,
    "methods and properties": """
        class Deep:
            @property
            def deeper(self):
                self.then()
                return self.deeper

        def recurse(then):
            deep = Deep()
            deep.then = then
            deep.deeper
    """,
}


@pytest.mark.parametrize("recursion", RECURSIONS)
def test_recursion_to_the_limit_in_a_callback_is_an_error_like_others(
    loop_name: str, recursion: str
) -> None:
    script = """
        loop = new_loop()
        errors = []
        loop.set_exception_handler(lambda loop, context: errors.append(context["exception"]))
        for _ in range(5):
            loop.call_soon(recurse, bool)
            loop.call_later(0, recurse, bool)
        loop.run_until_complete(exchange())
        assert [type(error) for error in errors] == [RecursionError] * 10, errors
        loop.close()
    """
    assert_clean(run_script(on_loop(loop_name, COMMON, RECURSIONS[recursion], script)))


@pytest.mark.parametrize("recursion", RECURSIONS)
def test_the_loop_is_used_at_every_depth(loop_name: str, recursion: str) -> None:
    script = """
        loop = new_loop()
        errors = []
        loop.set_exception_handler(lambda loop, context: errors.append(context["exception"]))
        listener = socket.create_server(("127.0.0.1", 0))
        transport, _ = loop.run_until_complete(
            loop.create_connection(asyncio.Protocol, *listener.getsockname()))
        peer, _ = listener.accept()
        listener.close()
        scheduled = ran = 0

        def count():
            global ran
            ran += 1

        def use():
            global scheduled
            loop.call_soon(count)
            scheduled += 1
            loop.call_later(3600, count).cancel()
            loop.call_soon_threadsafe(bool)
            loop.time()
            transport.get_write_buffer_size()
            transport.write(b"x")

        for _ in range(3):
            loop.call_soon(recurse, use)
            loop.run_until_complete(asyncio.sleep(0.001))
        assert [type(error) for error in errors] == [RecursionError] * 3, errors
        assert ran >= scheduled > 500, (ran, scheduled)
        transport.close()
        loop.run_until_complete(exchange())
        received = 0
        while piece := len(peer.recv(100_000)):
            received += piece
        assert received >= scheduled - 3, (received, scheduled)
        loop.close()
        peer.close()
    """
    assert_clean(run_script(on_loop(loop_name, COMMON, RECURSIONS[recursion], script)))


@pytest.mark.parametrize("size_kib", [256, 512, 1024])
def test_a_loop_runs_on_a_thread_with_a_small_stack(loop_name: str, size_kib: int) -> None:
    script = """
        outcome = []

        def run():
            loop = new_loop()
            loop.run_until_complete(exchange())
            loop.close()
            outcome.append("finished")

        threading.stack_size(int(sys.argv[1]) * 1024)
        threads = [threading.Thread(target=run) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcome == ["finished"] * 3, outcome
    """
    assert_clean(run_script(on_loop(loop_name, COMMON, script), str(size_kib)))


def test_a_loop_made_on_the_main_thread_runs_on_one_with_a_small_stack(loop_name: str) -> None:
    script = """
        loop = new_loop()
        loop.run_until_complete(exchange())
        threading.stack_size(256 * 1024)
        for _ in range(3):
            thread = threading.Thread(target=loop.run_until_complete, args=(exchange(),))
            thread.start()
            thread.join()
        loop.run_until_complete(exchange())
        loop.close()
    """
    assert_clean(run_script(on_loop(loop_name, COMMON, script)))


def test_recursion_on_a_thread_with_a_small_stack_is_an_error_like_others(loop_name: str) -> None:
    # Python functions alone take no C stack from 3.11 on, so that the limit comes first.
    script = """
        errors = []

        def run():
            loop = new_loop()
            loop.set_exception_handler(lambda loop, context: errors.append(context["exception"]))
            loop.call_soon(recurse, bool)
            loop.run_until_complete(exchange())
            loop.close()

        threading.stack_size(256 * 1024)
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        assert [type(error) for error in errors] == [RecursionError], errors
    """
    python_functions = RECURSIONS["Python functions"]
    assert_clean(run_script(on_loop(loop_name, COMMON, python_functions, script)))


def test_many_threads_come_and_go_with_a_loop_each(loop_name: str) -> None:
    script = """
        def run():
            loop = new_loop()
            loop.run_until_complete(asyncio.sleep(0.001))
            loop.close()

        for _ in range(20):
            threads = [threading.Thread(target=run) for _ in range(10)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    """
    assert_clean(run_script(on_loop(loop_name, COMMON, script)))


def test_threads_that_only_wake_the_loop_come_and_go(loop_name: str) -> None:
    script = """
        loop = new_loop()
        woken = []

        def wake(number):
            loop.call_soon_threadsafe(woken.append, number)

        async def main():
            threading.stack_size(128 * 1024)
            for number in range(300):
                threading.Thread(target=wake, args=(number,)).start()
                if number % 10 == 0:
                    await asyncio.sleep(0)
            while len(woken) < 300:
                await asyncio.sleep(0.001)

        loop.run_until_complete(main())
        loop.close()
    """
    assert_clean(run_script(on_loop(loop_name, COMMON, script)))
