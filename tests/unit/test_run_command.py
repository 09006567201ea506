"""``python -m rloop run``: a program as python runs it, on loops of ours."""

import os
import py_compile
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path
from subprocess import CompletedProcess

import pytest

LOOPS = {"rloop": "RLoop", "tokio": "TokioLoop"}

ON_RLOOP = [sys.executable, "-m", "rloop", "run"]

SHOW_MAIN = """
import sys
print(sys.argv, sys.path[:2], __name__, sorted(globals()))
print(getattr(__spec__, 'name', None), type(__loader__), __package__, globals().get("__file__"))
print(sys.modules["__main__"].__dict__ is globals(), sys.flags)
"""

PROGRAMS = {
    "shows itself": SHOW_MAIN,
    "raises": "def f():\n    1 / 0\n\nf()\n",
    "raises in a chain": "try:\n    1 / 0\nexcept ArithmeticError:\n    raise ValueError('two')\n",
    "cannot be compiled": "x = (\n",
    "ends with a number": "import sys; sys.exit(7)",
    "ends with a text": "import sys; sys.exit('no more')",
    "is interrupted": "raise KeyboardInterrupt",
    "is killed": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    "has a hook": """
        import sys, traceback
        def hook(kind, value, shown):
            print(kind, value, [frame.name for frame in traceback.extract_tb(shown)])
            print(shown is value.__traceback__)
        sys.excepthook = hook
        1 / 0
    """,
    "has atexit, threads": """
        import atexit, threading, time
        atexit.register(lambda: print("atexit", __name__))
        def late():
            time.sleep(0.1)
            print("thread", __name__, __import__("__main__").late is late)
        threading.Thread(target=late).start()
    """,
    "pickles its own": """
        import pickle
        class Own: pass
        print(type(pickle.loads(pickle.dumps(Own()))) is Own)
    """,
}


def run(command: list[str], folder: Path) -> "CompletedProcess[str]":
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env=environment, check=False
    )


def assert_as_python(arguments: list[str], folder: Path, *flags: str) -> None:
    plain = run([sys.executable, *flags, *arguments], folder)
    ours = run([sys.executable, *flags, *ON_RLOOP[1:], *arguments], folder)
    assert (ours.stdout, ours.stderr) == (plain.stdout, plain.stderr)
    assert ours.returncode == plain.returncode


def says(result: "CompletedProcess[str]") -> str:
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize("source", PROGRAMS.values(), ids=PROGRAMS)
@pytest.mark.parametrize("way", ["script", "module", "code"])
def test_a_program_runs_as_python_runs_it(source: str, way: str, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "program.py").write_text(textwrap.dedent(source))
    arguments = {
        "script": ["sub/program.py"],
        "module": ["-m", "sub.program"],
        "code": ["-c", textwrap.dedent(source)],
    }[way]
    assert_as_python([*arguments, "-a", "--loop", "b", "--", "-m"], tmp_path)


@pytest.mark.parametrize("flags", [("-P",), ("-I",), ("-O", "-W", "error"), ("-X", "dev")])
def test_the_interpreters_options_hold(flags: tuple[str, ...], tmp_path: Path) -> None:
    if "-I" in flags and "PYTHONPATH" in os.environ:
        pytest.skip("rloop itself may be there")
    (tmp_path / "program.py").write_text(SHOW_MAIN)
    assert_as_python(["program.py"], tmp_path, *flags)


def test_what_cannot_be_found_is_told_as_python_tells_it(tmp_path: Path) -> None:
    assert_as_python(["nowhere.py"], tmp_path)
    assert_as_python(["-m", "nowhere"], tmp_path)
    assert_as_python(["-m", "nowhere.deeper"], tmp_path)


def test_a_link_to_a_script_has_the_scripts_folder(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "program.py").write_text(SHOW_MAIN)
    (tmp_path / "link.py").symlink_to("real/program.py")
    assert_as_python(["link.py"], tmp_path)


def test_folders_archives_and_compiled_files_are_programs(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "__main__.py").write_text(SHOW_MAIN)
    with zipfile.ZipFile(tmp_path / "archive.pyz", "w") as archive:
        archive.write(tmp_path / "folder" / "__main__.py", "__main__.py")
    py_compile.compile(
        str(tmp_path / "folder" / "__main__.py"), cfile=str(tmp_path / "compiled.pyc")
    )
    for name in ("folder", "archive.pyz", "compiled.pyc"):
        assert_as_python([name, "argument"], tmp_path)
        assert_as_python([name], tmp_path, "-P")


