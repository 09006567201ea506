"""Files that get the number of one that was closed."""

import contextlib
import os
import re
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

USES_EPOLL = sys.platform == "linux" and os.environ.get("RLOOP_POLLER") != "poll"

# What poll(2) is asked about are numbers: it can't tell of a file that is closed here.
follows_duplicates = pytest.mark.skipif(
    os.environ.get("RLOOP_POLLER") == "poll", reason="poll(2) knows nothing of duplicates"
)

Pair = tuple[socket.socket, socket.socket]


def successors(number: int, make: Callable[[], Pair] = socket.socketpair) -> Pair:
    """Two connected sockets that don't block; the first has that number, which is free."""
    ours, peer = make()
    if peer.fileno() == number:
        ours, peer = peer, ours
    if ours.fileno() != number:
        os.dup2(ours.fileno(), number)
        ours.close()
        ours = socket.socket(fileno=number)
    ours.setblocking(False)
    peer.setblocking(False)
    return ours, peer


def received(sock: socket.socket) -> bytes | None:
    """What waits in a socket."""
    try:
        return sock.recv(1000)
    except BlockingIOError:
        return None


def is_registered_with_epoll(sock: socket.socket) -> bool:
    """Whether any epoll of this process watches a socket: see fdinfo in proc(5)."""
    entry = re.compile(rf"^tfd:\s+{sock.fileno()}\b", re.MULTILINE)
    infos = []
    for path in Path("/proc/self/fdinfo").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the directory's own
            infos.append(path.read_text())
    return any(map(entry.search, infos))
