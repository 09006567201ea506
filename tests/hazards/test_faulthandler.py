"""faulthandler and the JVM want the same signals, and both get what they need.

Each script makes Java take faults of its own (null checks, safepoints, collections), which must not
be taken for crashes, and then really crashes, which must be reported.
"""

import signal
from subprocess import CompletedProcess

import pytest

from .scripts import assert_clean, run_script

BEGIN = """
import asyncio, ctypes, faulthandler, signal, sys, time
import rloop
from ctypes import PYFUNCTYPE, byref, c_char_p, c_int, c_void_p
from faulthandler import disable as disable_unnoticed, enable as enable_unnoticed

def start_java():
    rloop.RLoop().close()

def call(interface, position, parameters, *arguments):
    table = ctypes.cast(interface, ctypes.POINTER(ctypes.POINTER(c_void_p)))[0]
    return PYFUNCTYPE(c_void_p, c_void_p, *parameters)(table[position])(interface, *arguments)

def let_java_take_faults():
    # String.valueOf((char[]) null), by the Java Native Interface
    libjvm = ctypes.PyDLL(rloop.java.java_home.find().libjvm)
    vm, env = c_void_p(), c_void_p()
    libjvm.JNI_GetCreatedJavaVMs(byref(vm), 1, byref(c_int()))
    call(vm, 6, [c_void_p, c_int], byref(env), 0x00150000)  # GetEnv
    string = call(env, 6, [c_char_p], b"java/lang/String")  # FindClass
    signature = b"([C)Ljava/lang/String;"
    value_of = call(env, 113, [c_void_p, c_char_p, c_char_p], string, b"valueOf", signature)
    arguments = (c_void_p * 1)(None)
    for _ in range(3000):
        call(env, 116, [c_void_p] * 3, string, value_of, arguments)  # CallStaticObjectMethodA
        assert call(env, 15, [])  # ExceptionOccurred: the NullPointerException
        call(env, 17, [])  # ExceptionClear

def keep_java_busy():
    from rloop.java.jvm import core
    async def chatter():
        async def echo(reader, writer):
            while data := await reader.read(100):
                writer.write(data)
            writer.close()
        async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            for _ in range(50):
                writer.write(b"ping")
                await reader.readexactly(4)
                core().collect_java_garbage()
            let_java_take_faults()
            writer.close()
            await writer.wait_closed()
    with asyncio.Runner(loop_factory=rloop.RLoop) as runner:
        runner.run(chatter())
    print("survived", flush=True)

def crash():
    ctypes.string_at(0)
"""


def run(script: str, *python_options: str) -> "CompletedProcess[str]":
    return run_script(BEGIN + script, python_options=python_options)


ENABLED = {
    "before Java": "faulthandler.enable(); start_java()",
    "after Java": "start_java(); faulthandler.enable()",
    "before Java and again": "faulthandler.enable(); start_java(); faulthandler.enable()",
    "after Java, off and on": (
        "start_java(); faulthandler.enable(); faulthandler.disable(); faulthandler.enable()"
    ),
    "before Java, off and on after it": (
        "faulthandler.enable(); start_java(); faulthandler.disable(); faulthandler.enable()"
    ),
    "after Java, into a file": (
        "start_java(); faulthandler.enable(sys.__stderr__, all_threads=False)"
    ),
    "after Java, with a watchdog": (
        "start_java(); faulthandler.enable(); faulthandler.dump_traceback_later(60)"
    ),
    "after Java, with a signal": (
        "start_java(); faulthandler.enable(); faulthandler.register(signal.SIGUSR1)"
    ),
}


@pytest.mark.parametrize("enable", ENABLED.values(), ids=ENABLED.keys())
def test_java_works_and_a_crash_is_reported_once(enable: str) -> None:
    result = run(f"{enable}; keep_java_busy(); crash()")
    assert result.stdout == "survived\n", result.stderr
    assert result.stderr.count("Fatal Python error: Segmentation fault") == 1, result.stderr
    assert "in crash" in result.stderr
    assert result.returncode == -signal.SIGSEGV


def test_the_option_of_python_is_enough() -> None:
    result = run("start_java(); keep_java_busy(); crash()", "-X", "faulthandler")
    assert result.stdout == "survived\n", result.stderr
    assert "in crash" in result.stderr
    assert result.returncode == -signal.SIGSEGV


def test_enabled_by_a_name_bound_before_java_started() -> None:
    result = run("start_java(); enable_unnoticed(); keep_java_busy(); crash()")
    assert result.stdout == "survived\n", result.stderr
    assert "Fatal Python error: Segmentation fault" in result.stderr
    assert result.returncode == -signal.SIGSEGV


def test_mocks_that_were_there_when_java_started_change_nothing() -> None:
    result = run(
        """
from unittest.mock import patch
with patch("faulthandler.enable") as enable, patch("signal.signal") as set_handler:
    start_java()
    assert not enable.called and not set_handler.called
start_java()
signal.signal(signal.SIGSEGV, signal.SIG_DFL)
let_java_take_faults()
faulthandler.enable()
assert faulthandler.is_enabled()
keep_java_busy()
crash()
"""
    )
    assert result.stdout == "survived\n", result.stderr
    assert result.stderr.count("Fatal Python error: Segmentation fault") == 1, result.stderr


