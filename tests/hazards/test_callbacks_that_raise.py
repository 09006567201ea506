"""An exception from user code, of any kind and from any callback, never harms the process.

Each script lets every kind of exception out of one kind of callback, and checks afterwards that the
loop still works. What is reported, and how, is the subject of the unit tests.
"""

import pytest

from tests.hazards.scripts import assert_clean, on_loop, run_script

COMMON = """
    import asyncio, gc, os, signal, socket, sys, warnings

    class Unprintable(Exception):
        def __str__(self):
            raise ValueError("no text")
        __repr__ = __str__

    class Demanding(Exception):
        def __init__(self, one, two):
            pass

    class Bare(BaseException):
        pass

    def recurse():
        recurse()

    def fail_while_failing():
        try:
            1 / 0
        finally:
            raise KeyError("while failing")

    def raise_(exception):
        raise exception

    KINDS = [
        lambda: raise_(Exception("usual")),
        lambda: raise_(Unprintable()),
        lambda: raise_(Demanding(1, 2)),
        lambda: raise_(Demanding),  # a TypeError, since it takes arguments
        lambda: raise_(Bare),
        lambda: raise_(StopIteration),
        lambda: raise_(StopIteration(42)),
        lambda: raise_(StopAsyncIteration),
        lambda: raise_(GeneratorExit),
        lambda: raise_(MemoryError),
        lambda: raise_(asyncio.CancelledError),
        lambda: raise_(ExceptionGroup("group", [ValueError(), KeyError()])),
        lambda: raise_(OSError(104, "made up")),
        lambda: raise_(SystemExit(5)),
        lambda: raise_(KeyboardInterrupt),
        lambda: raise_(42),  # a TypeError
        recurse,
        fail_while_failing,
    ]

    def run(loop, seconds=0.01):
        \"\"\"Runs the loop for a while, whatever leaves it.\"\"\"
        end = loop.time() + seconds
        while loop.time() < end:
            stopper = loop.call_at(end, loop.stop)
            try:
                loop.run_forever()
            except (SystemExit, KeyboardInterrupt):
                stopper.cancel()

    def run_until(loop, condition):
        for _ in range(500):
            if condition():
                return
            run(loop)
        raise AssertionError("what was scheduled did not run")

    async def exchange():
        async def echo(reader, writer):
            writer.write(await reader.readline())
            writer.close()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"still here\\n")
        assert await reader.readline() == b"still here\\n"
        writer.close()
        await writer.wait_closed()
        server.close()
        await asyncio.sleep(0.001)

    async def connected(loop, make_protocol):
        ours, peer = socket.socketpair()
        transport, protocol = await loop.create_connection(make_protocol, sock=ours)
        return transport, protocol, peer

    def check(attempt):
        \"\"\"Tries each kind of exception on a loop of its own, in normal and in debug mode.\"\"\"
        for debug in (False, True):
            for fail in KINDS:
                loop = new_loop()
                loop.set_debug(debug)
                loop.set_exception_handler(lambda loop, context: None)
                attempt(loop, fail)
                gc.collect()
                loop.run_until_complete(exchange())
                loop.close()
        print("survived")
"""

ATTEMPTS = {
    "callbacks": """
        def attempt(loop, fail):
            ran = []
            for number in range(5):
                loop.call_soon(fail)
                loop.call_soon(ran.append, number)
                loop.call_later(0, fail)
                loop.call_later(0, ran.append, number)
                loop.call_soon_threadsafe(fail)
                loop.call_soon_threadsafe(ran.append, number)
            run_until(loop, lambda: len(ran) == 15)
    """,
    "readers and writers": """
        def attempt(loop, fail):
            ours, peer = socket.socketpair()
            peer.send(b"x")
            loop.add_reader(ours, fail)
            loop.add_writer(ours, fail)
            run(loop, 0.002)
            assert loop.remove_reader(ours)
            assert loop.remove_writer(ours)
            ours.close()
            peer.close()
    """,
    "signal handlers": """
        def attempt(loop, fail):
            ran = []
            loop.add_signal_handler(signal.SIGUSR1, lambda: (ran.append(1), fail()))
            for number in range(3):
                os.kill(os.getpid(), signal.SIGUSR1)
                run_until(loop, lambda: len(ran) > number)
            assert loop.remove_signal_handler(signal.SIGUSR1)
    """,
    "the exception handler": """
        def attempt(loop, fail):
            ran = []
            loop.set_exception_handler(lambda loop, context: fail())
            for number in range(5):
                loop.call_soon(divmod, 1, 0)
                loop.call_soon(ran.append, number)
            run_until(loop, lambda: len(ran) == 5)
            loop.set_exception_handler(lambda loop, context: None)
    """,
    "tasks": """
        def attempt(loop, fail):
            async def task():
                await asyncio.sleep(0)
                fail()

            tasks = [loop.create_task(task()) for _ in range(3)]
            run_until(loop, lambda: all(task.done() for task in tasks))
            for task in tasks:
                if not task.cancelled():
                    task.exception()
    """,
    "futures": """
        def attempt(loop, fail):
            ran = []
            future = loop.create_future()
            future.add_done_callback(lambda _: fail())
            future.add_done_callback(ran.append)
            future.set_result(None)
            run_until(loop, lambda: ran == [future])
    """,
}

