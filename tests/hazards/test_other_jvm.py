"""Another Java virtual machine in the same process, as JPype and pyjnius start one."""

import importlib.util
import os
import shutil
from pathlib import Path

import pytest

from rloop.java import java_home

from .scripts import ECHO_ONCE, assert_clean, run_script

# What such packages do, from any libjvm, by the Invocation API.
OTHER = """
    import ctypes, sys

    def start_other(libjvm):
        class Option(ctypes.Structure):
            _fields_ = (("text", ctypes.c_char_p), ("extra", ctypes.c_void_p))

        class Arguments(ctypes.Structure):
            _fields_ = (
                ("version", ctypes.c_int), ("count", ctypes.c_int),
                ("options", ctypes.POINTER(Option)), ("ignore", ctypes.c_ubyte),
            )

        options = (Option * 2)(Option(b"-Xrs"), Option(b"-Xmx32m"))
        arguments = Arguments(0x00010008, len(options), options, False)
        vm, env = ctypes.c_void_p(), ctypes.c_void_p()
        create = ctypes.PyDLL(libjvm, mode=ctypes.RTLD_GLOBAL).JNI_CreateJavaVM
        return create(ctypes.byref(vm), ctypes.byref(env), ctypes.byref(arguments))
"""

RLOOP = (
    """
    import asyncio, rloop

"""
    + ECHO_ONCE
    + """
    def run_rloop():
        with asyncio.Runner(loop_factory=rloop.RLoop) as runner:
            runner.run(main())

    def rloop_is_refused():
        for _ in range(2):
            try:
                rloop.RLoop()
            except rloop.JavaStartError as error:
                assert "in this process already" in str(error), error
                assert "JPype" in str(error) and "first loop" in str(error), error
            else:
                raise AssertionError("a second virtual machine started")
        asyncio.run(main())
"""
)


def libjvms() -> list[str]:
    """That of rloop, and one of another Java, if the machine has one."""
    own = java_home.find().libjvm
    launcher = shutil.which("java")
    other = Path(os.path.realpath(launcher or "/")).parents[1] / "lib/server" if launcher else None
    candidates = [str(path) for path in other.glob("libjvm.*")] if other else []
    return [own, *(path for path in candidates if not os.path.samefile(path, own))]


@pytest.mark.parametrize("libjvm", libjvms())
def test_one_that_was_there_before_is_refused(libjvm: str) -> None:
    result = run_script(
        OTHER
        + RLOOP
        + """
    assert start_other(sys.argv[1]) == 0
    rloop_is_refused()
    """,
        libjvm,
    )
    assert_clean(result)


@pytest.mark.parametrize("libjvm", libjvms())
def test_one_that_comes_later_harms_nobody(libjvm: str) -> None:
    # The same library refuses it by itself; another one works.
    result = run_script(
        OTHER
        + RLOOP
        + """
    run_rloop()
    code = start_other(sys.argv[1])
    assert code == (-5 if len(sys.argv) > 2 else 0), code
    run_rloop()
    rloop.java.jvm.core().collect_java_garbage()
    """,
        libjvm,
        *(["the same"] if libjvm == java_home.find().libjvm else []),
    )
    assert_clean(result)


@pytest.mark.parametrize("libjvm", libjvms())
def test_one_that_is_loaded_but_not_started(libjvm: str) -> None:
    # One of the same library is ours to start; another one would get mixed up with ours.
    result = run_script(
        "    import ctypes, sys\n    ctypes.CDLL(sys.argv[1])\n"
        + RLOOP
        + "\n    run_rloop() if len(sys.argv) > 2 else rloop_is_refused()",
        libjvm,
        *(["the same"] if libjvm == java_home.find().libjvm else []),
    )
    assert_clean(result)


@pytest.mark.skipif(importlib.util.find_spec("jpype") is None, reason="JPype is not installed")
@pytest.mark.parametrize("libjvm", libjvms())
def test_jpype_first_and_over(libjvm: str) -> None:
    result = run_script(
        RLOOP
        + """
    import sys, jpype
    jpype.startJVM(sys.argv[1])
    jpype.shutdownJVM()
    rloop_is_refused()
    """,
        libjvm,
    )
    assert_clean(result)


@pytest.mark.skipif(importlib.util.find_spec("jpype") is None, reason="JPype is not installed")
@pytest.mark.parametrize("libjvm", libjvms())
def test_jpype_first(libjvm: str) -> None:
    result = run_script(
        RLOOP
        + """
    import sys, jpype
    jpype.startJVM(sys.argv[1])
    assert jpype.java.lang.Integer.parseInt("7") == 7
    rloop_is_refused()
    assert jpype.java.lang.Integer.parseInt("8") == 8
    """,
        libjvm,
    )
    assert_clean(result)
