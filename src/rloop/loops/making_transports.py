"""Making transports: ours over plain sockets and pipes, asyncio's over what is alike."""

from __future__ import annotations

import asyncio
import functools
from asyncio import constants, sslproto
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING, Any

from rloop.java.constants import ADDRESS_FAMILIES

from .accepting import if_given
from .plain_sockets import is_plain

if TYPE_CHECKING:
    import socket
    import ssl
    from types import ModuleType

    from rloop.transports.stream import SocketTransport


class MakingTransports(asyncio.SelectorEventLoop):
    """The part of the loop that makes transports, each from modules that are imported for it."""

    __slots__ = ()

    if TYPE_CHECKING:
        _crew: Any
        _transports: Any  # a weakref.WeakValueDictionary
        _ensure_fd_no_transport: Callable[[socket.socket], None]

    def _start_serving(
        self, protocol_factory: Any, sock: Any, sslcontext: Any = None, *args: Any, **kwargs: Any
    ) -> None:
        # Imported now: a connection may be accepted with the last descriptor.
        _transport_class()
        if sslcontext is not None:
            _tls()
        super()._start_serving(protocol_factory, sock, sslcontext, *args, **kwargs)  # type: ignore[misc]

    def _make_socket_transport(
        self,
        sock: socket.socket,
        protocol: asyncio.BaseProtocol,
        waiter: asyncio.Future[None] | None = None,
        *,
        extra: dict[str, Any] | None = None,
        server: Any = None,
        context: Context | None = None,
    ) -> asyncio.Transport:
        if sock.fileno() in self._transports.data:
            self._ensure_fd_no_transport(sock)  # it says so
        if not is_plain(sock):
            make: Any = super()._make_socket_transport  # type: ignore[misc]
            options = {"extra": extra, "server": server, **if_given(context)}
            return make(sock, protocol, waiter, **options)  # type: ignore[no-any-return]
        return _transport_class()(self, sock, protocol, waiter, extra, server, context)

    def _make_datagram_transport(
        self,
        sock: socket.socket,
        protocol: asyncio.BaseProtocol,
        address: Any = None,
        waiter: asyncio.Future[None] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> Any:
        from rloop.transports.datagram import DatagramTransport  # noqa: PLC0415  # needs Java

        self._ensure_fd_no_transport(sock)
        if sock.family not in ADDRESS_FAMILIES or not is_plain(sock):
            make = super()._make_datagram_transport  # type: ignore[misc]
            return make(sock, protocol, address, waiter, extra)
        return DatagramTransport(self, sock, protocol, address, waiter, extra)

    def _make_read_pipe_transport(self, pipe: Any, *args: Any, **kwargs: Any) -> Any:
        from rloop.transports.pipe import ReadPipeTransport, is_one_way  # noqa: PLC0415  # needs Java

        if is_one_way(pipe):
            return ReadPipeTransport(self, pipe, *args, **kwargs)
        return super()._make_read_pipe_transport(pipe, *args, **kwargs)  # type: ignore[misc]

    def _make_write_pipe_transport(self, pipe: Any, *args: Any, **kwargs: Any) -> Any:
        from rloop.transports.pipe import WritePipeTransport, is_one_way  # noqa: PLC0415  # needs Java

        if is_one_way(pipe):
            return WritePipeTransport(self, pipe, *args, **kwargs)
        return super()._make_write_pipe_transport(pipe, *args, **kwargs)  # type: ignore[misc]

    def _make_ssl_transport(
        self,
        rawsock: socket.socket,
        protocol: asyncio.BaseProtocol,
        sslcontext: Any,
        waiter: asyncio.Future[None] | None = None,
        *,
        server_side: bool = False,
        server_hostname: str | None = None,
        extra: dict[str, Any] | None = None,
        server: Any = None,
        ssl_handshake_timeout: float | None = constants.SSL_HANDSHAKE_TIMEOUT,
        ssl_shutdown_timeout: float | None = constants.SSL_SHUTDOWN_TIMEOUT,
        context: Context | None = None,
    ) -> Any:
        if not is_plain(rawsock):
            return super()._make_ssl_transport(  # type: ignore[misc]
                rawsock,
                protocol,
                sslcontext,
                waiter,
                server_side=server_side,
                server_hostname=server_hostname,
                extra=extra,
                server=server,
                ssl_handshake_timeout=ssl_handshake_timeout,
                ssl_shutdown_timeout=ssl_shutdown_timeout,
                **if_given(context),
            )
        ssl_protocol = _tls().protocol_class()(
            self,
            protocol,
            sslcontext,
            waiter,
            server_side,
            server_hostname,
            ssl_handshake_timeout=ssl_handshake_timeout,
            ssl_shutdown_timeout=ssl_shutdown_timeout,
        )
        self._make_socket_transport(
            rawsock, ssl_protocol, extra=extra, server=server, context=context
        )
        return ssl_protocol._app_transport

    def _guard_ssl(self, ssl_object: ssl.SSLObject) -> None:
        """Nobody else uses it: I/O is done on this thread."""

    def _adopt_tls(self, protocol: sslproto.SSLProtocol) -> None:
        _tls().adopt(protocol)


# Cached, because an import takes 1 to 2 µs even of a module that is there.


@functools.cache
def _transport_class() -> type[SocketTransport]:
    from rloop.transports.stream import SocketTransport  # noqa: PLC0415  # it needs the module that Java makes

    return SocketTransport


@functools.cache
def _tls() -> ModuleType:
    from rloop.transports import tls  # noqa: PLC0415  # for the first TLS connection

    return tls
