"""Transports of datagrams, over ``rloop.transport.DatagramConnection`` of Java.

Java sends to numeric addresses and paths. What else an address may be, a host's name most of all,
goes through ``socket.sendto``, and so do the errors of a wrong one: they are asyncio's then.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from asyncio import selector_events
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rloop import _core
from rloop.java import fork

from .base import contiguous_view
from .base_socket import BaseSocketTransport

if TYPE_CHECKING:
    from .loop import TransportLoop

_core.add_datagrams()
fork.forbid_methods_in_children(_core.Transport)

_send = _core.Transport._send_datagram
fork.forbid_in_children([(sys.modules[__name__], "_send")])

# What flow control counts for a datagram beside its data: from 3.13 on 8 bytes. With it came that
# empty datagrams are sent.
_HEADER_SIZE: int = getattr(selector_events._SelectorDatagramTransport, "_header_size", 0)  # type: ignore[attr-defined]


class DatagramTransport(BaseSocketTransport, asyncio.DatagramTransport):
    """What ``create_datagram_endpoint`` gives to a protocol."""

    # Those of other workers at the same address, which end with this one.
    _companions: Sequence[asyncio.DatagramTransport] = ()

    def __init__(
        self,
        loop: TransportLoop,
        sock: socket.socket,
        protocol: asyncio.BaseProtocol,
        address: Any = None,
        waiter: asyncio.Future[None] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        """Sends to ``address`` alone if there is one."""
        self._address = address
        super().__init__(loop, sock, protocol, waiter, extra)

    def _open_channel(self) -> None:
        is_connected = bool(self._extra["peername"])
        self._open_datagrams(
            self._loop,
            self._fd,
            self._file,
            self._given_context,
            self._file.family,
            is_connected,
            self._address,
            _HEADER_SIZE,
        )
        self._register()

    def _call_connection_lost(self, exc: BaseException | None) -> None:
        try:
            super()._call_connection_lost(exc)
        finally:
            companions, self._companions = self._companions, ()
            for companion in companions:
                companion.close()

    # ---- receiving: calls that Java puts into a batch --------------------------------------------

    def _deliver_held(self) -> None:
        held = self._take_held()
        if held is not None:
            self._protocol.datagram_received(*held)

    def _read_failed(self, errno: int) -> None:
        if not self.is_closing():
            self._error_received(errno)

    def _write_failed(self, errno: int) -> None:
        if self._protocol is not None:
            self._error_received(errno)

    def _error_received(self, errno: int) -> None:
        self._protocol.error_received(OSError(errno, os.strerror(errno)))

    # ---- sending ---------------------------------------------------------------------------------

    def sendto(self, data: Any, addr: Any = None) -> None:
        """Sends a datagram: now, or as soon as the kernel takes it."""
        answer = _send(self, data, addr)
        if answer is not None:
            if answer is False:
                self._send_unusual(data, addr)
            else:
                self._sent(answer)

    def _sent(self, answer: int | None) -> None:
        if answer is True:
            self._pause_writing()
        elif answer is not None:
            self._error_received(answer)

    def _send_unusual(self, data: Any, addr: Any) -> None:
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(
                f"data argument must be a bytes-like object, not {type(data).__name__!r}"
            )
        if not data and not _HEADER_SIZE:
            return
        if self._address is not None:
            if addr not in (None, self._address):
                raise ValueError(f"Invalid address: must be None or {self._address}")
            addr = None
        try:
            data = bytes(contiguous_view(data))
        except BufferError as exc:
            if not self.is_closing():
                self._fatal_error(exc, "Fatal write error on datagram transport")
            return
        answer = _send(self, data, addr)
        if answer is False:
            self._send_by_socket(data, addr)
        else:
            self._sent(answer)

    def _send_by_socket(self, data: bytes, addr: Any) -> None:
        """To an address that Java doesn't know, or between ``close`` and ``connection_lost``."""
        if self._file is None or self._address is not None or self._extra["peername"]:
            self._count_lost_write()
            return
        try:
            try:
                self._sock.sendto(data, addr)
            except (BlockingIOError, InterruptedError):
                answer = _send(self, data, self._resolved(addr))
                if answer is False:
                    self._count_lost_write()
                else:
                    self._sent(answer)
        except OSError as exc:
            if self._is_elsewhere():
                self._call_soon(self._protocol.error_received, exc)
            else:
                self._protocol.error_received(exc)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as exc:
            self._fatal_error(exc, "Fatal write error on datagram transport")

    def _resolved(self, addr: Any) -> Any:
        """A host's name replaced by its address, as ``socket.sendto`` does."""
        host, port, *scope = addr
        found = socket.getaddrinfo(host, port, self._sock.family, socket.SOCK_DGRAM)
        return (found[0][4][0], port, *scope)
