"""What Java needs of the system, looked at before it is started.

The JVM that finds itself without one of these prints a line and ends the process, whosever it is.
So what is known to be missing is an exception, while Java is untouched and asyncio works. Each
check costs a few system calls.

The amounts are measured, and rounded up: Java that starts in the last free megabyte ends the
process when its compiler needs the next one.
"""

from __future__ import annotations

import mmap
import os
import resource
from _thread import allocate_lock  # as it is now, not gevent's

from rloop.errors import JavaStartError

from . import cgroups, settings, thread_stacks
from .java_home import JavaHome
from .lost_thread import start_thread
from .paths import JAR

_MIB = 1 << 20

# Beside the heap: the runtime's classes, mapped as a whole (67 MiB), the AOT cache, room for
# classes and for compiled code (32 each), the library, stacks, what the compilers work with.
_ADDRESS_SPACE = 300 * _MIB

# What the C library sets aside for each thread that allocates, and how many of those Java has.
_ARENA = 64 * _MIB
_ALLOCATING_THREADS = 13

# Of memory that can be written: the first 8 MiB of the heap, classes, stacks, compilers.
_DATA = 96 * _MIB

_THREADS = 16  # 11, and some for the program

# The runtime's classes, the jar, and one file after the other of its libraries. They are tried by
# the pair.
_PAIRS_OF_DESCRIPTORS = 2

# What a thread needs of its stack, and what the main thread's holds beside: arguments, environment.
_MAIN_STACK = thread_stacks.LEAST_BYTES + (96 << 10)

_SMALL_STACK = 256 << 10
_FEW_PROCESSES = 4096  # a limit above this is not meant to be met


def check(home: JavaHome) -> None:
    """Raises a JavaStartError that names what is missing."""
    _check_files(home)
    _check_main_stack()
    _check_address_space()
    _check_data()
    _check_executable_memory()
    _check_threads()


def check_descriptors() -> None:
    """Raises the error that any loop would; to be called before a file is looked into."""
    opened: list[int] = []
    try:
        for _ in range(_PAIRS_OF_DESCRIPTORS):
            opened += os.pipe()
    except OSError as error:
        raise OSError(
            error.errno,
            f"{error.strerror}: rloop's Java opens {2 * _PAIRS_OF_DESCRIPTORS} files while it "
            "starts. Close some, or raise the limit (RLIMIT_NOFILE, ulimit -n)",
        ) from error
    finally:
        for descriptor in opened:
            os.close(descriptor)


def _check_files(home: JavaHome) -> None:
    if not os.path.isfile(JAR):
        raise JavaStartError(
            f"{JAR} is missing, which holds rloop's Java core: install rloop again, or run "
            "'make jar' where it is a clone"
        )
    for path in (JAR, home.path):
        if os.pathsep in path:
            raise JavaStartError(
                f"Java cannot use {path!r}: it takes {os.pathsep!r} in a path for the beginning of "
                "another one. Install rloop, or Java, in a folder without it"
            )


def _check_main_stack() -> None:
    """The main thread's, on which the JVM's guard pages would stand where it is in use."""
    limit, _ = resource.getrlimit(resource.RLIMIT_STACK)
    if limit != resource.RLIM_INFINITY and limit < _MAIN_STACK:
        raise JavaStartError(
            f"rloop's Java needs a stack of {_MAIN_STACK >> 10} KiB, and the main thread of this "
            f"process may have {limit >> 10}: raise the limit (RLIMIT_STACK, ulimit -s)"
        )


def _check_address_space() -> None:
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return
    needed = settings.heap_bytes() + _ADDRESS_SPACE + _arenas() * _ARENA
    remedy = f", or set RLOOP_JAVA_HEAP to less than {settings.heap()} and MALLOC_ARENA_MAX to 2"
    room = limit - _status("VmSize")
    _require_bytes(room, needed, "address space (RLIMIT_AS, ulimit -v)", remedy)


def _arenas() -> int:
    """How many threads the C library sets address space aside for."""
    allowed = os.environ.get("MALLOC_ARENA_MAX", "")
    return min(int(allowed), _ALLOCATING_THREADS) if allowed.isdecimal() else _ALLOCATING_THREADS


def _check_data() -> None:
    limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
    if limit != resource.RLIM_INFINITY:
        room = limit - _status("VmData")
        _require_bytes(room, _DATA, "data (RLIMIT_DATA, ulimit -d)")


def _require_bytes(room: int, needed: int, what: str, remedy: str = "") -> None:
    if room < needed:
        raise JavaStartError(
            f"rloop's Java needs {needed // _MIB} MiB of {what}, and this process may have only "
            f"{max(0, room) // _MIB} MiB more: raise the limit{remedy}"
        )


def _status(key: str) -> int:
    """A size in /proc/self/status; 0 where it isn't told, so that the limit counts as a whole."""
    try:
        with open("/proc/self/status", encoding="utf-8", errors="replace") as file:
            line = next((line for line in file if line.startswith(f"{key}:")), "")
    except OSError:
        return 0
    return int(line.split()[1]) * 1024 if line else 0


def _check_executable_memory() -> None:
    try:
        mmap.mmap(
            -1,
            mmap.PAGESIZE,
            mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS,
            mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC,
        ).close()
    except OSError as error:
        raise JavaStartError(
            "rloop's Java compiles into memory that is both written and executed, and this process "
            f"may not have such ({error.strerror}): take MemoryDenyWriteExecute=yes out of the "
            "systemd unit, or allow it in SELinux (execmem), seccomp or prctl(PR_SET_MDWE)"
        ) from error


def _check_threads() -> None:
    room = cgroups.task_room()
    if room is not None and room < _THREADS:
        raise JavaStartError(
            f"rloop's Java needs {_THREADS} threads, and the control group of this process may "
            f"start only {room} more: raise its limit (pids.max, docker --pids-limit, TasksMax)"
        )
    limit, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    if limit != resource.RLIM_INFINITY and limit < _FEW_PROCESSES and not _can_start_threads():
        raise JavaStartError(
            f"rloop's Java needs {_THREADS} threads, and this user, who may have {limit} in all "
            "processes, cannot start so many more: raise the limit (RLIMIT_NPROC, ulimit -u)"
        )


def _can_start_threads() -> bool:
    """Tries it: nobody tells how many threads a user has."""
    gate = allocate_lock()

    def wait() -> None:
        with gate:
            pass

    with gate:
        try:
            for _ in range(_THREADS):
                start_thread(wait, _SMALL_STACK)
        except RuntimeError:
            return False
    return True
