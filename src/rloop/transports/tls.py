"""TLS: the standard library's ``SSLProtocol``, with Java on the path of the data.

Java moves the ciphertext of the handshake between the socket and the ``SSL``. Between a completed
handshake and the beginning of the shutdown (the state WRAPPED), what arrives is decrypted in Java
and goes straight to the application's protocol, and what that writes is encrypted in Java. All that
is rare stays the standard library's, as each Python version has it, over the same ``SSL``.

::

    application's protocol          SSLTransport
          ▲    ▲                         │
          │    └── SSLProtocol ──────────┤  the handshake, and what is rare
          │             ▲                │
          └─────── SocketTransport ◄─────┘  data: Java decrypts and encrypts

Of a loop with several workers it is only the one where the connection is at home that is in here:
what another one asks for is scheduled there, unless Java does it.
"""

from __future__ import annotations

import collections
import ssl
from asyncio import constants, sslproto
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from . import libssl
from .base import contiguous_view, whole_bytes
from .ssl_transport import SSLTransport
from .stream import SocketTransport

# An attribute of the enumeration takes longer to look up.
_UNWRAPPED = sslproto.SSLProtocolState.UNWRAPPED
_DO_HANDSHAKE = sslproto.SSLProtocolState.DO_HANDSHAKE
_WRAPPED = sslproto.SSLProtocolState.WRAPPED
_SHUTDOWN = sslproto.SSLProtocolState.SHUTDOWN

_ASYNCIO_MAX_SIZE = sslproto.SSLProtocol.max_size