def test_a_python_handler_of_a_fault_is_not_in_java_s_way() -> None:
    assert_clean(run("start_java(); signal.signal(signal.SIGSEGV, print); keep_java_busy()"))
    assert_clean(
        run(
            """
            start_java()
            arrived = []
            async def main():
                for handler in (signal.SIG_DFL, signal.SIG_IGN, lambda *_: arrived.append(1)):
                    signal.signal(signal.SIGSEGV, handler)
                    assert signal.getsignal(signal.SIGSEGV) is handler
                    let_java_take_faults()
                    if handler is not signal.SIG_DFL:
                        signal.raise_signal(signal.SIGSEGV)
                        rloop.RLoop().close()
                    let_java_take_faults()
                asyncio.get_running_loop().add_signal_handler(signal.SIGFPE, arrived.append, 2)
                signal.raise_signal(signal.SIGFPE)
                await asyncio.sleep(0.01)
                let_java_take_faults()
            with asyncio.Runner(loop_factory=rloop.RLoop) as runner:
                runner.run(main())
            assert arrived == [1, 2], arrived
            """.replace("\n            ", "\n")
        )
    )


DISABLED = {
    "never enabled": "start_java()",
    "disabled after Java": "faulthandler.enable(); start_java(); faulthandler.disable()",
    "enabled and disabled": "start_java(); faulthandler.enable(); faulthandler.disable()",
    "disabled unnoticed": "faulthandler.enable(); start_java(); disable_unnoticed()",
    "unnoticed once more": "start_java(); enable_unnoticed(); disable_unnoticed(); start_java()",
}


@pytest.mark.parametrize("disable", DISABLED.values(), ids=DISABLED.keys())
def test_a_crash_without_faulthandler_ends_the_process_by_a_signal(disable: str) -> None:
    result = run(f"{disable}; keep_java_busy(); crash()")
    assert result.stdout == "survived\n", result.stderr
    assert result.stderr == ""
    assert result.returncode == -signal.SIGSEGV


def test_the_results_are_those_of_faulthandler() -> None:
    assert_clean(
        run(
            """
            start_java()
            assert faulthandler.disable() is False
            assert faulthandler.enable() is None and faulthandler.is_enabled()
            assert faulthandler.disable() is True and not faulthandler.is_enabled()
            for wrong, error in (("a name", AttributeError), (-1, ValueError)):
                try:
                    faulthandler.enable(wrong)
                except error:
                    continue
                raise AssertionError(wrong)
            assert not faulthandler.is_enabled()
            keep_java_busy()
            """.replace("\n            ", "\n")
        )
    )


# A handler of others, as WebAssembly runtimes have: it comes by the system call, and calls the one
# before it for what is not its own. Of a signal that Java has no use for: this one is Python's.
OTHERS = """
faults = []

class Action(ctypes.Structure):
    _fields_ = (("handler", c_void_p), ("rest", ctypes.c_byte * 144))

before = Action()
handler = ctypes.CFUNCTYPE(None, c_int)(faults.append)

def install():
    action = Action(handler=ctypes.cast(handler, c_void_p))
    assert ctypes.CDLL(None).sigaction(signal.SIGFPE, byref(action), byref(before)) == 0

def check():
    signal.raise_signal(signal.SIGFPE)
    assert faults.pop() == signal.SIGFPE and not faults
"""


@pytest.mark.parametrize(
    "steps",
    [
        "install(); start_java(); faulthandler.disable()",
        "install(); start_java(); faulthandler.enable(); faulthandler.disable()",
        "start_java(); install(); faulthandler.disable()",
        "start_java(); install(); faulthandler.enable()",
        "start_java(); install(); faulthandler.enable(); faulthandler.disable()",
        "start_java(); faulthandler.enable(); install(); faulthandler.disable()",
        "faulthandler.enable(); start_java(); install(); faulthandler.disable()",
        "start_java(); install(); signal.signal(signal.SIGSEGV, signal.SIG_DFL)",
    ],
)
def test_the_handlers_of_others_stay(steps: str) -> None:
    result = run(f"{OTHERS}\n{steps}\ncheck(); keep_java_busy(); check(); crash()")
    assert result.stdout == "survived\n", result.stderr
    assert result.returncode == -signal.SIGSEGV


WEBASSEMBLY = """
def traps():
    from wasmtime import Instance, Module, Store, Trap
    store = Store()
    source = '''(module (memory 1)
      (func (export "out of bounds") i32.const 2147483640 i32.load drop)
      (func (export "division") i32.const 1 i32.const 0 i32.div_s drop)
      (func (export "unreachable") unreachable)
      (func $f (export "recursion") call $f))'''
    exports = Instance(store, Module(store.engine, source), []).exports(store)
    for name in ("out of bounds", "division", "unreachable", "recursion"):
        try:
            exports[name](store)
        except Trap:
            continue
        raise AssertionError(name)
"""


@pytest.mark.parametrize(
    "steps",
    [
        "traps(); start_java(); faulthandler.disable()",
        "traps(); start_java(); faulthandler.enable(); faulthandler.disable()",
        "start_java(); traps(); faulthandler.disable()",
        "start_java(); traps(); faulthandler.enable()",
        "start_java(); faulthandler.enable(); traps(); faulthandler.disable()",
        "faulthandler.enable(); start_java(); traps(); faulthandler.disable()",
    ],
)
def test_the_traps_of_wasmtime_work(steps: str) -> None:
    pytest.importorskip("wasmtime")
    result = run(f"{WEBASSEMBLY}\n{steps}\ntraps(); keep_java_busy(); traps(); crash()")
    assert result.stdout == "survived\n", result.stderr
    assert result.returncode == -signal.SIGSEGV


def test_a_traceback_is_dumped_later() -> None:
    result = run("start_java(); faulthandler.dump_traceback_later(0.1); time.sleep(1)")
    assert_clean(result)
    assert "Timeout (0:00:00.100000)!" in result.stderr
