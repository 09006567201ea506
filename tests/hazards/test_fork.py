"""A fork takes one thread of Java along and leaves the others: the child must not enter Java."""

import sys

import pytest

from .forks import BEGIN, run
from .scripts import assert_clean, run_script


def test_a_new_loop_in_the_child_works_without_java_and_says_so_once() -> None:
    result = run_script(
        BEGIN
        + """
import subprocess

async def main():
    async def echo(reader, writer):
        writer.write(await reader.read(100))
        writer.close()
    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello")
        assert await reader.read() == b"hello"
        writer.close()
        await writer.wait_closed()
    child = await asyncio.create_subprocess_exec("true")
    assert await child.wait() == 0
    await asyncio.get_running_loop().run_in_executor(None, int)

def run_two():
    for _ in range(2):
        with asyncio.Runner(loop_factory=rloop.RLoop) as runner:
            assert isinstance(runner.get_loop(), rloop.RLoop)
            runner.run(main())
            with_a_signal(runner.get_loop())
            with_another_clock(runner.get_loop())

def with_another_clock(loop):
    loop.time = lambda: 12345
    assert loop.call_later(1, print).when() == 12346
    del loop.time
    assert loop.call_later(1, print).when() != 12346

def with_a_signal(loop):
    loop.add_signal_handler(signal.SIGUSR1, loop.stop)
    loop.call_soon(os.kill, os.getpid(), signal.SIGUSR1)
    loop.run_forever()

rloop.RLoop().close()
in_a_child(run_two)
run_two()
"""
    )
    assert_clean(result)
    assert result.stderr.count("fork") == 1


def test_a_loop_in_the_child_keeps_what_its_class_adds() -> None:
    run(
        """
class Loop(rloop.RLoop):
    def __init__(self, name):
        super().__init__()
        self.name = name
    def call_soon(self, callback, *args, context=None):
        calls.append(callback)
        return super().call_soon(callback, *args, context=context)

calls = []

def run_one():
    loop = Loop("a")
    assert loop.name == "a" and type(loop) is Loop
    loop.call_soon(loop.stop)
    loop.run_forever()
    assert loop.stop in calls
    loop.close()

parent = Loop("b")
assert type(parent) is Loop
parent.close()
in_a_child(run_one)
"""
    )


def test_a_loop_in_the_child_of_a_running_loop_does_not_disturb_it() -> None:
    run(
        """
def run_one():
    with asyncio.Runner(loop_factory=rloop.RLoop) as runner:
        runner.run(asyncio.sleep(0.01))

async def main():
    asyncio.get_running_loop().call_later(0.005, done.append, 1)
    # What multiprocessing does on Pythons whose asyncio doesn't look to it.
    in_a_child(lambda: (asyncio._set_running_loop(None), run_one()))
    await asyncio.sleep(0.02)
    assert done

done = []
with asyncio.Runner(loop_factory=rloop.RLoop) as runner:
    runner.run(main())
"""
    )


def test_the_loop_of_the_parent_is_refused_in_the_child() -> None:
    run(
        """
loop = rloop.RLoop()
transports = []

def use_the_loop():
    if not loop.is_running():
        assert_refused(loop.run_until_complete, asyncio.sleep(0))
    assert_refused(loop.call_soon, print)
    assert_refused(loop.call_soon_threadsafe, print)
    assert_refused(loop.call_later, 1, print)
    assert_refused(transports[0].write, b"data")
    gc.collect()

async def main():
    async with await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0) as server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        transports.append(writer.transport)
        in_a_child(use_the_loop)
        writer.close()
        await writer.wait_closed()

loop.run_until_complete(main())
in_a_child(use_the_loop)
loop.close()
"""
    )


def test_a_child_that_goes_on_with_the_running_loop_is_refused() -> None:
    run(
        """
def fork_and_return():
    pids.append(os.fork())
    if not pids[0]:
        signal.alarm(20)
    loop.call_later(0.01, loop.stop) if pids[0] else None

pids = []
loop = rloop.RLoop()
loop.call_soon(fork_and_return)
try:
    loop.run_forever()
except RuntimeError as error:
    os._exit(7 if not pids[0] and "forked" in str(error) else 8)
assert os.waitstatus_to_exitcode(os.waitpid(pids[0], 0)[1]) == 7
loop.close()
"""
    )


def test_a_child_that_forgets_the_loop_may_run_another() -> None:
    run(
        """
def run_another():
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(asyncio.sleep(0))

async def main():
    in_a_child(lambda: None)

loop = rloop.RLoop()
loop.run_until_complete(main())
loop.call_later(60, print)
in_a_child(run_another)
in_a_child(gc.collect)
loop.close()
"""
    )


