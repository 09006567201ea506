"""The look for leaks finds one of each kind, and none where there is none."""

import pytest

from .scripts import assert_clean, on_loop, run_script

SCRIPT = """
import asyncio, os, socket, sys, threading
from tests.hazards.footprint import Footprint

async def connection():
    server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    transport, _ = await loop.create_connection(asyncio.Protocol, *address)
    return server, transport

async def use():
    server, transport = await connection()
    transport.close()
    server.close()
    await server.wait_closed()
    await asyncio.sleep(0.01)

def only_java_remembers():
    timers = [loop.call_later(60, print) for _ in range(60_000)]  # as many as it keeps room for
    for timer in timers:
        timer.cancel()

loop = new_loop()
for _ in range(3):
    loop.run_until_complete(use())
before = Footprint.now()
loop.run_until_complete(use())
kept = eval(sys.argv[1])
print(Footprint.now().leaked_since(before))
os._exit(0)
"""


def leaked(loop_name: str, expression: str) -> str:
    result = run_script(on_loop(loop_name, SCRIPT), expression)
    assert_clean(result)
    return result.stdout.strip()


def test_nothing_is_found_where_nothing_leaks(loop_name: str) -> None:
    assert leaked(loop_name, "None") == ""


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("os.open('/dev/null', os.O_RDONLY)", "1 /dev/null"),
        ("os.dup(0)", "1 "),
        ("socket.socket()", "1 socket:[]"),
        ("threading.Thread(target=threading.Event().wait).start()", "1 thread "),
        ("loop.create_future()", "1 _asyncio.Future"),
        ("loop.call_later(60, print)", "TimerHandle"),
        ("loop.create_task(asyncio.sleep(60))", "1 _asyncio.Task"),
        ("loop.run_until_complete(connection())", "SocketTransport"),
        ("[[] for _ in range(1000)]", "objects"),
        ("bytearray(b'x') * (32 << 20)", "bytes resident"),
    ],
)
def test_a_leak_is_found(loop_name: str, expression: str, found: str) -> None:
    assert found in leaked(loop_name, expression)


def test_a_leak_in_java_is_found() -> None:
    assert "bytes of Java's" in leaked("rloop", "only_java_remembers()")


def test_what_is_dead_in_java_does_not_count() -> None:
    script = """
        import gc

        first = new_loop()
        from rloop._core import collect_java_garbage
        loops = [new_loop() for _ in range(200)]
        collect_java_garbage()
        while loops:
            loops.pop().close()
        gc.collect()
        figures = [collect_java_garbage() for _ in range(4)]
        assert max(figures) - min(figures) < 10_000, figures
    """
    assert_clean(run_script(on_loop("rloop", script)))