class SSLProtocol(sslproto.SSLProtocol):
    """What stands between a socket's transport and the application's protocol.

    ``_native`` is the transport while Java is on the path of the data.
    """

    # How every connection begins. The standard library sets these on each object, one by one.
    _state: sslproto.SSLProtocolState = _UNWRAPPED
    _app_state = sslproto.AppProtocolState.STATE_INIT
    _transport: Any = None
    _write_buffer_size = 0
    _conn_lost = 0
    _eof_received = False
    _ssl_writing_paused = False
    _ssl_reading_paused = False
    _app_reading_paused = False
    _app_writing_paused = False
    _incoming_high_water, _incoming_low_water = sslproto.add_flowcontrol_defaults(
        None, None, constants.FLOW_CONTROL_HIGH_WATER_SSL_READ
    )
    _outgoing_high_water, _outgoing_low_water = sslproto.add_flowcontrol_defaults(
        None, None, constants.FLOW_CONTROL_HIGH_WATER_SSL_WRITE
    )
    _ssl_handshake_timeout: Any = constants.SSL_HANDSHAKE_TIMEOUT
    _ssl_shutdown_timeout: Any = constants.SSL_SHUTDOWN_TIMEOUT
    _ssl_buffer = b""
    _ssl_buffer_view = memoryview(_ssl_buffer)
    _app_transport_created = True
    max_size = 0  # which needs no buffer before Python has to read

    _moves_itself = True  # the ciphertext, and not Java
    _native: SocketTransport | None = None
    _is_handed_back = False
    _java_reads = False
    _app_protocol_is_buffer = False

    if TYPE_CHECKING:
        # The standard library's
        _app_transport: Any
        _app_protocol: Any
        _app_protocol_get_buffer: Any
        _app_protocol_buffer_updated: Any
        _call_eof_received: Any
        _start_handshake: Any
        _start_shutdown: Any
        _on_shutdown_complete: Any
        _incoming: ssl.MemoryBIO
        _outgoing: ssl.MemoryBIO
        _server_side: bool

    def __init__(
        self,
        loop: Any,
        app_protocol: Any,
        sslcontext: ssl.SSLContext | None,
        waiter: Any,
        server_side: bool = False,
        server_hostname: str | None = None,
        call_connection_made: bool = True,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
    ) -> None:
        """The standard library's, but flat for what is usual."""
        has_timeouts = ssl_handshake_timeout is not None or ssl_shutdown_timeout is not None
        if has_timeouts or not sslcontext or not call_connection_made:
            self._app_transport_created = False
            super().__init__(
                loop,
                app_protocol,
                sslcontext,  # type: ignore[arg-type]  # or None
                waiter,
                server_side,
                server_hostname,
                call_connection_made,
                ssl_handshake_timeout,  # type: ignore[arg-type]  # or None
                ssl_shutdown_timeout,
            )
            return
        self._loop = loop
        self._waiter = waiter
        self._sslcontext = sslcontext
        self._extra = {"sslcontext": sslcontext}
        self._server_side = server_side
        self._server_hostname = None if server_side else server_hostname or None
        self._incoming = incoming = ssl.MemoryBIO()
        self._outgoing = outgoing = ssl.MemoryBIO()
        self._sslobj: Any = sslcontext.wrap_bio(
            incoming, outgoing, server_side, self._server_hostname
        )
        self._write_backlog = collections.deque()
        super()._set_app_protocol(app_protocol)
        self._app_transport = SSLTransport(loop, self)

    def _is_elsewhere(self) -> bool:
        """Whether another worker of the loop is where the connection is at home."""
        transport = self._transport
        return (
            isinstance(transport, SocketTransport)
            and transport._given_context is not None
            and transport._is_elsewhere()
        )

    def _get_app_transport(self) -> SSLTransport:
        if self._app_transport is None:
            if self._app_transport_created:
                raise RuntimeError("Creating _SSLProtocolTransport twice")
            self._app_transport = SSLTransport(self._loop, self)
            self._app_transport_created = True
        return self._app_transport  # type: ignore[no-any-return]

    # ---- the handshake, of which Java moves the ciphertext ---------------------------------------

    def connection_made(self, transport: Any) -> None:
        """Starts the handshake."""
        self._transport = transport
        if isinstance(transport, SocketTransport):
            transport._loop._guard_ssl(self._sslobj)
            transport._tls = self
            transport._start_tls(self._sslobj._sslobj)
            self._moves_itself = False
        self._start_handshake()

    def _do_handshake(self) -> None:
        if not self._incoming.pending and self._server_side:  # it is the client that begins
            return
        if self._moves_itself:
            super()._do_handshake()  # type: ignore[misc]
            return
        native = self._transport
        native._lend_ssl()
        try:
            super()._do_handshake()  # type: ignore[misc]
        finally:
            native._return_ssl()

    def _on_handshake_complete(self, handshake_exc: Any) -> None:
        if not self._moves_itself:
            self._transport._return_ssl()
        if handshake_exc is not None:
            self._outgoing.read()  # asyncio doesn't send an alert
        super()._on_handshake_complete(handshake_exc)

    def _process_outgoing(self) -> None:
        if self._moves_itself:
            super()._process_outgoing()  # type: ignore[misc]
        else:
            self._transport._flush_tls()

    def _set_state(self, new_state: sslproto.SSLProtocolState) -> None:
        super()._set_state(new_state)  # type: ignore[misc]
        if self._moves_itself or new_state is _DO_HANDSHAKE:
            return
        if new_state is _WRAPPED:
            self._start_native()
        else:
            self._stop_native(lossless=new_state is not _UNWRAPPED)

    # ---- when Java has the data ------------------------------------------------------------------

    def _start_native(self) -> None:
        if self._may_call_back():
            self._stop_native(lossless=True)
            return
        native: SocketTransport = self._transport
        if not native._open_tls(*self._native_water_marks()):
            self._is_handed_back = True  # _do_read, which comes next, sees to it
        self._native = native
        self._app_transport._native = native
        if self._write_backlog:
            backlog = list(self._write_backlog)
            self._write_backlog.clear()
            self._write_buffer_size = 0
            self._write_appdata(backlog)

    def _may_call_back(self) -> bool:
        """Whether OpenSSL may run Python code while it reads or writes, as Java must not."""
        context = self._sslcontext
        return context.keylog_filename is not None or context._msg_callback is not None

    def _stop_native(self, *, lossless: bool) -> None:
        native: SocketTransport = self._transport
        self._moves_itself = True
        self.max_size = _ASYNCIO_MAX_SIZE  # type: ignore[misc]
        self._native = native._tls = None
        if self._app_transport is not None:
            self._app_transport._native = None
        native._stop_tls(lossless)
        if self._app_reading_paused and lossless:
            native.resume_reading()  # the shutdown waits for the peer

    def _receiver(self) -> Any:
        """Who gets data that the transport held back."""
        return self if self._native is None else self._app_protocol

    def get_buffer(self, n: int) -> memoryview:
        """Where ciphertext goes that Java does not move."""
        self.max_size = _ASYNCIO_MAX_SIZE  # type: ignore[misc]
        return super().get_buffer(n)

    def _hand_back(self) -> None:
        """Java has met something that is not data; from there on the standard library reads."""
        self._is_handed_back = True
        self._do_read()

    def _peer_closed(self) -> None:
        """All was read: shuts the own side down at once, which ends the connection."""
        if self._native is None or self._app_reading_paused:
            self._hand_back()
            return
        if self._native._holds_data():  # Java tells of the end again when that is delivered
            return
        self._call_eof_received()
        if self._native is None:  # it has closed the connection
            return
        self._app_transport._closed = True
        self._stop_native(lossless=True)
        self._state = _SHUTDOWN
        try:
            self._sslobj.unwrap()
        except ssl.SSLError as exc:
            self._on_shutdown_complete(exc)
        else:
            self._transport.write(self._outgoing.read())
            self._on_shutdown_complete(None)

    def _do_read(self) -> None:
        native = self._native
        if self._is_handed_back and native is not None and self._may_stop(native):
            self._stop_native(lossless=True)
            native = None
        if native is None:
            super()._do_read()  # type: ignore[misc]
        elif self._app_protocol_is_buffer:
            self._read_into_buffer(native)
        elif not (self._java_reads or self._app_reading_paused or native._holds_data()):
            self._let_java_read(native)

    def _may_stop(self, native: SocketTransport) -> bool:
        """Whether all was delivered that Java has decrypted."""
        return not (self._app_reading_paused or native._holds_data())

    def _let_java_read(self, native: SocketTransport) -> None:
        """Delivers what there is; what comes from now on, Java does."""
        self._java_reads = True
        protocol = self._app_protocol
        data = native._receive_tls_rest(protocol)
        if data is None:
            return
        try:
            protocol.data_received(data)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as exc:
            native._delivery_failed(exc)

    def _read_into_buffer(self, native: SocketTransport) -> None:
        if self._app_reading_paused:
            return
        try:
            buffer = self._app_protocol_get_buffer(-1)
            if len(buffer):
                count = native._receive_tls_into(buffer)
                if count is None:
                    return
                if count > 0:
                    self._app_protocol_buffer_updated(count)
                elif count is False:
                    self._sslobj.read(len(buffer), buffer)  # says what is wrong with it
                else:
                    native._tell_end(-count)
            else:  # the standard library takes it for the end of the stream
                self._call_eof_received()
                self._start_shutdown()
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as exc:
            native._delivery_failed(exc)

    def _fail(self, error: int) -> None:
        self._fatal_error(libssl.error_of(error), "Fatal error on SSL protocol")

    def _set_app_protocol(self, app_protocol: Any) -> None:
        super()._set_app_protocol(app_protocol)
        if self._java_reads and self._native is not None:
            if self._app_protocol_is_buffer:
                self._java_reads = False
                self._native._set_receiver(None)
            else:
                self._native._set_receiver(app_protocol)

    # ---- flow control ----------------------------------------------------------------------------

    def _pause_reading(self) -> None:
        super()._pause_reading()  # type: ignore[misc]
        if self._native is not None:
            self._native.pause_reading()

    def _resume_reading(self) -> None:
        if self._native is not None and self._app_reading_paused:
            self._native.resume_reading()
        super()._resume_reading()  # type: ignore[misc]

    def _write_appdata(self, list_of_data: Iterable[Any]) -> None:
        native = self._native
        if native is None:
            super()._write_appdata(list_of_data)  # type: ignore[arg-type]
            return
        try:
            pieces = [bytes(contiguous_view(data)) for data in list_of_data]
        except BufferError as exc:
            self._fatal_error(exc, "Fatal error on SSL protocol")
            return
        for piece in pieces:
            answer = native._write_tls(piece)
            if answer is False:
                native._count_lost_write()
            elif answer:
                self._control_app_writing()

    def _get_write_buffer_size(self) -> int:
        size = self._outgoing.pending + self._write_buffer_size
        return size if self._native is None else size + self._native._tls_buffer_size()

    def _set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        super()._set_write_buffer_limits(high, low)  # type: ignore[misc]
        if self._native is not None:
            self._native._set_tls_water_marks(*self._native_water_marks())

    def _native_water_marks(self) -> tuple[int, int]:
        # asyncio pauses when so much is queued, Java when more is.
        return whole_bytes(self._outgoing_high_water - 1), whole_bytes(self._outgoing_low_water)

    def _control_app_writing(self) -> None:
        super()._control_app_writing()  # type: ignore[misc]
        if self._app_writing_paused and self._native is not None:
            self._native._await_tls_drain()


def adopt(protocol: sslproto.SSLProtocol) -> None:
    """Makes a protocol of the standard library's, before its handshake, one of ours.

    It is ``loop.start_tls()`` that makes such ones, differently in each version of Python.
    """
    if type(protocol) is sslproto.SSLProtocol and libssl.refusal() is None:
        protocol.__class__ = SSLProtocol
        # A quarter of a megabyte.
        del protocol._ssl_buffer, protocol._ssl_buffer_view  # type: ignore[attr-defined]
        protocol._app_transport.__class__ = SSLTransport


def protocol_class() -> type[sslproto.SSLProtocol]:
    """Of new connections."""
    return SSLProtocol if libssl.refusal() is None else sslproto.SSLProtocol
