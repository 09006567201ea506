"""Several workers from start to end, many times over: under load, by Ctrl-C, with collections."""

import os
import sys
from pathlib import Path

import pytest

from .scripts import assert_clean, run_script

pytestmark = pytest.mark.skipif(
    getattr(sys, "_is_gil_enabled", lambda: True)(), reason="several workers need no GIL"
)

TIMES = int(os.environ.get("WORKERS_TIMES", "4"))

# A server whose clients run on all workers too, for ever.
LOAD = """
import asyncio, faulthandler, gc, os, random, signal, sys, threading, time
import rloop
faulthandler.enable()
TIMES = int(sys.argv[1])
faulthandler.dump_traceback_later(50 + 5 * TIMES, exit=True)
def new_loop():
    return rloop.TokioLoop(workers=4)
class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
    def data_received(self, data):
        self.transport.write(data)
answers = 0
kept = []  # tasks, which nobody else refers to
async def client(port):
    global answers
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number in range(1 << 62):
        line = b"%d\\n" % number
        writer.write(line)
        assert await reader.readline() == line
        answers += 1
async def serve(loop):
    server = await loop.create_server(Echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    tasks = []
    for worker in loop._crew.workers:
        for _ in range(3):
            worker.call_soon(lambda: tasks.append(asyncio.create_task(client(port))))
    kept.append(tasks)
    return tasks
def wait_for_load():
    wanted = answers + 200
    while answers < wanted:
        time.sleep(0.001)
"""


def run(script: str) -> None:
    assert_clean(run_script(LOAD + script, str(TIMES), timeout=60 + 5 * TIMES))


def test_interrupted_runs() -> None:
    run("""
async def main():
    loop = asyncio.get_running_loop()
    tasks = await serve(loop)
    def interrupt():
        wait_for_load()
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=interrupt).start()
    await asyncio.sleep(1000)
for _ in range(TIMES):
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(main())
    except KeyboardInterrupt:
        pass
    else:
        raise AssertionError("it was not interrupted")
assert threading.active_count() == 1, threading.enumerate()
    """)


def test_loops_closed_under_load() -> None:
    run("""
import warnings
warnings.simplefilter("ignore")
for _ in range(TIMES):
    loop = new_loop()
    tasks = loop.run_until_complete(serve(loop))
    loop.call_later(0.05, loop.stop)
    loop.run_forever()
    loop.close()
    for task in tasks:
        task._log_destroy_pending = False
    kept.clear()
    del task, tasks, loop
    gc.collect()
assert threading.active_count() == 1, threading.enumerate()
    """)


def test_exits_in_the_middle() -> None:
    """The process ends while workers serve, by `sys.exit` on one of them."""
    for _ in range(TIMES):
        result = run_script(
            LOAD
            + """
async def main():
    loop = asyncio.get_running_loop()
    tasks = await serve(loop)
    await asyncio.sleep(0.05)
    random.choice(loop._crew.workers).call_soon(sys.exit, 7)
    await asyncio.sleep(1000)
asyncio.run(main(), loop_factory=new_loop)
    """,
            "1",
        )
        assert result.returncode == 7, result.stderr


def test_a_program_that_never_closes_its_loop_ends() -> None:
    assert_clean(
        run_script(
            LOAD
            + """
loop = new_loop()
tasks = loop.run_until_complete(serve(loop))
loop.run_until_complete(asyncio.sleep(0.05))
    """,
            "1",
        )
    )


def test_collections_and_tracing_under_load() -> None:
    run("""
def trace(frame, event, argument):
    return None
async def main():
    loop = asyncio.get_running_loop()
    await serve(loop)
    core = sys.modules["rloop._core"]
    for number in range(TIMES * 3):
        gc.collect()
        core.collect_java_garbage()
        if number % 2:
            threading.settrace_all_threads(trace)
        else:
            sys.setprofile(None)
            threading.settrace_all_threads(None)
        await asyncio.sleep(0.01)
    before = answers
    await asyncio.sleep(0.2)
    assert answers > before
    faulthandler.dump_traceback(all_threads=True, file=open(os.devnull, "w"))
asyncio.run(main(), loop_factory=new_loop)
    """)


def test_callbacks_that_raise_on_all_workers() -> None:
    run("""
reported = []
async def main():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: reported.append(context["exception"]))
    await serve(loop)
    def fail():
        raise ValueError
    for _ in range(100):
        for worker in loop._crew.workers:
            worker.call_soon(fail)
        await asyncio.sleep(0)
    while len(reported) < 400:
        await asyncio.sleep(0.001)
asyncio.run(main(), loop_factory=new_loop)
assert {type(exc) for exc in reported} == {ValueError}
    """)


def test_stacks_are_dumped_under_load(tmp_path: Path) -> None:
    run(f"""
import subprocess
async def main():
    loop = asyncio.get_running_loop()
    await serve(loop)
    before = answers
    for _ in range(TIMES):
        faulthandler.dump_traceback(all_threads=True, file=open({str(tmp_path / "dump")!r}, "w"))
        await asyncio.sleep(0.02)
    assert "rloop/workers/crew.py" in open({str(tmp_path / "dump")!r}).read()
    assert answers > before
asyncio.run(main(), loop_factory=new_loop)
    """)


def test_children_have_loops_of_one_thread() -> None:
    run("""
import warnings
async def use_locks():
    lock, queue = asyncio.Lock(), asyncio.Queue()
    async def put(number):
        async with lock:
            await asyncio.sleep(0)
            await queue.put(number)
    async with asyncio.TaskGroup() as group:
        for number in range(10):
            group.create_task(put(number))
    assert sorted([await queue.get() for _ in range(10)]) == list(range(10))
    assert rloop.current_worker() is None
loop = new_loop()
tasks = loop.run_until_complete(serve(loop))
for _ in range(TIMES):
    loop.run_until_complete(asyncio.sleep(0.02))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        asyncio.run(use_locks(), loop_factory=new_loop)
        os._exit(5)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 5
    before = answers
    loop.run_until_complete(asyncio.sleep(0.05))
    assert answers > before
for task in tasks:
    task.cancel()
loop.run_until_complete(asyncio.wait(tasks))
loop.close()
    """)
