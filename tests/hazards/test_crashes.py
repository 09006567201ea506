"""A crash of C code ends the process as without Java: by its own signal, and nothing is left.

A fault is met by C code on a thread of Python's, the same signal by another process's ``kill``.
"""

import signal
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from .scripts import assert_clean, on_loop, run_script

BEGIN = """
import asyncio, ctypes, faulthandler, mmap, os, signal, sys, threading, time, warnings
from ctypes import addressof, c_char, CFUNCTYPE

def segv():
    ctypes.string_at(0)

def bus():
    file = os.memfd_create("shrinks")
    os.ftruncate(file, mmap.PAGESIZE)
    memory = mmap.mmap(file, mmap.PAGESIZE)
    os.ftruncate(file, 0)
    memory[0]

def fpe():
    faulthandler._sigfpe()

def overflow():
    faulthandler._stack_overflow()

def kill(signum):
    os.kill(os.getpid(), signum)
    time.sleep(1)

def on_a_thread(crash):
    thread = threading.Thread(target=crash)
    thread.start()
    thread.join()

def in_a_child(crash):
    warnings.simplefilter("ignore", DeprecationWarning)  # Java's threads are none of Python's
    child = os.fork()
    if child == 0:
        crash()
        os._exit(0)
    os.kill(os.getpid(), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) * -1)
    time.sleep(1)
"""

CRASHES = {
    "segv()": signal.SIGSEGV,
    "bus()": signal.SIGBUS,
    "fpe()": signal.SIGFPE,
    "overflow()": signal.SIGSEGV,
    "on_a_thread(segv)": signal.SIGSEGV,
    "on_a_thread(overflow)": signal.SIGSEGV,
    "in_a_child(segv)": signal.SIGSEGV,
    "kill(signal.SIGSEGV)": signal.SIGSEGV,
    "kill(signal.SIGBUS)": signal.SIGBUS,
    "kill(signal.SIGFPE)": signal.SIGFPE,
    "kill(signal.SIGILL)": signal.SIGILL,
    "os.abort()": signal.SIGABRT,
}

WITHOUT_FAULTHANDLER = {
    "never enabled": "",
    "enabled and disabled": "faulthandler.enable(); faulthandler.disable()",
    "default action": "signal.signal(signal.SIGSEGV, signal.SIG_DFL)",
}


def run(loop_name: str, script: str, folder: Path) -> "CompletedProcess[str]":
    return run_script(on_loop(loop_name, BEGIN, "new_loop().close()\n", script), cwd=folder)


@pytest.mark.parametrize("before", WITHOUT_FAULTHANDLER.values(), ids=WITHOUT_FAULTHANDLER.keys())
@pytest.mark.parametrize(("crash", "signum"), CRASHES.items(), ids=CRASHES.keys())
def test_a_crash_ends_the_process_by_its_own_signal_and_leaves_nothing(
    loop_name: str, crash: str, signum: int, before: str, tmp_path: Path
) -> None:
    result = run(loop_name, f"{before}\n{crash}", tmp_path)
    assert result.returncode == -signum, result.stderr
    assert (result.stdout, result.stderr) == ("", "")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("crash", CRASHES)
def test_faulthandler_reports_every_crash(loop_name: str, crash: str, tmp_path: Path) -> None:
    if crash == "on_a_thread(overflow)":
        pytest.skip("faulthandler has an alternate stack for one thread only")
    result = run(loop_name, f"faulthandler.enable()\n{crash}", tmp_path)
    assert result.returncode == -CRASHES[crash]
    assert "Fatal Python error: " in result.stderr
    assert result.stdout == ""


def test_every_stack_overflow_is_reported(loop_name: str, tmp_path: Path) -> None:
    enable = "faulthandler.enable()\n"
    for _ in range(10):  # the stack begins somewhere else each time
        for script in (f"new_loop().close()\n{enable}", f"{enable}new_loop().close()\n"):
            result = run_script(on_loop(loop_name, BEGIN, script, "overflow()"), cwd=tmp_path)
            assert result.returncode == -signal.SIGSEGV
            assert "Fatal Python error: Segmentation fault" in result.stderr


def test_a_stack_overflow_is_reported_where_another_thread_made_the_first_loop(
    loop_name: str, tmp_path: Path
) -> None:
    script = "on_a_thread(lambda: new_loop().close()); faulthandler.enable(); overflow()"
    result = run_script(on_loop(loop_name, BEGIN, script), cwd=tmp_path)
    assert result.returncode == -signal.SIGSEGV
    assert "Fatal Python error: Segmentation fault" in result.stderr


def test_what_goes_into_a_core_file_is_the_program_s_choice(loop_name: str) -> None:
    assert_clean(
        run_script(
            on_loop(
                loop_name,
                """
                def choice():
                    with open("/proc/self/coredump_filter") as file:
                        return file.read()
                before = choice()
                new_loop().close()
                assert choice() == before, choice()
                """,
            )
        )
    )
