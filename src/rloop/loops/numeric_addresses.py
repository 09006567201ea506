"""Names that are numbers already: nothing is to be looked up, so no thread has to do it.

The answers are the standard library's. The C library finds them without asking anybody; for what
most programs ask even that takes ten times as long as to write the answer down.
"""

from __future__ import annotations

import asyncio
import socket
from asyncio import base_events
from typing import Any

Answer = list[tuple[Any, Any, int, str, tuple[Any, ...]]]

_HIGHEST_PORT = 0xFFFF
_PROTOCOLS = {
    socket.SOCK_STREAM: socket.IPPROTO_TCP,
    socket.SOCK_DGRAM: socket.IPPROTO_UDP,
}

# What a program has put in its place may take its time.
_look_up = socket.getaddrinfo


class NumericAddresses(asyncio.SelectorEventLoop):
    """The part of the loop that knows when a name needs no resolver."""

    __slots__ = ()

    async def getaddrinfo(
        self,
        host: Any,
        port: Any,
        *,
        family: int = 0,
        type: int = 0,  # asyncio's name
        proto: int = 0,
        flags: int = 0,
    ) -> Any:
        """As ``socket.getaddrinfo``; without a thread where it has nobody to ask."""
        if _is_numeric(host) and _is_number(port) and _is_standard():
            return _usual(host, port, family, type, proto, flags) or _look_up(
                host, port, family, type, proto, flags
            )
        return await super().getaddrinfo(
            host, port, family=family, type=type, proto=proto, flags=flags
        )


def _is_standard() -> bool:
    """Whether asyncio would call the standard library's function."""
    return base_events.socket.getaddrinfo is _look_up  # type: ignore[attr-defined]


def _is_numeric(host: object) -> bool:
    if not isinstance(host, str):
        return False
    try:
        socket.inet_pton(_family_of(host), host)
    except (OSError, ValueError):  # a name; one with a NUL or what is no text
        return False
    return True


def _family_of(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _is_number(port: object) -> bool:
    """Otherwise it is the name of a service, which may be asked for on the network."""
    if isinstance(port, str | bytes):
        return port.isdigit() and port.isascii()
    return port is None or isinstance(port, int)


def _usual(host: str, port: Any, family: int, kind: int, proto: int, flags: int) -> Answer | None:
    """What the C library would answer to what is usually asked."""
    protocol = _PROTOCOLS.get(kind)  # type: ignore[call-overload]  # equal numbers are found
    own = _family_of(host)
    if (
        protocol is None
        or proto not in {0, protocol}
        or family not in {socket.AF_UNSPEC, own}
        or flags
        or type(port) is not int
        or not 0 <= port <= _HIGHEST_PORT
    ):
        return None
    kind = socket.SocketKind(kind)
    if own == socket.AF_INET:
        return [(own, kind, int(protocol), "", (host, port))]
    text = socket.inet_ntop(own, socket.inet_pton(own, host))
    return [(own, kind, int(protocol), "", (text, port, 0, 0))]
