"""The numbers behind the names of the C headers, taken from Python's own modules.

Java cannot read C headers, and the numbers differ between systems; Python was compiled with them.
This file is also run as a script, by Java's tests, so it imports nothing but the standard library.
"""

from __future__ import annotations

import errno
import fcntl
import os
import select
import socket

_NAMES = {
    fcntl: "F_DUPFD_CLOEXEC",
    errno: "EAGAIN EBADF EEXIST EINTR ENOENT EPERM EPIPE",
    socket: (
        "AF_INET AF_INET6 AF_UNIX MSG_DONTWAIT MSG_NOSIGNAL SHUT_WR SOCK_CLOEXEC SOCK_DGRAM "
        "SOCK_NONBLOCK SOCK_STREAM"
    ),
    select: (
        "EPOLLERR EPOLLHUP EPOLLIN EPOLLOUT EPOLL_CLOEXEC POLLERR POLLHUP POLLIN POLLNVAL POLLOUT"
    ),
    os: "EFD_CLOEXEC EFD_NONBLOCK O_CLOEXEC O_NONBLOCK",
}


ADDRESS_FAMILIES = {socket.AF_INET, socket.AF_INET6, socket.AF_UNIX}
"""Whose addresses Java knows (``rloop.transport.Destination``)."""


def values() -> dict[str, int]:
    """Every constant that this system has; what it lacks is absent."""
    found = {
        name: int(getattr(module, name))
        for module, names in _NAMES.items()
        for name in names.split()
        if hasattr(module, name)
    }
    found["IOV_MAX"] = os.sysconf("SC_IOV_MAX")
    return found


def assignments() -> str:
    """The constants as Java reads them: ``EAGAIN=11,EINTR=4,...``."""
    return ",".join(f"{name}={value}" for name, value in values().items())


if __name__ == "__main__":
    print(assignments())
