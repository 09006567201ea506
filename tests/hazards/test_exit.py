"""A process with Java in it ends as it would without: same exit code, same order, no delay."""

import os
import signal

import pytest

from .scripts import assert_clean, on_loop, run_script

BEGIN = """
import asyncio, atexit, os, signal, sys, threading
loop = new_loop()
"""


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("loop.run_until_complete(asyncio.sleep(0))", 0),
        ("sys.exit(7)", 7),
        ("loop.call_soon(sys.exit, 8); loop.run_forever()", 8),
        ("loop.call_soon(os._exit, 9); loop.run_forever()", 9),
        ("loop.call_later(0.01, sys.exit, 10); loop.run_forever()", 10),
        ("1 / 0", 1),
        ("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
        ("os.kill(os.getpid(), signal.SIGHUP)", -signal.SIGHUP),
        ("os.kill(os.getpid(), signal.SIGINT)", -signal.SIGINT),
        ("loop.call_later(0.01, os.kill, os.getpid(), 2); loop.run_forever()", -signal.SIGINT),
        ("os.abort()", -signal.SIGABRT),
    ],
)
def test_the_exit_code_with_the_loop_open(loop_name: str, end: str, code: int) -> None:
    result = run_script(on_loop(loop_name, BEGIN + end))
    assert result.returncode == code, result.stderr


def test_connections_and_timers_left_open(loop_name: str) -> None:
    script = """
async def main():
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    kept.append(await asyncio.open_connection(*server.sockets[0].getsockname()))
    kept.append(server)
    loop.call_later(60, print)
    loop.call_soon(print)

kept = []
loop.run_until_complete(main())
sys.exit(3)
"""
    result = run_script(on_loop(loop_name, BEGIN + script))
    assert result.returncode == 3, result.stderr


def test_the_order_of_exit_handlers(loop_name: str) -> None:
    script = """
from asyncio import SelectorEventLoop
atexit.register(print, "registered first, called last")
atexit.register(lambda: print("the loop still works", loop.run_until_complete(asyncio.sleep(0, 1))))
atexit.register(print, "registered last, called first")
"""
    result = run_script(on_loop(loop_name, BEGIN + script))
    assert_clean(result)
    assert result.stdout.splitlines() == [
        "registered last, called first",
        "the loop still works 1",
        "registered first, called last",
    ]


def test_a_loop_that_runs_in_a_daemon_thread(loop_name: str) -> None:
    script = """
def count():
    loop.call_soon(count)

loop.call_soon(count)
threading.Thread(target=loop.run_forever, daemon=True).start()
waiting = new_loop()
threading.Thread(target=waiting.run_forever, daemon=True).start()
threading.Event().wait(0.2)
sys.exit(6)
"""
    for _ in range(5):
        result = run_script(on_loop(loop_name, BEGIN + script))
        assert result.returncode == 6, result.stderr


def test_what_java_holds_does_not_delay_the_end() -> None:
    script = "import rloop, os, sys; rloop.RLoop(); sys.exit(0)"
    assert_clean(run_script(script, timeout=30, env={**os.environ, "RLOOP_AOT": "off"}))


def test_a_loop_that_ran_and_was_dropped_is_collected(loop_name: str) -> None:
    script = """
import gc, weakref
loop.run_until_complete(asyncio.sleep(0))
dropped = weakref.ref(loop)
del loop
gc.collect()
print(dropped())
"""
    result = run_script(on_loop(loop_name, BEGIN, script), python_options=("-W", "ignore"))
    assert (result.stdout, result.stderr) == ("None\n", "")


def test_a_loop_that_dies_after_its_own_sockets() -> None:
    """As it may when a cycle is collected: their finalisers run in any order."""
    script = """
import gc, rloop
loop = rloop.RLoop()
loop._ssock.close()
loop._csock.close()
del loop
gc.collect()
"""
    assert run_script(script, python_options=("-W", "ignore")).stderr == ""
