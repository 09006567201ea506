"""Accepting connections: asyncio's way, but without a task for each.

asyncio's task calls the protocol factory and waits for the transport. Nobody waits for the task, so
a call in a context of its own does as well, but for two things. In debug mode a failed handshake is
reported, so its end is waited for then. When a program ends, asyncio cancels the tasks of
handshakes that are under way: ``shutdown_asyncgens``, which comes next, ends them here.
"""

from __future__ import annotations

import _socket
import asyncio
import errno
import functools
import socket
from asyncio import constants, sslproto, trsock
from asyncio.log import logger
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING, Any

from rloop.java.constants import ADDRESS_FAMILIES

from .plain_sockets import PlainSocket, is_plain

_EARLY = {sslproto.SSLProtocolState.UNWRAPPED, sslproto.SSLProtocolState.DO_HANDSHAKE}
_OUT_OF_RESOURCES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}

# What the attributes of these names make enumerations of, for a microsecond each.
_family: Callable[[socket.socket], int] = vars(_socket.socket)["family"].__get__
_type: Callable[[socket.socket], int] = vars(_socket.socket)["type"].__get__

# Makes a socket object that knows, without asking the kernel, that its socket does not block.
_NON_BLOCKING = getattr(socket, "SOCK_NONBLOCK", 0)


