"""The Java virtual machine of this process: started by the first loop, once, and never ended.

It is a guest in somebody else's process. So it gets little memory, leaves every signal but those
of its own faults to Python, and takes no settings from variables that are meant for other Java
programs.
"""

from __future__ import annotations

import ctypes
import os
import resource
import shlex
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType

from rloop.errors import JavaStartError

from . import constants, fault_handlers, fork, java_home, modules, sigaction
from .aot_cache import AotCache
from .java_home import JavaHome
from .jni import JavaVM
from .paths import JAR

_MAIN_CLASS = "rloop/module/Main"

# Holds a million pending timers or 20,000 connections; only what is used becomes resident.
_DEFAULT_HEAP = "256m"

_LARGEST_STACK = 1 << 30  # more is refused by the JVM

# What was measured to lower start-up and memory. Java's own output is silenced, it would land in
# the program's stdout; so would its report of a fatal error of its own, with a file of details in
# the working directory. A core file has what it would have without Java (Dump*InCore): the JVM
# would add all files that are mapped.
#
# The jar is on the boot class path (options()): the virtual machine itself reads it, where the
# loader of applications would be 60 classes more, and verify ours; without an AOT cache a start
# takes 40 ms less.
#
# The JIT waits ten times longer before it compiles at all (not before it compiles well), and not
# at once what was hot when the AOT cache was made: at start it compiled 400 methods, most of them
# of the linker's set-up, for 60 ms of CPU, and the main thread was none the faster for it. A
# server has used less CPU at its thousandth request, and as much at its hundred thousandth. To
# scale all thresholds (CompileThresholdScaling) starts as fast, but then hot code waits too long.
# Never compiled is a large method of the JDK's that is hot only while the linker makes its code.
#
# The young generation is small because nothing is allocated on the hot path. The archive of classes
# is mapped where it was made for (ArchiveRelocationMode), which saves moving it.
_OPTIONS = (
    "-Xrs",
    "--enable-native-access=ALL-UNNAMED",
    "-XX:+UseSerialGC",
    "-Xms8m",
    "-Xmn2m",
    "-XX:-UsePerfData",
    "-XX:ReservedCodeCacheSize=32m",
    "-XX:CompressedClassSpaceSize=32m",
    "-XX:Tier3InvocationThreshold=2000",
    "-XX:Tier3CompileThreshold=20000",
    "-XX:+UnlockDiagnosticVMOptions",
    "-XX:-AOTReplayTraining",
    "-XX:ArchiveRelocationMode=0",
    "-XX:CompileCommand=quiet",
    "-XX:CompileCommand=exclude,jdk.internal.classfile.impl.StackMapGenerator::processBlock",
    "-XX:+DisplayVMOutputToStderr",
    "-XX:+SuppressFatalErrorMessage",
    "-XX:-DumpPrivateMappingsInCore",
    "-XX:-DumpSharedMappingsInCore",
    "-Xlog:disable",
)

# An agent or a heap size in these is meant for programs that are Java, not for this process.
_VARIABLES_OF_OTHER_PROGRAMS = ("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_AOT_VM_OPTIONS")

# The JVM interrupts its threads by SIGUSR2, which belongs to the program; so it gets another
# signal. The last but one of the real-time signals: the JDK's own libraries use the one before
# that.
if sys.platform == "darwin":
    _JVM_SIGNAL = signal.SIGINFO
else:
    _JVM_SIGNAL = signal.SIGRTMAX - 1

# The JVM replaces their handlers, and needs neither.
_SIGNALS_GIVEN_BACK = (signal.SIGPIPE, signal.SIGXFSZ)

_lock = threading.Lock()
_core = modules.core()
_failure: BaseException | None = None


def core() -> ModuleType:
    """The module ``rloop._core``, which Java makes; starts Java where it does not run yet.

    To be called for every new loop: it makes sure that this process still is one for Java.
    """
    fork.check()
    if _core is None:
        with _lock:
            return _start_with_cache() if _core is None else _core
    fault_handlers.verify()
    modules.restore()
    return _core


