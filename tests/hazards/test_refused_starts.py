"""Where Java cannot start, its reason is an exception, and asyncio goes on.

The JVM alone would print a line and end the process, whatever else that was doing.
"""

import ctypes
import os
import signal
import sys
from subprocess import CompletedProcess

import pytest

from .scripts import ECHO_ONCE, ECHOES, assert_clean, run_script

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limits of Linux")

MIB = 1 << 20
PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1

# Prints the error, twice, and shows that the process is as good as before.
TRY = (
    """
    import asyncio, subprocess, sys, rloop

    for _ in range(2):
        try:
            rloop.RLoop()
        except Exception as error:
            print(type(error).__name__, error)

"""
    + ECHO_ONCE
    + """
    asyncio.run(main())
    assert subprocess.run([sys.executable, "-c", ""]).returncode == 0
"""
)

LIMITED = """
    import resource, sys
    kind, more = sys.argv[1:]
    with open("/proc/self/status") as file:
        sizes = dict(line.split(":", 1) for line in file)
    used = int(sizes["VmSize" if kind == "RLIMIT_AS" else "VmData"].split()[0]) * 1024
    resource.setrlimit(getattr(resource, kind), (used + int(more), used + int(more)))
"""


def environment(**variables: str) -> dict[str, str]:
    return {**os.environ, **variables}


def assert_refused(result: "CompletedProcess[str]", error: str, *texts: str) -> None:
    assert_clean(result)
    first, *_ = result.stdout.splitlines()
    assert first.startswith(f"{error} "), first
    for text in ("rloop" if error == "JavaStartError" else "RLOOP", *texts):
        assert text in first, first


@pytest.mark.parametrize("more", [100, 300, 400, 500, 700])
def test_a_limit_of_address_space(more: int) -> None:
    result = run_script(LIMITED + TRY, "RLIMIT_AS", str(more * MIB))
    assert_refused(result, "JavaStartError", "ulimit -v", "MiB", "RLOOP_JAVA_HEAP")


@pytest.mark.parametrize(("heap", "arenas", "more"), [("256m", "", 1500), ("32m", "2", 500)])
def test_what_is_said_to_suffice_suffices(heap: str, arenas: str, more: int) -> None:
    result = run_script(
        LIMITED + LOAD,
        "RLIMIT_AS",
        str(more * MIB),
        env=environment(RLOOP_JAVA_HEAP=heap, MALLOC_ARENA_MAX=arenas),
    )
    assert_clean(result)


LOAD = (
    """
    import asyncio, time, rloop

"""
    + ECHOES
    + """
    async def main():
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        end = time.monotonic() + 4
        while time.monotonic() < end:
            await asyncio.gather(*(ask(server.sockets[0].getsockname()) for _ in range(30)))
        server.close()

    with asyncio.Runner(loop_factory=rloop.RLoop) as runner:
        runner.run(main())
"""
)


@pytest.mark.parametrize("more", [10, 40, 60])
def test_a_limit_of_data(more: int) -> None:
    result = run_script(LIMITED + TRY, "RLIMIT_DATA", str(more * MIB))
    assert_refused(result, "JavaStartError", "ulimit -d", "MiB")


def test_enough_data_suffices() -> None:
    assert_clean(run_script(LIMITED + LOAD, "RLIMIT_DATA", str(120 * MIB)))


@pytest.mark.parametrize("limit", [16, 64, 128, 200])
def test_a_limit_of_the_main_thread_s_stack(limit: int) -> None:
    script = """
    import resource, sys
    before = resource.getrlimit(resource.RLIMIT_STACK)
    resource.setrlimit(resource.RLIMIT_STACK, (int(sys.argv[1]) << 10, before[1]))
    """
    restored = "resource.setrlimit(resource.RLIMIT_STACK, before)\n    asyncio.run("
    result = run_script(script + TRY.replace("asyncio.run(", restored), str(limit))
    assert_refused(result, "JavaStartError", "KiB", "ulimit -s")


@pytest.mark.parametrize("aot", ["on", "off"])
@pytest.mark.parametrize("left", range(8))
def test_a_limit_of_open_files(left: int, aot: str) -> None:
    # As asyncio's: an OSError; and once there are descriptors again, a loop.
    result = run_script(
        """
        import asyncio, errno, os, resource, sys, rloop
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard))
        opened = []
        try:
            while True:
                opened.append(os.open(os.devnull, os.O_RDONLY))
        except OSError:
            pass
        for _ in range(int(sys.argv[1])):
            os.close(opened.pop())
        for _ in range(2):
            try:
                rloop.RLoop().close()
            except OSError as error:
                assert error.errno == errno.EMFILE, error
                print(error)
        for descriptor in opened:
            os.close(descriptor)
        with asyncio.Runner(loop_factory=rloop.RLoop) as runner:
            runner.run(asyncio.sleep(0))
        """,
        str(left),
        env=environment(RLOOP_AOT=aot),
    )
    assert_clean(result)
    assert result.stderr == ""
    assert all("ulimit -n" in line for line in result.stdout.splitlines() if left < 4)


