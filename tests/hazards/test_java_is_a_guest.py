"""Starting Java leaves the process, and the machine, as they were."""

import os
import resource
import shutil
import subprocess
from pathlib import Path

import pytest

from .scripts import ECHOES, assert_clean, run_script

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads /proc")

STATUS = """
    import asyncio, os, sys, time, rloop

    def status(key, task="self"):
        with open(f"/proc/{task}/status") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith(key))
"""

SECONDS_OF_IDLENESS = 6


@pytest.fixture(scope="module")
def german(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of somebody whose decimal point is a comma."""
    folder = tmp_path_factory.mktemp("locales")
    command = [
        "localedef",
        "--no-archive",
        "-i",
        "de_DE",
        "-f",
        "UTF-8",
        str(folder / "de_DE.UTF-8"),
    ]
    if shutil.which("localedef") is None or subprocess.run(command, check=False).returncode > 1:
        pytest.skip("localedef cannot make the German locale here")
    environment = {key: value for key, value in os.environ.items() if key[:3] != "LC_"}
    return {**environment, "LANG": "de_DE.UTF-8", "LOCPATH": str(folder)}


@pytest.mark.parametrize(
    "chosen",
    [
        "''",
        "'C'",
        "(locale.setlocale(locale.LC_ALL, ''), locale.setlocale(locale.LC_NUMERIC, 'C'))",
        "(locale.setlocale(locale.LC_TIME, ''), locale.setlocale(locale.LC_MONETARY, ''))",
    ],
)
def test_the_locale_stays_the_program_s(german: dict[str, str], chosen: str) -> None:
    result = run_script(
        """
        import ctypes, locale, sys, time, rloop
        if sys.argv[1] == "''":
            locale.setlocale(locale.LC_ALL, "")
        else:
            eval(sys.argv[1])
        c = ctypes.CDLL(None)
        c.strtod.restype = ctypes.c_double
        c.setlocale.restype = ctypes.c_char_p

        def tell():
            day = time.strftime("%A", time.gmtime(0))
            return day, c.strtod(b"3.14", None), c.setlocale(locale.LC_ALL, None)

        before = tell()
        rloop.RLoop().close()
        assert tell() == before, (before, tell())
        """,
        chosen,
        env=german,
    )
    assert_clean(result)


def test_the_locale_stays_when_java_fails_to_start(german: dict[str, str]) -> None:
    result = run_script(
        """
        import ctypes, locale, rloop
        try:
            rloop.RLoop()
        except rloop.JavaStartError:
            pass
        c = ctypes.CDLL(None)
        c.setlocale.restype = ctypes.c_char_p
        print(c.setlocale(locale.LC_NUMERIC, None))
        """,
        env={**german, "RLOOP_JAVA_OPTIONS": "-agentlib:no_such_agent"},
    )
    assert_clean(result)
    assert result.stdout == "b'C'\n"


def test_the_limits_stay() -> None:
    assert_clean(
        run_script(
            """
            import resource, rloop
            limits = [name for name in dir(resource) if name.startswith("RLIMIT_")]
            _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (256, most))
            before = {name: resource.getrlimit(getattr(resource, name)) for name in limits}
            rloop.RLoop().close()
            after = {name: resource.getrlimit(getattr(resource, name)) for name in limits}
            assert before == after, (before, after)
            """
        )
    )


@pytest.mark.parametrize("aot", ["on", "off"])
def test_what_java_opens_is_not_inherited(aot: str) -> None:
    # By the program that execv makes of this process each time, three descriptors would pile up.
    assert_clean(
        run_script(
            """
            import os, sys, rloop
            taken = os.open(os.devnull, os.O_RDONLY), os.open(os.devnull, os.O_RDONLY)
            os.close(taken[0])  # a gap, which Java fills
            os.set_inheritable(taken[1], True)

            def inherited():
                return {int(n) for n in os.listdir("/dev/fd") if os.path.exists(f"/dev/fd/{n}")
                        and os.get_inheritable(int(n))}

            before = inherited()
            rloop.RLoop().close()
            assert inherited() == before, [os.readlink(f"/dev/fd/{n}") for n in inherited()]
            """,
            env={**os.environ, "RLOOP_AOT": aot},
        )
    )


def test_nobody_listens_for_debuggers(tmp_path: Path) -> None:
    # `jcmd` creates a file and sends SIGQUIT; here it would be the program's own signal.
    result = run_script(
        STATUS
        + """
    import glob
    rloop.RLoop().close()
    time.sleep(0.3)
    with open("/proc/net/unix") as sockets:
        assert f".java_pid{os.getpid()}" not in sockets.read()
    for left in (f".java_pid{os.getpid()}", f".attach_pid{os.getpid()}"):
        assert not os.path.exists(f"/tmp/{left}"), left
    assert not glob.glob(f"/tmp/hsperfdata_*/{os.getpid()}")
    names = set()
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/comm") as file:
            names.add(file.read())
    assert not any("Attach" in name for name in names), names
    """
    )
    assert_clean(result)


def test_core_files_hold_what_they_would_without_java() -> None:
    assert_clean(
        run_script(
            """
            import rloop

            def contents():
                with open("/proc/self/coredump_filter") as file:
                    return file.read()

            before = contents()
            rloop.RLoop().close()
            assert contents() == before
            """
        )
    )


def dumps_core_here() -> bool:
    pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    unlimited = resource.getrlimit(resource.RLIMIT_CORE)[1] == resource.RLIM_INFINITY
    return unlimited and "/" not in pattern and "|" not in pattern


@pytest.mark.skipif(not dumps_core_here(), reason="core files are not written to the folder here")
def test_core_files_stay_small(tmp_path: Path) -> None:
    script = """
        import asyncio, os, resource, sys, rloop
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
        os.chdir(sys.argv[2])
        getattr(rloop if sys.argv[1] == "RLoop" else asyncio, sys.argv[1])().close()
        os.abort()
    """
    sizes = []
    for loop in ("SelectorEventLoop", "RLoop"):
        folder = tmp_path / loop
        folder.mkdir()
        run_script(script, loop, str(folder))
        (core,) = folder.iterdir()
        sizes.append(core.stat().st_blocks)
    assert sizes[1] < 3 * sizes[0], sizes


@pytest.mark.parametrize("limit", [8 << 20, 64 << 20, resource.RLIM_INFINITY])
def test_a_large_main_stack_is_not_every_thread_s(limit: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_STACK)
    if hard != resource.RLIM_INFINITY:
        pytest.skip("the hard limit of stacks is too low here")
    # The limit is the stack of the program that is executed next.
    result = run_script(
        """
        import os, resource, sys
        resource.setrlimit(resource.RLIMIT_STACK, (int(sys.argv[1]), resource.RLIM_INFINITY))
        os.execv(sys.executable, [sys.executable, "-c", sys.argv[2]])
        """,
        str(limit),
        """