def _start_with_cache() -> ModuleType:
    global _core  # a process has one virtual machine
    home = java_home.find()
    cache = AotCache(home, JAR, options())
    is_usable = not cache.refusal()
    _core, _ = _start(home, [f"-XX:AOTCache={cache.path}"] if is_usable else [])
    if not is_usable:
        cache.train_in_background()
    return _core


def start(*aot_options: str) -> JavaVM:
    """Starts Java as the first loop would, but in order to make an AOT cache, or to try one."""
    global _core
    _core, vm = _start(java_home.find(), aot_options)
    return vm


def options() -> list[str]:
    """The options of every start of this program: an AOT cache is good for these alone."""
    heap = os.environ.get("RLOOP_JAVA_HEAP", _DEFAULT_HEAP)
    more = shlex.split(os.environ.get("RLOOP_JAVA_OPTIONS", ""))
    return [f"-Xbootclasspath/a:{JAR}", f"-Xmx{heap}", *_OPTIONS, *more]


def _start(home: JavaHome, aot_options: Sequence[str]) -> tuple[ModuleType, JavaVM]:
    global _failure  # noqa: PLW0603
    _require_main_interpreter()
    modules.restore()
    if modules.core() is not None:
        raise JavaStartError(
            "another import of rloop has started Java in this process, which can have one only: "
            "use its modules, which `import rloop` gives from now on"
        )
    if _failure is not None:
        # A process gets one try: the JVM cannot be created again, not even when the first try
        # failed.
        raise JavaStartError(f"Java failed to start earlier in this process: {_failure}")
    every_option = [
        *options(),
        f"-Xss{_stack_bytes() // 1024}k",
        f"-Drloop.python={ctypes.pythonapi._handle}",
        f"-Drloop.constants={constants.assignments()}",
        *aot_options,
    ]
    try:
        with _signals_kept(), fault_handlers.kept(home):
            with _environment():
                vm = JavaVM(home.libjvm, every_option)
            fork.watch()
            module: ModuleType = vm.call(_MAIN_CLASS, "start")
    except BaseException as failure:
        _failure = failure
        raise
    modules.keep(module)
    if threading.current_thread() is not threading.main_thread():
        vm.detach()
    return module, vm


def _stack_bytes() -> int:
    """The size that the JVM takes the main thread's stack to have, where it puts its guard pages.

    Left to itself it takes one megabyte, and deep recursion in C, harmless in Python without Java,
    would run into them.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_STACK)
    return _LARGEST_STACK if limit == resource.RLIM_INFINITY else min(limit, _LARGEST_STACK)


def _require_main_interpreter() -> None:
    api = ctypes.pythonapi
    api.PyInterpreterState_Get.restype = api.PyInterpreterState_Main.restype = ctypes.c_void_p
    if api.PyInterpreterState_Get() != api.PyInterpreterState_Main():
        raise RuntimeError(
            "rloop runs in the main interpreter only: a process has one Java virtual machine, "
            "and what it makes belongs to one interpreter"
        )


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Java's threads inherit a mask that keeps them from taking signals, which are all Python's."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    actions = {signum: sigaction.get(signum) for signum in _SIGNALS_GIVEN_BACK}
    try:
        yield
    finally:
        for signum, action in actions.items():
            sigaction.put(signum, action)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@contextmanager
def _environment() -> Iterator[None]:
    """The environment that the JVM reads while it starts."""
    hidden = {
        name: os.environ.pop(name) for name in _VARIABLES_OF_OTHER_PROGRAMS if name in os.environ
    }
    os.environ["_JAVA_SR_SIGNUM"] = str(int(_JVM_SIGNAL))
    try:
        yield
    finally:
        del os.environ["_JAVA_SR_SIGNUM"]
        os.environ.update(hidden)
