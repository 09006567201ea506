"""Stream transports over connected sockets, over ``rloop.transport.Connection`` of Java."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from asyncio import constants, protocols, sslproto
from asyncio.log import logger
from collections.abc import Iterable
from typing import Any, Protocol

from rloop import _core
from rloop.java import fork

from .base import NOBODY, contiguous_view
from .base_socket import BaseSocketTransport

Data = bytes | bytearray | memoryview

_write = _core.Transport._write
fork.forbid_in_children([(sys.modules[__name__], "_write")])

_DATA_TYPES = (
    "bytes, bytearray, or memoryview object" if sys.version_info >= (3, 13) else "bytes-like object"
)


# What writelines does there. To pass over a line is to ask only whether it is true.
_JOINS_LINES = sys.version_info < (3, 12)
_PASSES_OVER_EMPTY_LINES = sys.version_info >= (3, 15)


class _Tls(Protocol):
    """What Java tells the protocol whose ciphertext it moves, ``rloop.transports.tls``."""

    def _do_read(self) -> None: ...
    def _receiver(self) -> Any: ...
    def _do_handshake(self) -> None: ...
    def _peer_closed(self) -> None: ...
    def _hand_back(self) -> None: ...
    def _fail(self, error: int, /) -> None: ...
    def _control_app_writing(self) -> None: ...


class SocketTransport(BaseSocketTransport):
    """What ``create_connection`` and ``create_server`` give to a protocol."""

    _start_tls_compatible = True
    _sendfile_compatible = constants._SendfileMode.TRY_NATIVE

    _empty_waiter: asyncio.Future[None] | None = None
    _tls: _Tls | None = None  # whose ciphertext Java moves

    @property
    def _follows_users(self) -> bool:  # type: ignore[override]
        """Unless a server has accepted it."""
        return self._server is None

    def _open_channel(self) -> None:
        self._open(self._loop, self._fd, self._file, self._given_context)
        self._register()
        if self._file.proto == socket.IPPROTO_TCP:  # its family and type are slow to ask for
            self._file.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Data goes to this protocol from now on, data that was read before included."""
        if type(protocol) is sslproto.SSLProtocol:
            self._loop._adopt_tls(protocol)
        self._protocol: Any = protocol
        if isinstance(protocol, protocols.BufferedProtocol):
            self._set_receiver(None)
        else:
            self._set_receiver(NOBODY if protocol is None else protocol)

    # ---- reading: calls that Java puts into a batch ----------------------------------------------

    def _read_buffered(self) -> None:
        if self._tls is None:
            self._read_into(self._protocol)
        else:
            self._tls._do_read()

    def _read_into(self, protocol: Any) -> None:
        method = "get_buffer"
        try:
            buffer = protocol.get_buffer(-1)
            count = self._receive_into(buffer)
            if count is not None:
                if count > 0:
                    method = "buffer_updated"
                    protocol.buffer_updated(count)
                elif count is False:
                    self._refuse_buffer(buffer)
                else:
                    self._tell_end(-count)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as exc:
            self._fatal_error(exc, f"Fatal error: protocol.{method}() call failed.")

    def _refuse_buffer(self, buffer: Any) -> None:
        """Has Python say what is wrong with it."""
        len(buffer)
        try:
            self._file.recv_into(buffer, 0, socket.MSG_PEEK)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as exc:
            self._fatal_error(exc, "Fatal read error on socket transport")

    def _deliver_held(self) -> None:
        """As much as one call takes of what was read before a pause or for another protocol."""
        protocol: Any = self._protocol if self._tls is None else self._tls._receiver()
        if not isinstance(protocol, protocols.BufferedProtocol):
            self._deliver_all_held(protocol)
        elif self._tls is None or self._tls is protocol:
            self._read_into(protocol)
        else:
            self._tls._do_read()

    def _deliver_all_held(self, protocol: Any) -> None:
        data = self._take_held()
        if data is None:
            return
        try:
            protocol.data_received(data)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as exc:
            self._delivery_failed(exc)

    def _delivery_failed(self, exc: BaseException) -> None:
        if not isinstance(self._protocol, sslproto.SSLProtocol):
            self._fatal_error(exc, "Fatal error: protocol.data_received() call failed.")
        elif isinstance(exc, Exception):
            self._protocol._fatal_error(exc, "Fatal error on SSL protocol")
        else:  # which asyncio's TLS leaves to its transport; a CancelledError it would not report
            self._fatal_error(exc, "Fatal error: protocol.buffer_updated() call failed.")

    def _tell_end(self, errno: int) -> None:
        if errno:
            self._read_failed(errno)
        else:
            self._end_of_file()

    def _end_of_file(self) -> None:
        if self._loop.get_debug():
            logger.debug("%r received EOF", self)
        try:
            keeps_open = self._protocol.eof_received()
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as exc:
            self._fatal_error(exc, "Fatal error: protocol.eof_received() call failed.")
            return
        if not keeps_open:
            self.close()

    def _read_failed(self, errno: int) -> None:
        self._take_back_failure()  # of a write, which is told later
        self._fatal_error(
            OSError(errno, os.strerror(errno)), "Fatal read error on socket transport"
        )

    # ---- TLS: calls that Java puts into a batch --------------------------------------------------

    def _tls_handshake(self) -> None:
        if self._tls is None:
            return
        try:
            self._tls._do_handshake()
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as exc:  # connection_made's; asyncio says the same of it
            self._fatal_error(exc, "Fatal error: protocol.buffer_updated() call failed.")

    def _tls_ended(self) -> None:
        if self._tls is not None:
            self._tls._peer_closed()

    def _tls_read(self) -> None:
        if self._tls is not None:
            self._tls._hand_back()

    def _tls_failed(self, error: int) -> None:
        if self._tls is not None:
            self._tls._fail(error)

    def _tls_drained(self) -> None:
        if self._tls is not None:
            self._tls._control_app_writing()

    # ---- writing ---------------------------------------------------------------------------------

    def write(self, data: Data) -> None:
        """Queues data; what a batch of callbacks writes is sent in one call when it is over."""
        answer = _write(self, data)
        if answer is not None:
            if answer:
                self._pause_writing()
            else:
                self._write_unusual(data)

    def _write_unusual(self, data: Data) -> None:
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"data argument must be a {_DATA_TYPES}, not {type(data).__name__!r}")
        self._check_writable("write")
        if not data:
            return
        try:
            whole = bytes(contiguous_view(data))
        except BufferError as exc:
            self._refuse(exc)
            return
        if _write(self, whole) is False:
            self._count_lost_write()

    def _refuse(self, exc: BufferError) -> None:
        """Ends the connection for data that can't be sent, as a failed ``send`` does."""
        if not self.is_closing():
            self._fatal_error(exc, "Fatal write error on socket transport")

    def _check_writable(self, method: str) -> None:
        if self._is_end_requested():
            raise RuntimeError(f"Cannot call {method}() after write_eof()")
        if self._empty_waiter is not None:
            raise RuntimeError(f"unable to {method}; sendfile is in progress")

    def writelines(self, list_of_data: Iterable[Data]) -> None:
        """Queues several pieces of data."""
        self._check_writable("writelines" if sys.version_info >= (3, 12) else "write")
        if not (list_of_data or _JOINS_LINES):
            return
        # All of them first: if one can't be sent, none is.
        try:
            pieces = [
                data if type(data) is bytes else contiguous_view(data)
                for data in list_of_data
                if data or not _PASSES_OVER_EMPTY_LINES
            ]
        except (BufferError, TypeError, ValueError) as exc:
            if _JOINS_LINES:
                b"".join(list_of_data)  # says the same in asyncio's words
            if not isinstance(exc, BufferError):
                raise
            self._refuse(exc)
            return
        for data in pieces:
            self.write(data)

    def can_write_eof(self) -> bool:
        """Sockets can shut one direction down."""
        return True

    def write_eof(self) -> None:
        """Shuts the sending side down when all that was written is sent."""
        self._write_eof()

    def _write_failed(self, errno: int) -> None:
        self._fatal_error(
            OSError(errno, os.strerror(errno)), "Fatal write error on socket transport"
        )

    # ---- sendfile: the loop empties the queue, then uses the socket itself -----------------------

    def _make_empty_waiter(self) -> asyncio.Future[None]:
        if self._empty_waiter is not None:
            raise RuntimeError("Empty waiter is already set")
        self._empty_waiter = self._loop.create_future()
        if self._await_drain():
            self._empty_waiter.set_result(None)
        return self._empty_waiter

    def _reset_empty_waiter(self) -> None:
        self._empty_waiter = None
        self._end_await_drain()

    def _drained(self) -> None:
        if self._empty_waiter is not None and not self._empty_waiter.done():
            self._empty_waiter.set_result(None)

    def _call_connection_lost(self, exc: BaseException | None) -> None:
        try:
            super()._call_connection_lost(exc)
        finally:
            if self._empty_waiter is not None and not self._empty_waiter.done():
                self._empty_waiter.set_exception(ConnectionError("Connection is closed by peer"))