import ctypes, resource, sys, rloop

def address_space():
    with open("/proc/self/status") as file:
        sizes = dict(line.split(":", 1) for line in file)
    return int(sizes["VmSize"].split()[0])

limit = resource.getrlimit(resource.RLIMIT_STACK)
before = address_space()  # a free-threaded Python sets a gigabyte aside
loop = rloop.RLoop()
assert resource.getrlimit(resource.RLIMIT_STACK) == limit
assert address_space() - before < 1_500_000, (before, address_space())
# The heap can still grow by the break.
c = ctypes.CDLL(None)
c.sbrk.restype = ctypes.c_void_p
assert c.sbrk(ctypes.c_long(1 << 20)) != ctypes.c_void_p(-1).value

class Nested:
    def __init__(self, depth):
        self.depth = depth
    def __repr__(self):
        if self.depth == 0:
            loop.call_soon(print)
            rloop.java.jvm.core().collect_java_garbage()
            return ""
        return repr([Nested(self.depth - 1)])

sys.setrecursionlimit(50_000)
try:
    repr(Nested(2000))
except RecursionError:
    pass  # some versions of Python allow less
""",
    )
    assert_clean(result)


def test_an_idle_program_stays_asleep() -> None:
    # What is left: the compilers' threads and the JVM's clock look up every five seconds.
    result = run_script(
        STATUS
        + """
    rloop.RLoop().close()
    time.sleep(2)

    def switches():
        return {
            (task, status("Name", f"self/task/{task}")):
                int(status("voluntary_ctxt_switches", f"self/task/{task}"))
            for task in os.listdir("/proc/self/task") if task != str(os.getpid())
        }

    before = switches()
    time.sleep(float(sys.argv[1]))
    after = switches()
    woken = {name: count - before.get(name, 0) for name, count in after.items()}
    assert sum(woken.values()) <= float(sys.argv[1]), woken
    """,
        str(SECONDS_OF_IDLENESS),
    )
    assert_clean(result)


def test_the_memory_of_the_jit_is_given_back() -> None:
    result = run_script(
        STATUS
        + """
    import ctypes
    start = time.monotonic()

"""
        + ECHOES
        + """
    async def main():
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        while time.monotonic() < start + 6:
            await asyncio.gather(*(ask(server.sockets[0].getsockname()) for _ in range(30)))
        server.close()

    with asyncio.Runner(loop_factory=rloop.RLoop) as runner:
        runner.run(main())
    time.sleep(start + 10 - time.monotonic())
    before = int(status("VmRSS").split()[0])
    ctypes.CDLL(None).malloc_trim(0)
    left = before - int(status("VmRSS").split()[0])
    assert left < 3000, left
    """,
        env={**os.environ, "RLOOP_JAVA_OPTIONS": "-Drloop.trim.seconds=8"},
    )
    assert_clean(result)
