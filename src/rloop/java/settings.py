"""The variables that only rloop reads, each checked before Java is asked to make sense of it.

An empty variable is as good as none.
"""

from __future__ import annotations

import os
import re
import select
import shlex

from rloop.errors import SettingError

# Holds a million pending timers or 20,000 connections; only what is used becomes resident.
_DEFAULT_HEAP = "256m"

_HEAP_PATTERN = re.compile(r"(\d{1,15})([kmgt]?)", re.IGNORECASE)
_HEAP_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
_LEAST_HEAP = 16 << 20
_LARGEST_HEAP = 16 << 40  # a process has 128 TiB of addresses

# Long before so many have work to do, the loop's own thread is too slow for them.
MOST_THREADS = 64


def check() -> None:
    """Raises a SettingError for the first that is wrong; Java has not been touched by then."""
    heap_bytes()
    java_options()
    aot()
    poller()
    tls()
    lend()
    io_threads()
    workers()


def heap() -> str:
    """The most memory for Java's objects, as ``-Xmx`` takes it."""
    return os.environ.get("RLOOP_JAVA_HEAP") or _DEFAULT_HEAP


def heap_bytes() -> int:
    """The same as a number."""
    match = _HEAP_PATTERN.fullmatch(heap())
    size = int(match[1]) * _HEAP_UNITS[match[2].lower()] if match else 0
    if not _LEAST_HEAP <= size <= _LARGEST_HEAP:
        raise SettingError(
            f"RLOOP_JAVA_HEAP is {heap()!r}: expected a size between 16m and 16t, "
            f"a number with k, m, g or t after it, such as {_DEFAULT_HEAP}"
        )
    return size


def java_options() -> list[str]:
    """Further options of the virtual machine."""
    text = os.environ.get("RLOOP_JAVA_OPTIONS", "")
    try:
        return shlex.split(text)
    except ValueError as error:
        raise SettingError(
            f"RLOOP_JAVA_OPTIONS is {text!r}: expected options of Java, quoted as a shell "
            f"takes them ({error})"
        ) from error


def aot() -> str:
    """Whether an AOT cache is used and made: ``on`` or ``off``."""
    return _choice("RLOOP_AOT", "on", "off")


def poller() -> str | None:
    """What waits for events; None for the best that the system has."""
    found = _choice("RLOOP_POLLER", "", "epoll", "poll")
    if found == "epoll" and not hasattr(select, "epoll"):
        raise SettingError("RLOOP_POLLER is 'epoll': expected 'poll', this system has no epoll")
    return found or None


def tls() -> str:
    """Whose code moves the data of TLS connections: ``native`` or ``stdlib``."""
    return _choice("RLOOP_TLS", "native", "stdlib")


def lend() -> str:
    """When a ``TokioLoop`` lends its I/O to another thread: ``busy`` or, for tests, ``always``."""
    return _choice("RLOOP_LEND", "busy", "always")


def io_threads() -> int:
    """How many threads of Java's do a ``TokioLoop``'s I/O: by default half the cores."""
    return _threads("RLOOP_IO_THREADS", _cores() // 2)


def workers(has_io_threads: bool = False) -> int:
    """How many threads run a ``TokioLoop``'s Python, without a GIL: by default one a core.

    Where I/O threads are asked for, by the program or a variable, it is one: several have none.
    """
    has_io_threads |= bool(os.environ.get("RLOOP_IO_THREADS")) or lend() == "always"
    return _threads("RLOOP_WORKERS", 1 if has_io_threads else _cores())


def _threads(variable: str, default: int) -> int:
    value = os.environ.get(variable)
    if not value:
        return min(max(default, 1), MOST_THREADS)
    if not value.isdecimal() or not 1 <= int(value) <= MOST_THREADS:
        raise SettingError(
            f"{variable} is {value!r}: expected a number from 1 to {MOST_THREADS},"
            " or leave it unset"
        )
    return int(value)


def _cores() -> int:
    """Those that the process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _choice(variable: str, default: str, *others: str) -> str:
    value = os.environ.get(variable) or default
    choices = [choice for choice in (default, *others) if choice]
    if value != default and value not in choices:
        expected = " or ".join(map(repr, choices))
        raise SettingError(f"{variable} is {value!r}: expected {expected}, or leave it unset")
    return value
