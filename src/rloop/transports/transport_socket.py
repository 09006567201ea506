"""The socket that a transport shows: what is done with it comes after what was written before.

So it is in asyncio, where what is written leaves at once.
"""

from __future__ import annotations

import socket
import weakref
from asyncio import trsock
from typing import TYPE_CHECKING

from rloop.java import fork

if TYPE_CHECKING:
    from .base_socket import BaseSocketTransport


class TransportSocket(trsock.TransportSocket):
    """What ``get_extra_info("socket")`` answers.

    Every method of the standard library's class begins with ``self._sock``.
    """

    __slots__ = ("_socket", "_transport")

    def __init__(self, sock: socket.socket, transport: weakref.ref[BaseSocketTransport]) -> None:
        """Doesn't keep the transport alive, which keeps this."""
        self._socket = sock
        self._transport = transport

    @property
    def _sock(self) -> socket.socket:
        transport = self._transport()
        if transport is not None and not fork.is_child():
            transport._send_gathered()
        return self._socket

    def __repr__(self) -> str:
        return repr(trsock.TransportSocket(self._socket))

    def fileno(self) -> int:
        """The descriptor; who has it may send as well."""
        self._share()
        return self._socket.fileno()

    def dup(self) -> socket.socket:
        """Another socket of the same connection."""
        self._share()
        return self._socket.dup()

    def _share(self) -> None:
        transport = self._transport()
        if transport is not None and not fork.is_child():
            transport._share()
