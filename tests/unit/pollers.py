"""Which poller the loops under test use, and what it watches."""

import contextlib
import os
import re
import socket
import sys
from pathlib import Path

USES_POLL = os.environ.get("RLOOP_POLLER") == "poll"
USES_EPOLL = sys.platform == "linux" and not USES_POLL


def is_registered_with_epoll(sock: socket.socket) -> bool:
    """Whether any epoll of this process watches a socket: see fdinfo in proc(5)."""
    entry = re.compile(rf"^tfd:\s+{sock.fileno()}\b", re.MULTILINE)
    infos = []
    for path in Path("/proc/self/fdinfo").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the directory's own
            infos.append(path.read_text())
    return any(map(entry.search, infos))
