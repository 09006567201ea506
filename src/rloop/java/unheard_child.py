"""A child of ours among those of the program, which waits for its own, by SIGCHLD most of all."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from . import sigaction


@contextmanager
def unheard() -> Iterator[None]:
    """Around the start of a child, and the wait for its end: the program gets no signal for it."""
    action = sigaction.get(signal.SIGCHLD)
    is_blocked = signal.SIGCHLD in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    if not (sigaction.is_function(action) or is_blocked):
        yield  # nobody listens
        return
    default = sigaction.new_action()
    sigaction.put(signal.SIGCHLD, default)
    try:
        yield
    finally:
        sigaction.put(signal.SIGCHLD, default)  # drops one that is blocked, and waits
        sigaction.put(signal.SIGCHLD, action)
        if _has_another_ended():
            os.kill(os.getpid(), signal.SIGCHLD)


def _has_another_ended() -> bool:
    """Of the program's own, which is told of it now; maybe, where the system can't say."""
    if not hasattr(os, "waitid"):
        return True
    try:
        return os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return False