def test_what_dies_in_the_child_does_not_enter_java() -> None:
    run(
        """
def drop():
    loops.clear()
    handles.clear()
    gc.collect()

loops = [rloop.RLoop() for _ in range(2)]
loops[0].close()
handles = [loops[1].call_later(60, print), loops[1].call_soon(print)]
assert made_code() - others_code
in_a_child(drop)
loops[1].close()
"""
    )


def test_a_transport_that_dies_in_the_child_is_reported_and_closed_there() -> None:
    run(
        """
async def main():
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    connecting = asyncio.get_running_loop().create_connection(asyncio.Protocol, *address)
    transports.append((await connecting)[0])
    await asyncio.sleep(0.01)
    transports[0].pause_reading()
    await asyncio.sleep(0.01)  # the poller has let go of it
    in_a_child(drop)
    transports[0].close()
    server.close()

def drop():
    assert " open>" in repr(transports[0])
    number = transports[0].get_extra_info("socket").fileno()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        transports.clear()
        gc.collect()
    assert any("unclosed transport" in str(warning.message) for warning in caught), caught
    try:
        os.fstat(number)
    except OSError:
        return
    raise AssertionError("the socket is open")

transports = []
loop = rloop.RLoop()
loop.run_until_complete(main())
loop.close()
"""
    )


def test_a_child_that_exits_amid_the_loop_s_run_ends_as_it_wants() -> None:
    result = run_script(
        BEGIN
        + """
def fork(ending):
    child = os.fork()
    if child == 0:
        raise ending
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    loop.stop()

def run(ending):
    loop.call_soon(fork, ending)
    loop.run_forever()

loop = rloop.RLoop()
run(SystemExit(8))
try:
    run(KeyboardInterrupt())
except KeyboardInterrupt:
    sys.exit(9)
try:
    run(SystemExit(10))
finally:
    loop.close()
loop = rloop.RLoop()
if os.fork() == 0:
    sys.exit()
os.wait()
loop.close()
"""
    )
    assert_clean(result)
    assert (result.stdout.split(), result.stderr) == (["8", "9", "10"], "")


@pytest.mark.skipif(
    sys.version_info >= (3, 14), reason="asyncio's tasks refuse the running loop in a child"
)
@pytest.mark.parametrize("loop_class", ["RLoop", "TokioLoop"])
def test_a_task_s_child_that_exits_ends_as_it_wants(loop_class: str) -> None:
    result = run_script(
        BEGIN
        + f"""
new_loop = rloop.{loop_class}
"""
        + """
async def fork(ending):
    child = os.fork()
    if child == 0:
        raise ending
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

loop = new_loop()
loop.run_until_complete(fork(SystemExit(8)))
try:
    loop.run_until_complete(fork(KeyboardInterrupt()))
except KeyboardInterrupt:
    sys.exit(9)
loop.close()

with asyncio.Runner(loop_factory=new_loop) as runner:
    runner.run(fork(SystemExit(10)))
"""
    )
    assert_clean(result)
    assert (result.stdout.split(), result.stderr) == (["8", "9", "10"], "")


def test_a_child_ends_as_any_process_does() -> None:
    run(
        """
loop = rloop.RLoop()
loop.call_later(60, print)
sys.stdout.flush()
pid = os.fork()
if pid == 0:
    signal.alarm(20)
    sys.exit(5)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 5
loop.close()
"""
    )


def test_java_started_after_the_fork_works() -> None:
    run(
        """
def run_a_loop():
    with asyncio.Runner(loop_factory=rloop.RLoop) as runner:
        runner.run(asyncio.sleep(0))

in_a_child(run_a_loop)
in_a_child(run_a_loop)
run_a_loop()
"""
    )


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing_beside_a_running_loop(method: str) -> None:
    run(
        f"""
import concurrent.futures, multiprocessing

async def main():
    context = multiprocessing.get_context("{method}")
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        loop = asyncio.get_running_loop()
        results = [loop.run_in_executor(pool, abs, -i) for i in range(5)]
        assert await asyncio.gather(*results) == [0, 1, 2, 3, 4]

if __name__ == "__main__":
    with asyncio.Runner(loop_factory=rloop.RLoop) as runner:
        runner.run(main())
"""
    )


def test_subprocesses_of_a_process_with_java() -> None:
    run(
        """
import subprocess
rloop.RLoop().close()
command = [sys.executable, "-c", "import sys; sys.exit(3)"]
for preexec in (None, int):
    assert subprocess.run(command, preexec_fn=preexec).returncode == 3
assert os.system("exit 4") >> 8 == 4
"""
    )
