"""The Java virtual machine of this process: started by the first loop, once, and never ended.

It is a guest in somebody else's process. So it gets little memory, leaves every signal but those
of its own faults to Python, and takes no settings from variables that are meant for other Java
programs.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType

from rloop.errors import JavaStartError

from . import (
    constants,
    descriptors,
    fault_handlers,
    fork,
    java_home,
    modules,
    other_jvm,
    preconditions,
    settings,
    sigaction,
    thread_stacks,
)
from .aot_cache import AotCache
from .java_home import JavaHome
from .jni import JavaVM
from .paths import JAR

_MAIN_CLASS = "rloop/module/Main"

# Where a main thread's stack is unlimited: how deep it may get. It is not allocated.
_LARGEST_STACK = 1 << 30

# Of a working directory, with the zero at its end (PATH_MAX of <limits.h>); longer ones exist.
_LONGEST_PATH = 4096

# A folder that need not be readable.
_AS_A_PLACE = os.O_DIRECTORY | getattr(os, "O_PATH", os.O_RDONLY)

# What was measured to lower start-up and memory. Java's own output is silenced, it would land in
# the program's stdout; so would its report of a fatal error of its own, with a file of details in
# the working directory. A core file has what it would have without Java (Dump*InCore): the JVM
# would add all files that are mapped.
#
# The jar is on the boot class path (options()): the virtual machine itself reads it, where the
# loader of applications would be 60 classes more, and verify ours; without an AOT cache a start
# takes 40 ms less.
#
# The JIT waits ten times longer before it compiles at all, and not at once what was hot when the
# AOT cache was made: at start it compiled 400 methods, most of them for once, for 60 ms of CPU, and
# the main thread was none the faster for it. A server has used less CPU at its thousandth request,
# and as much at its hundred thousandth. To scale all thresholds (CompileThresholdScaling) starts as
# fast, but then hot code waits too long. Never compiled is a large method of the JDK's that is hot
# only while the linker makes its code.
#
# It waits four times longer before it compiles well (Tier4): C2 takes 0.15 s of CPU for the way of
# a request and saves some tenths of a microsecond on each, so that it pays after a few hundred
# thousand. At its ten thousandth request a server has used a fifth less CPU for it. Eight times
# is too long: meanwhile runs the code that counts for C2, and it is a quarter slower.
#
# C1 alone would take an eighth less CPU at the hundred thousandth request, and ever more from some
# hundred thousands on. To begin with what a long training has seen (AOTReplayTraining, after 40,000
# requests) saves a tenth at the thirty thousandth, and costs as much at start and at the hundred
# thousandth.
#
# C2 compiles what has not happened yet as well (TrapLimit): else the first client that hangs up or
# comes after a calm while has the whole way of a request thrown away and compiled anew, 0.1 s of
# CPU just then. That it compiles more the first time takes half of that, once.
#
# A lower priority of its threads was tried, for one core, where they take slices of milliseconds
# from the loop. From the start on, the hundred thousandth request comes after twice the CPU, as
# code is interpreted for longer; after some seconds, the first TLS clients wait as long as without
# (p99 5 ms). So they do with SCHED_BATCH, and with shorter slices for either side (sched_setattr).
#
# It keeps its hands off the program's things: no higher limit of open files, which children would
# inherit; no listener for debuggers, whose socket and file are in everybody's folder. With
# ThreadStackSize=0 the main thread's stack is what its limit says, and Java's own have a megabyte.
#
# What it does in intervals, four times a second to monitors and once to tables, it does once a
# minute: an idle program should stay asleep.
#
# The young generation is small because nothing is allocated on the hot path. The archive of classes
# is mapped where it was made for (ArchiveRelocationMode), which saves moving it.
_OPTIONS = (
    "-Xrs",
    "--enable-native-access=ALL-UNNAMED",
    "--add-exports=java.base/jdk.internal.access=ALL-UNNAMED",
    "--add-exports=java.base/jdk.internal.foreign.abi=ALL-UNNAMED",
    "--add-exports=java.base/jdk.internal.foreign.abi.aarch64=ALL-UNNAMED",
    "--add-exports=java.base/jdk.internal.foreign.abi.x64=ALL-UNNAMED",
    "--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED",
    "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
    "--add-opens=java.base/jdk.internal.foreign.abi=ALL-UNNAMED",
    "-Djdk.reflect.useNativeAccessorOnly=true",
    "-XX:+UseSerialGC",
    "-Xms8m",
    "-Xmn2m",
    "-XX:-UsePerfData",
    "-XX:-MaxFDLimit",
    "-XX:+DisableAttachMechanism",
    "-XX:ThreadStackSize=0",
    "-XX:ReservedCodeCacheSize=32m",
    "-XX:CompressedClassSpaceSize=32m",
    "-XX:Tier3InvocationThreshold=2000",
    "-XX:Tier3CompileThreshold=20000",
    "-XX:Tier4InvocationThreshold=20000",
    "-XX:Tier4MinInvocationThreshold=5000",
    "-XX:Tier4CompileThreshold=60000",
    "-XX:Tier4BackEdgeThreshold=160000",
    "-XX:+UnlockExperimentalVMOptions",
    "-XX:PerMethodTrapLimit=0",
    "-XX:PerBytecodeTrapLimit=0",
    "-XX:+UnlockDiagnosticVMOptions",
    "-XX:-AOTReplayTraining",
    "-XX:ArchiveRelocationMode=0",
    "-XX:AsyncDeflationInterval=0",
    "-XX:ServiceThreadCleanupInterval=60000",
    "-XX:CompileCommand=quiet",
    "-XX:CompileCommand=exclude,jdk.internal.classfile.impl.StackMapGenerator::processBlock",
    "-XX:+DisplayVMOutputToStderr",
    "-XX:+SuppressFatalErrorMessage",
    "-XX:-DumpPrivateMappingsInCore",
    "-XX:-DumpSharedMappingsInCore",
    "-Xlog:disable",
)

# An agent or a heap size in these is meant for programs that are Java, not for this process.
_JVM_SIGNAL_VARIABLE = "_JAVA_SR_SIGNUM"
_VARIABLES_OF_OTHER_PROGRAMS = (
    "JAVA_TOOL_OPTIONS",
    "_JAVA_OPTIONS",
    "JDK_AOT_VM_OPTIONS",
    _JVM_SIGNAL_VARIABLE,
)

# The JVM interrupts its threads by SIGUSR2, which belongs to the program; so it gets another
# signal. The last but one of the real-time signals: the JDK's own libraries use the one before
# that.
if sys.platform == "darwin":
    _JVM_SIGNAL = signal.SIGINFO
else:
    _JVM_SIGNAL = signal.SIGRTMAX - 1

# The JVM replaces their handlers, and needs neither.
_SIGNALS_GIVEN_BACK = (signal.SIGPIPE, signal.SIGXFSZ)

# A JVM that fails to start leaves its handlers of these behind.
FAULTS = (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP)

_lock = threading.Lock()
_core = modules.core()
_failure: BaseException | None = None


def core() -> ModuleType:
    """The module ``rloop._core``, which Java makes; starts Java where it does not run yet.

    To be called for every new loop: it makes sure that this process still is one for Java.
    """
    fork.check()
    thread_stacks.check()
    if _core is None:
        with _lock:
            return _start_with_cache() if _core is None else _core
    fault_handlers.verify()
    modules.restore()
    return _core


def _start_with_cache() -> ModuleType:
    home = checked_home()
    cache = AotCache(home, JAR, options())
    is_usable = not cache.refusal()
    module, _ = _start(home, [f"-XX:AOTCache={cache.path}"] if is_usable else [])
    if not is_usable:
        cache.train_in_background()
    return module


def start(*aot_options: str) -> JavaVM:
    """Starts Java as the first loop would, but in order to make an AOT cache, or to try one."""
    return _start(checked_home(), aot_options)[1]


def options() -> list[str]:
    """The options of every start of this program: an AOT cache is good for these alone."""
    return [
        f"-Xbootclasspath/a:{JAR}",
        f"-Xmx{settings.heap()}",
        *_OPTIONS,
        *settings.java_options(),
    ]


def checked_home() -> JavaHome:
    """The Java to start, after all that could keep it from starting was looked at."""
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
    settings.check()
    preconditions.check_descriptors()
    home = java_home.find()
    other_jvm.refuse(home.libjvm)
    preconditions.check(home)
    return home


def _start(home: JavaHome, aot_options: Sequence[str]) -> tuple[ModuleType, JavaVM]:
    global _core, _failure  # noqa: PLW0603  # a process has one virtual machine
    every_option = [
        *options(),
        *_stack_options(),
        f"-Drloop.python={ctypes.pythonapi._handle}",
        f"-Drloop.dlsym={_address_of_dlsym()}",
        f"-Drloop.constants={constants.assignments()}",
        *aot_options,
    ]
    with _signals_kept(), fault_handlers.kept(home):
        try:
            with (
                _environment(),
                _readable_folder(),
                _stack_limited(),
                descriptors.closed_on_exec(home.modules, JAR),
            ):
                vm = JavaVM(home.libjvm, every_option)
            fork.watch()
            module: ModuleType = vm.call(_MAIN_CLASS, "start")
            modules.keep(module)
            thread_stacks.keep_large_enough()
            if threading.current_thread() is not threading.main_thread():
                vm.detach()
        except BaseException as failure:
            _failure = failure
            raise
        _core = module  # before the signals that have come meanwhile may raise
    return module, vm


def _address_of_dlsym() -> int:
    return ctypes.cast(ctypes.pythonapi.dlsym, ctypes.c_void_p).value or 0


def _stack_options() -> list[str]:
    """Has the JVM ask the C library where the main thread's stack ends, as for any other thread.

    Left to itself it takes the size of its own threads' stacks for the main thread's: deep
    recursion in C, harmless in Python without Java, runs into its guard pages, unless each thread
    gets as much. It asks where it was started by a launcher whose name isn't the usual one. The C
    library reads /proc for it.
    """
    return ["-Dsun.java.launcher=rloop"] if os.path.exists("/proc/self/maps") else []


@contextmanager
def _readable_folder() -> Iterator[None]:
    """Where nobody can tell the working directory, as when it was removed, Java doesn't start."""
    if _is_known_to_java():
        yield
        return
    current = os.open(os.curdir, _AS_A_PLACE)
    try:
        os.chdir(os.sep)
        try:
            yield
        finally:
            os.fchdir(current)
    finally:
        os.close(current)


def _is_known_to_java() -> bool:
    try:
        return len(os.getcwdb()) < _LONGEST_PATH
    except OSError:
        return False


@contextmanager
def _stack_limited() -> Iterator[None]:
    """An unlimited stack would end beside the heap, which could not grow beyond the guard pages."""
    soft, hard = limits = resource.getrlimit(resource.RLIMIT_STACK)
    if soft != resource.RLIM_INFINITY and soft <= _LARGEST_STACK:
        yield
        return
    resource.setrlimit(resource.RLIMIT_STACK, (_LARGEST_STACK, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_STACK, limits)


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
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    actions = {signum: sigaction.get(signum) for signum in _SIGNALS_GIVEN_BACK}
    faults = {signum: sigaction.get(signum) for signum in FAULTS}
    try:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        yield
    except BaseException:
        actions.update(faults)
        raise
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
    os.environ[_JVM_SIGNAL_VARIABLE] = str(int(_JVM_SIGNAL))
    try:
        yield
    finally:
        del os.environ[_JVM_SIGNAL_VARIABLE]
        os.environ.update(hidden)