class Accepting(asyncio.SelectorEventLoop):
    """The part of the loop that accepts connections for its servers."""

    __slots__ = ()

    if TYPE_CHECKING:
        _debug: bool
        _crew: Any  # None where there is one worker
        _transports: Any
        _make_ssl_transport: Callable[..., Any]
        _remove_reader: Callable[[Any], bool]
        _start_serving: Callable[..., None]
        _make_socket_transport: Callable[..., asyncio.Transport]
        _accept_connection2: Callable[..., Any]
        # Made by Java: (fd, peer's address, own address); None if no connection waits; False where
        # Java can't accept
        _accept: Callable[[int], Any]
        _count_accepted: Callable[[], None]

    def _accept_connection(
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        listener: socket.socket,
        sslcontext: Any,
        server: Any,
        backlog: int,
        *more: Any,  # time-outs of TLS; from 3.15 on a context
    ) -> None:
        """Accepts what waits; a reader, with the arguments of ``_start_serving``."""
        serving = protocol_factory, listener, sslcontext, server, backlog, *more
        accept = self._accept_plain if _is_usual(listener) else self._accept_by_its_method
        for _ in range(backlog + 1):
            try:
                accepted = accept(listener, server)
                if accepted is False:
                    accept = self._accept_by_its_method
                    accepted = accept(listener, server)
            except ConnectionAbortedError:
                continue
            except OSError as exc:
                if self._crew is not None and listener.fileno() < 0:
                    return  # another worker has closed the server
                if exc.errno not in _OUT_OF_RESOURCES:
                    raise
                self._accept_later(exc, serving)
                continue
            if accepted is None:
                return
            sock, extra = accepted
            if self._debug:
                logger.debug("%r got a new connection from %r: %r", server, extra["peername"], sock)
            self._open_accepted(protocol_factory, sock, extra, sslcontext, server, *more)

    def _accept_plain(self, listener: socket.socket, server: Any) -> Any:
        """The connection's socket and extra info; None if none waits; False where Java can't."""
        if self._crew is None:
            accepted = self._accept(listener.fileno())
        else:
            accepted = self._crew.accept(listener, server)
        if not accepted:
            return accepted
        fd, peer, name = accepted
        kind = _type(listener) | _NON_BLOCKING
        sock = PlainSocket(_family(listener), kind, listener.proto, fd)
        return sock, {"peername": peer, "sockname": name}

    def _accept_by_its_method(self, listener: socket.socket, _server: Any) -> Any:
        """The same of a listener that isn't quite a socket: gunicorn's, for one."""
        try:
            sock, address = listener.accept()
        except (BlockingIOError, InterruptedError):
            return None
        self._count_accepted()
        sock.setblocking(False)
        return sock, {"peername": address}

    def _accept_later(self, exc: OSError, serving: tuple[Any, ...]) -> None:
        """Leaves the listener alone for a while: the kernel goes on to report it as ready."""
        listener = serving[1]
        self.call_exception_handler(
            {
                "message": "socket.accept() out of system resource",
                "exception": exc,
                "socket": trsock.TransportSocket(listener),
            }
        )
        self._remove_reader(listener.fileno())
        self.call_later(constants.ACCEPT_RETRY_DELAY, self._start_serving, *serving)

    def _open_accepted(
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        sock: socket.socket,
        extra: dict[str, Any],
        sslcontext: Any,
        server: Any,
        handshake_timeout: float | None,
        shutdown_timeout: float | None,
        context: Context | None = None,  # from 3.15 on
    ) -> None:
        """Schedules the opening, in a context of the connection's own."""
        if context is not None:
            context = context.copy()
        timeouts = handshake_timeout, shutdown_timeout
        if not is_plain(sock):  # asyncio's task, which runs here
            arguments = (protocol_factory, sock, extra, sslcontext, server, *timeouts)
            in_context = if_given(context)
            self.create_task(self._accept_connection2(*arguments, **in_context), **in_context)
            return
        if self._crew is not None:
            placed = self._crew.place_accepted(server, context)
            if placed is None:
                sock.close()
                return
            server, context = placed
        self.call_soon(
            self._open_connection,
            protocol_factory,
            sock,
            extra,
            sslcontext,
            server,
            timeouts,
            context,
            context=context,
        )

    def _open_connection(
        self,
        protocol_factory: Callable[[], asyncio.BaseProtocol],
        sock: socket.socket,
        extra: dict[str, Any],
        sslcontext: Any,
        server: Any,
        timeouts: tuple[float | None, float | None],
        context: Context | None,
    ) -> None:
        protocol = None
        try:
            protocol = protocol_factory()
            if sslcontext:
                waiter = self.create_future() if self._debug else None
                transport = self._make_ssl_transport(
                    sock,
                    protocol,
                    sslcontext,
                    waiter,
                    server_side=True,
                    extra=extra,
                    server=server,
                    ssl_handshake_timeout=timeouts[0],
                    ssl_shutdown_timeout=timeouts[1],
                    **if_given(context),
                )
                if waiter is not None:
                    ended = functools.partial(self._handshake_ended, transport, protocol)
                    waiter.add_done_callback(ended)
            else:
                self._make_socket_transport(
                    sock, protocol, extra=extra, server=server, **if_given(context)
                )
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as exc:
            self._report_not_opened(exc, **({} if protocol is None else {"protocol": protocol}))
        finally:
            if self._crew is not None:
                self._crew.arrived(server, sock)

    def _handshake_ended(
        self,
        transport: asyncio.Transport,
        protocol: asyncio.BaseProtocol,
        waiter: asyncio.Future[None],
    ) -> None:
        """In debug mode."""
        exc = waiter.exception()
        if exc is not None:
            transport.close()
            self._report_not_opened(exc, protocol=protocol, transport=transport)

    def _report_not_opened(self, exc: BaseException, **more: Any) -> None:
        if self._debug:
            message = "Error on transport creation for incoming connection"
            self.call_exception_handler({"message": message, "exception": exc, **more})

    async def shutdown_asyncgens(self) -> None:
        """Ends asynchronous generators, and handshakes of accepted connections."""
        for transport in list(self._transports.values()):
            if _is_accepted_in_handshake(transport.get_protocol()):
                transport.abort()
        await super().shutdown_asyncgens()


def if_given(context: Context | None) -> dict[str, Context]:
    """An argument that the standard library's methods have from 3.15 on."""
    return {} if context is None else {"context": context}


def _is_accepted_in_handshake(protocol: Any) -> bool:
    is_tls = isinstance(protocol, sslproto.SSLProtocol)
    return is_tls and protocol._server_side and protocol._state in _EARLY


def _is_usual(listener: socket.socket) -> bool:
    """Whether Java accepts as its own method would."""
    return (
        is_plain(listener)
        and socket.socket is PlainSocket  # of which its accept() makes the connection
        and listener.gettimeout() == 0
        and _family(listener) in ADDRESS_FAMILIES
    )
