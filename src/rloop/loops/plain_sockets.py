"""Sockets whose methods do what the system calls of their names do, and nothing else.

Java makes those calls itself. asyncio calls the methods, and a program may have put others in
their place: in a subclass of ``socket.socket``, in that class itself, or by another class of that
name (gevent's, a mock). Such sockets go asyncio's way, by the standard library's code.
"""

from __future__ import annotations

import _socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket


def _find_class() -> type[socket.socket]:
    """``socket.socket`` as its module defines it, whatever has that name by now."""
    classes: list[type] = _socket.socket.__subclasses__()
    found: type[socket.socket] = next(
        cls for cls in classes if cls.__module__ == "socket" and cls.__qualname__ == "socket"
    )
    return found


PlainSocket = _find_class()
"""The class of plain sockets, as long as :func:`is_plain` says so."""

# The class has these from its base, which is C's; who replaces one of them adds an attribute.
_METHODS = {
    *("recv", "recv_into", "recvfrom", "recvfrom_into", "send", "sendmsg", "sendto"),
    *("fileno", "setblocking", "shutdown", "__getattribute__"),
}
_attributes: Mapping[str, Any] = vars(PlainSocket)
_accept = PlainSocket.accept

# How many attributes there were when all was as it should be.
_usual_count: int | None = None


def is_plain(sock: object) -> bool:
    """Whether Java may work with a socket's descriptor; doesn't believe what a mock says."""
    return type(sock) is PlainSocket and (
        (len(_attributes) == _usual_count and _attributes["accept"] is _accept) or _is_untouched()
    )


def _is_untouched() -> bool:
    global _usual_count  # noqa: PLW0603
    if _attributes.keys() & _METHODS or _attributes["accept"] is not _accept:
        return False
    _usual_count = len(_attributes)
    return True