@pytest.mark.parametrize("tasks", [3, 8, 12])
def test_a_limit_of_the_user_s_processes(tasks: int) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs a user who has no other processes, as only root can be")
    another_user = """
    import os, resource, sys
    import rloop.java.jvm  # what another user may not read
    import asyncio, subprocess
    os.setgid(54321)
    os.setuid(54321)
    tasks = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_NPROC, (tasks, tasks))
    """
    script = another_user + TRY.replace("assert subprocess", "assert True or subprocess")
    result = run_script(script, str(tasks), env=environment(RLOOP_AOT="off"))
    assert_refused(result, "JavaStartError", "16 threads", "ulimit -u")


def test_memory_that_is_not_written_and_executed() -> None:
    # As by MemoryDenyWriteExecute in a systemd unit.
    if ctypes.CDLL(None).prctl(PR_SET_MDWE + 1, 0, 0, 0, 0) < 0:
        pytest.skip("this kernel has no PR_SET_MDWE")
    result = run_script(
        """
    import ctypes
    assert ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) == 0
    """
        + TRY
    )
    assert_refused(result, "JavaStartError", "executed", "MemoryDenyWriteExecute")


@pytest.mark.parametrize(
    "heap", ["banana", "1k", "15m", "-5m", "99999t", "999999999999999999g", "1.5g"]
)
def test_a_heap_that_means_nothing(heap: str) -> None:
    result = run_script(TRY, env=environment(RLOOP_JAVA_HEAP=heap))
    assert_refused(result, "SettingError", f"RLOOP_JAVA_HEAP is '{heap}'", "256m")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("-Xmx4m", "Initial heap size set to a larger value than the maximum heap size"),
        ("-Xmx200t", "Could not reserve enough space"),
        ("-agentlib:no_such_agent", "Could not find agent library"),
        ("-XX:+UseG1GC", "Multiple garbage collectors selected"),
        ("-Xshare:on -XX:SharedArchiveFile=/nowhere", "Unable to use shared archive"),
        ("-Xss1k", "The Java thread stack size specified is too small"),
        ("-XX:ReservedCodeCacheSize=1k", "outside the allowed range"),
        ("-XX:NoSuchOption", "NoSuchOption"),
        ("-version", "-version"),
    ],
)
def test_options_that_java_cannot_start_with(options: str, reason: str) -> None:
    result = run_script(TRY, env=environment(RLOOP_JAVA_OPTIONS=options))
    assert_refused(result, "JavaStartError", "RLOOP_JAVA_OPTIONS")
    assert reason in result.stderr


def test_options_without_a_closing_quote() -> None:
    result = run_script(TRY, env=environment(RLOOP_JAVA_OPTIONS="-Dtitle='x"))
    assert_refused(result, "SettingError", "RLOOP_JAVA_OPTIONS", "quot")


@pytest.mark.parametrize("variable", ["RLOOP_POLLER", "RLOOP_TLS", "RLOOP_AOT", "RLOOP_LEND"])
def test_values_that_are_not_known(variable: str) -> None:
    result = run_script(TRY, env=environment(**{variable: "of course"}))
    assert_refused(result, "SettingError", f"{variable} is 'of course': expected ", " or ")


@pytest.mark.parametrize(
    "variable", ["RLOOP_POLLER", "RLOOP_TLS", "RLOOP_AOT", "RLOOP_LEND", "RLOOP_JAVA_HEAP"]
)
def test_an_empty_value_is_none(variable: str) -> None:
    assert_clean(
        run_script("import rloop; rloop.RLoop().close()", env=environment(**{variable: ""}))
    )


def test_a_refused_start_leaves_crashes_to_the_system() -> None:
    result = run_script(
        TRY + "    import ctypes; ctypes.string_at(0)",
        env=environment(RLOOP_JAVA_OPTIONS="-agentlib:no_such_agent"),
    )
    assert result.returncode == -signal.SIGSEGV
    assert "A fatal error" not in result.stdout + result.stderr


def test_the_last_line_says_who_ended_the_process() -> None:
    result = run_script(
        """
        import rloop
        loop = rloop.RLoop()
        for number in range(2_000_000):
            loop.call_later(1000 + number, int)
        """,
        env=environment(RLOOP_JAVA_HEAP="16m", RLOOP_JAVA_OPTIONS="-XX:+CrashOnOutOfMemoryError"),
    )
    assert result.returncode != 0
    *_, last = result.stderr.strip().splitlines()
    assert last.startswith("rloop: Java, which runs in this process, cannot go on"), result.stderr