WAYS_TO_A_LOOP = """
import asyncio, warnings
warnings.simplefilter("ignore")

async def which():
    return type(asyncio.get_running_loop()).__name__

def name(loop):
    loop.close()
    return type(loop).__name__

class Policy(asyncio.DefaultEventLoopPolicy):
    def new_event_loop(self):
        return super().new_event_loop()

seen = [
    asyncio.run(which()),
    asyncio.Runner().run(which()),
    asyncio.Runner(loop_factory=asyncio.new_event_loop).run(which()),
    asyncio.Runner(loop_factory=asyncio.SelectorEventLoop).run(which()),
    name(asyncio.new_event_loop()),
    name(asyncio.SelectorEventLoop()),
    name(getattr(asyncio, "EventLoop", asyncio.SelectorEventLoop)()),
    name(asyncio.DefaultEventLoopPolicy().new_event_loop()),
    name(asyncio.get_event_loop_policy().new_event_loop()),
]
for policy in (Policy(), None):
    asyncio.set_event_loop_policy(policy)
    seen += [name(asyncio.new_event_loop()), asyncio.run(which())]
print(set(seen))
"""


@pytest.mark.parametrize("name", LOOPS)
def test_every_way_to_a_new_loop_leads_to_ours(name: str, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(WAYS_TO_A_LOOP)
    result = run([*ON_RLOOP, "--loop", name, "program.py"], tmp_path)
    assert says(result) == str({LOOPS[name]})


def test_without_an_option_it_is_an_rloop(tmp_path: Path) -> None:
    source = "import asyncio; print(type(asyncio.new_event_loop()).__name__)"
    assert says(run([*ON_RLOOP, "-c", source], tmp_path)) == "RLoop"


def test_who_derives_from_asyncios_loop_or_gives_it_a_selector_gets_it(tmp_path: Path) -> None:
    source = """
        import asyncio, selectors
        class Own(asyncio.SelectorEventLoop): pass
        for loop in Own(), asyncio.SelectorEventLoop(selectors.SelectSelector()):
            print(type(loop).__module__, type(loop).__name__)
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()
    """
    result = run([*ON_RLOOP, "-c", textwrap.dedent(source)], tmp_path)
    assert says(result).split() == [
        *("__main__", "Own"),
        *("asyncio.unix_events", "_UnixSelectorEventLoop"),
    ]


SPAWNS = """
import asyncio, multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor

async def which():
    return type(asyncio.get_running_loop()).__name__

def child(deeper):
    names = [asyncio.run(which())]
    if deeper:
        names += in_child(False)
    return names

def in_child(deeper):
    context = multiprocessing.get_context(sys.argv[1])
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(child, deeper).result()

if __name__ == "__main__":
    print([asyncio.run(which()), *in_child(True)])
"""


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
@pytest.mark.parametrize("way", ["script", "module"])
def test_processes_that_are_spawned_have_our_loops(method: str, way: str, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(SPAWNS)
    program = {"script": ["program.py"], "module": ["-m", "program"]}[way]
    result = run([*ON_RLOOP, "--loop", "tokio", *program, method], tmp_path)
    assert says(result) == str(["TokioLoop"] * 3)


def test_a_child_that_is_forked_before_the_first_loop_has_ours(tmp_path: Path) -> None:
    source = """
        import asyncio, os, sys
        child = os.fork()
        if child:
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        loop = asyncio.new_event_loop()
        loop.run_until_complete(asyncio.sleep(0))
        print(type(loop).__name__)
    """
    assert says(run([*ON_RLOOP, "-c", textwrap.dedent(source)], tmp_path)) == "RLoop"


def test_programs_that_use_uvloop_where_it_is_installed_get_ours(tmp_path: Path) -> None:
    (tmp_path / "uvloop").mkdir()
    (tmp_path / "uvloop" / "__init__.py").write_text("raise SystemError('not to be loaded')")
    source = """
        import asyncio, uvloop, warnings
        warnings.simplefilter("ignore")
        async def main(): print(type(asyncio.get_running_loop()).__name__)
        uvloop.install()
        asyncio.run(main())
        uvloop.run(main())
        asyncio.Runner(loop_factory=uvloop.new_event_loop).run(main())
        asyncio.Runner(loop_factory=uvloop.Loop).run(main())
        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
        asyncio.run(main())
    """
    (tmp_path / "program.py").write_text(textwrap.dedent(source))
    result = run([*ON_RLOOP, "--loop", "tokio", "program.py"], tmp_path)
    assert says(result).split() == ["TokioLoop"] * 5


def test_nobody_is_given_a_uvloop_that_is_not_installed(tmp_path: Path) -> None:
    source = "import importlib.util, sys; print('uvloop' in sys.modules)"
    assert says(run([*ON_RLOOP, "-c", source], tmp_path)) == "False"


def test_what_is_no_program_is_told(tmp_path: Path) -> None:
    for wrong in ([], ["--loop", "tokio"], ["-m"], ["-c"], ["--"], ["-x", "program.py"]):
        result = run([*ON_RLOOP, *wrong], tmp_path)
        assert result.returncode == 2
        assert "a script, -m MODULE or -c CODE is missing" in result.stderr
    assert "invalid choice: 'mio'" in run([*ON_RLOOP, "--loop", "mio", "x.py"], tmp_path).stderr