PROTOCOL_METHODS = [
    "connection_made", "data_received", "eof_received", "connection_lost",
    "pause_writing", "resume_writing", "get_buffer", "buffer_updated",
]  # fmt: skip

PROTOCOLS = """
    method = sys.argv[1]

    class Plain(asyncio.Protocol):
        pass

    class Buffered(asyncio.BufferedProtocol):
        def get_buffer(self, sizehint):
            return bytearray(100)

        def buffer_updated(self, nbytes):
            pass

    kind = Buffered if "buffer" in method else Plain

    def attempt(loop, fail):
        protocol = kind()
        setattr(protocol, method, lambda *_: fail())
        ours, peer = socket.socketpair()
        peer.settimeout(10)
        task = loop.create_task(loop.create_connection(lambda: protocol, sock=ours))
        run_until(loop, task.done)
        transport, _ = task.result()
        peer.send(b"x")
        run(loop, 0.001)
        if not transport.is_closing():
            loop.call_soon(transport.write, bytes(1_000_000))
            run(loop, 0.001)
            peer.setblocking(False)
            received = -1
            while received:
                received = 0
                try:
                    while piece := len(peer.recv(1 << 20)):
                        received += piece
                except BlockingIOError:
                    pass
                run(loop, 0.001)
            peer.shutdown(socket.SHUT_WR)
            run(loop, 0.001)
        transport.close()
        run(loop, 0.001)
        transport.abort()  # on a slow machine the peer may not have read all of it
        run(loop, 0.001)
        peer.close()
        # Where connection_lost was interrupted, asyncio's own transport may be left open.
        ours.close()

    warnings.simplefilter("ignore", ResourceWarning)
    check(attempt)
"""


@pytest.mark.parametrize("callback", ATTEMPTS)
def test_an_exception_of_any_kind_from(loop_name: str, callback: str) -> None:
    assert_survived(on_loop(loop_name, COMMON, ATTEMPTS[callback], "check(attempt)"))


@pytest.mark.parametrize("method", PROTOCOL_METHODS)
def test_an_exception_of_any_kind_from_a_protocols(loop_name: str, method: str) -> None:
    assert_survived(on_loop(loop_name, COMMON, PROTOCOLS), method)


def assert_survived(script: str, *args: str) -> None:
    result = run_script(script, *args, timeout=120)
    assert_clean(result)
    assert result.stdout == "survived\n"


def test_exceptions_by_the_thousand_do_not_pile_up_memory(loop_name: str) -> None:
    script = """
        import gc, resource

        loop = new_loop()
        loop.set_exception_handler(lambda loop, context: None)

        def fail():
            raise ValueError("x" * 1000)

        def measure():
            for _ in range(30_000):
                loop.call_soon(fail)
                loop.stop()
                loop.run_forever()
            gc.collect()
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

        before = measure()
        after = measure()
        loop.close()
        print(after - before)
    """
    result = run_script(on_loop(loop_name, script), timeout=120)
    assert_clean(result)
    grown_kib = int(result.stdout)
    assert grown_kib < 30_000  # each exception kept would make it more than a kilobyte


def test_an_exception_in_a_finalizer_run_by_the_loop_is_unraisable(loop_name: str) -> None:
    script = """
        import sys

        seen = []
        sys.unraisablehook = lambda unraisable: seen.append(unraisable.exc_type)

        class Bomb:
            def __del__(self):
                raise ZeroDivisionError

        loop = new_loop()
        for _ in range(100):
            loop.call_soon(bool, Bomb())
            loop.call_later(0, bool, Bomb())
            loop.call_soon(print, Bomb()).cancel()
        loop.call_later(0.01, loop.stop)
        loop.run_forever()
        loop.call_soon(bool, Bomb())
        loop.close()
        del loop
        assert set(seen) == {ZeroDivisionError}
        assert len(seen) == 301, len(seen)
    """
    assert_clean(run_script(on_loop(loop_name, script)))
