"""Loops on several threads, and threads that reach into loops of others.

On free-threaded builds all of it happens at the same time, and whoever stops the world, Python's
cycle collector or the JVM, has to stop threads that are in the middle of the other's code.
"""

import sysconfig

import pytest

from tests.hazards.scripts import assert_clean, on_loop, run_script

FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))

COMMON = """
    import asyncio, contextlib, faulthandler, gc, os, sys, threading
    from concurrent.futures import ThreadPoolExecutor

    done = threading.Event()
    loops = []

    async def echo(rounds, size):
        async def handle(reader, writer):
            while data := await reader.read(65536):
                writer.write(data)
            writer.close()

        async def ask():
            reader, writer = await asyncio.open_connection(*address)
            for number in range(rounds):
                writer.write(data)
                assert await reader.readexactly(size) == data
                loop.call_later(60, bool).cancel()
            writer.close()
            await writer.wait_closed()

        loop = asyncio.get_running_loop()
        loops.append(loop)
        data = bytes(size)
        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        await asyncio.gather(*(ask() for _ in range(3)))
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.01)  # for the handlers to see the end

    def run_echo(rounds=100, size=5000):
        loop = new_loop()
        loop.run_until_complete(echo(rounds, size))
        loop.close()

    def repeat(function):
        def repeated():
            while not done.wait(0.001):
                function()
        thread = threading.Thread(target=repeated)
        thread.start()
        return thread

    @contextlib.contextmanager
    def meanwhile(*functions):
        threads = [repeat(function) for function in functions]
        try:
            yield
        finally:
            done.set()
            for thread in threads:
                thread.join()

    def in_threads(count, function):
        with ThreadPoolExecutor(count) as pool:
            for future in [pool.submit(function) for _ in range(count)]:
                future.result()
"""


def test_loops_on_several_threads(loop_name: str) -> None:
    assert_clean(run_script(on_loop(loop_name, COMMON, "in_threads(4, run_echo)")))


def test_loops_made_and_closed_on_many_threads(loop_name: str) -> None:
    script = """
        for _ in range(20):
            in_threads(8, lambda: run_echo(rounds=2))
    """
    assert_clean(run_script(on_loop(loop_name, COMMON, script)))


def test_python_collects_garbage_while_loops_run(loop_name: str) -> None:
    script = """
        with meanwhile(gc.collect):
            in_threads(3, run_echo)
    """
    assert_clean(run_script(on_loop(loop_name, COMMON, script)))


def test_both_collect_garbage_while_loops_run() -> None:
    script = """
        from rloop.java import jvm
        with meanwhile(gc.collect, jvm.core().collect_java_garbage):
            in_threads(3, run_echo)
    """
    assert_clean(run_script(on_loop("rloop", COMMON, script)))


def test_faulthandler_is_switched_while_loops_run(loop_name: str) -> None:
    script = """
        def switch():
            faulthandler.enable()
            faulthandler.dump_traceback(null, all_threads=True)
            faulthandler.disable()

        null = open(os.devnull, "w")
        with meanwhile(switch, gc.collect):
            in_threads(2, run_echo)
    """
    assert_clean(run_script(on_loop(loop_name, COMMON, script)))


def test_transports_die_on_other_threads_than_their_loop(loop_name: str) -> None:
    script = """
        import socket, warnings
        warnings.simplefilter("ignore", ResourceWarning)

        class Protocol(asyncio.Protocol):
            pass

        async def leave_transports():
            loop = asyncio.get_running_loop()
            for _ in range(20):
                ours, peer = socket.socketpair()
                transport, protocol = await loop.create_connection(Protocol, sock=ours)
                transport.pause_reading()
                await asyncio.sleep(0)
                protocol.cycle = protocol, transport
                peer.close()

        def run():
            for _ in range(10):
                loop = new_loop()
                loop.run_until_complete(leave_transports())
                loop.close()

        with meanwhile(gc.collect):
            in_threads(3, run)
    """
    assert_clean(run_script(on_loop(loop_name, COMMON, script)))


def test_misuse_from_other_threads_does_not_end_the_process() -> None:
    """What asyncio allows to the loop's own thread alone: it may fail, but not bring all down."""
    script = """
        import socket

        class Echo(asyncio.Protocol):
            def connection_made(self, transport):
                self.transport = transport
                transports.append(transport)
            def data_received(self, data):
                self.transport.write(data)

        async def main():
            ends = socket.socketpair()
            for end in ends:
                await asyncio.get_running_loop().create_connection(Echo, sock=end)
            transports[0].write(b"ping-pong")
            await echo(100, 500)

        def misuse():
            for loop in list(loops):
                with contextlib.suppress(Exception):
                    handles = [loop.call_soon(bool), loop.call_soon_threadsafe(bool)]
                    handles += [loop.call_later(0.0001, bool), loop.call_later(60, bool)]
                    for handle in handles:
                        repr(handle)
                        handle.cancel()
            for transport in list(transports):
                with contextlib.suppress(Exception):
                    transport.write(b"more")
                    transport.pause_reading()
                    transport.get_write_buffer_size()
                    transport.resume_reading()

        transports = []
        loop = new_loop()
        loop.set_exception_handler(lambda loop, context: None)
        with meanwhile(misuse, misuse, misuse, gc.collect):
            loop.run_until_complete(main())
        loop.close()
    """
    assert_clean(run_script(on_loop("rloop", COMMON, script)))


@pytest.mark.parametrize("end", ["sys.exit(6)", "os._exit(6)"])
def test_the_process_ends_while_loops_run(loop_name: str, end: str) -> None:
    script = f"""
        def run_for_ever():
            loop = new_loop()
            loop.create_task(echo(10**9, 100))
            loop.run_forever()

        threads = [
            threading.Thread(target=target, daemon=True)
            for target in (run_for_ever, run_for_ever, lambda: [gc.collect() for _ in range(10**9)])
        ]
        for thread in threads:
            thread.start()
        while len(loops) < 2:
            threading.Event().wait(0.01)
        threading.Event().wait(0.1)
        {end}
    """
    for _ in range(3):
        result = run_script(on_loop(loop_name, COMMON, script))
        assert result.returncode == 6, result.stderr


@pytest.mark.skipif(not FREE_THREADED, reason="this Python has a GIL")
def test_the_gil_stays_off() -> None:
    script = """
        run_echo()
        print(sys._is_gil_enabled())
    """
    result = run_script(on_loop("rloop", COMMON, script), python_options=["-W", "error"])
    assert (result.stdout, result.stderr) == ("False\n", "")
