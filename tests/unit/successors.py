"""Files that get the number of one that was closed."""

import os
import socket
from collections.abc import Callable

import pytest

from tests.unit.pollers import USES_POLL

# What poll(2) is asked about are numbers: it can't tell of a file that is closed here.
follows_duplicates = pytest.mark.skipif(USES_POLL, reason="poll(2) knows nothing of duplicates")

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
