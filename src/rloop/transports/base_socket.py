"""What transports over sockets have in common."""

from __future__ import annotations

import asyncio
import socket
import sys
import weakref
from asyncio import constants
from asyncio.log import logger
from contextvars import Context
from typing import TYPE_CHECKING, Any

from .base import BaseTransport
from .transport_socket import TransportSocket

if TYPE_CHECKING:
    from .loop import TransportLoop


# A server knows its transports from 3.13 on; before, it counts them.
_IS_KNOWN_TO_SERVER = sys.version_info >= (3, 13)


class BaseSocketTransport(BaseTransport):
    """Over a plain socket, perhaps one that a server has accepted."""

    def __init__(
        self,
        loop: TransportLoop,
        sock: socket.socket,
        protocol: asyncio.BaseProtocol,
        waiter: asyncio.Future[None] | None = None,
        extra: dict[str, Any] | None = None,
        server: Any = None,
        context: Context | None = None,
    ) -> None:
        """Counts as one of the server's from now on."""
        if server is not None:
            try:
                if _IS_KNOWN_TO_SERVER:
                    server._attach(self)
                else:
                    server._attach()
            except BaseException:  # the server was closed in the meantime
                sock.close()
                raise
        self._server = server
        extra = {} if extra is None else extra
        # With a callback: a reference without one outlives, from 3.15 on, the finaliser of the
        # socket.
        self._this = weakref.ref(self, _no_callback)
        extra["socket"] = TransportSocket(sock, self._this)
        if "sockname" not in extra:
            extra["sockname"] = _name_or_none(sock.getsockname)
        if "peername" not in extra:
            extra["peername"] = _name_or_none(sock.getpeername)
        super().__init__(loop, sock, protocol, waiter, extra, context)

    def _register(self) -> None:
        """Makes the transport known to its loop, as soon as it has a channel."""
        # Not by the dictionary's own method, which makes a closure for the death of each.
        self._loop._transports.data[self._fd] = self._this

    # The standard library's names, by which its sendfile knows them.

    @property
    def _sock(self) -> socket.socket:
        self._send_gathered()
        return self._file  # type: ignore[no-any-return]

    @property
    def _sock_fd(self) -> int:
        return self._fd

    def _describe(self) -> list[str]:
        size = self.get_write_buffer_size()
        return [
            "read=polling" if self.is_reading() else "read=idle",
            f"write=<{'polling' if size else 'idle'}, bufsize={size}>",
        ]

    def _count_lost_write(self) -> None:
        self._lost_writes += 1
        if self._lost_writes >= constants.LOG_THRESHOLD_FOR_CONNLOST_WRITES:
            logger.warning("socket.send() raised exception.")

    def _close_file(self) -> None:
        known = self._loop._transports.data
        reference = known.get(self._fd)
        if reference is not None and reference() in (self, None):  # and not a successor's
            del known[self._fd]
        super()._close_file()
        server, self._server = self._server, None
        if server is None:
            return
        if _IS_KNOWN_TO_SERVER:
            server._detach(self)
        else:
            server._detach()


_no_callback = bool  # does nothing


def _name_or_none(get_name: Any) -> Any:
    try:
        return get_name()
    except OSError:
        return None
