"""What transports have in common: their life, their protocol, flow control.

Java reads, sends and knows the state (``rloop.transport.TransportChannel``); here is what calls the
protocol. Methods of the protocol run with no Java frame on the stack: Java either puts a call into
the loop's next batch, or answers a method here what is left to do.
"""

from __future__ import annotations

import asyncio
import sys
import warnings
from asyncio import futures
from asyncio.log import logger
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING, Any

from rloop import _core
from rloop.java import fork

if TYPE_CHECKING:
    from .loop import TransportLoop

_core.add_transport()
fork.forbid_methods_in_children(_core.Transport)

# Has data in place of a protocol that is None: it has no methods either.
NOBODY = object()


def whole_bytes(limit: float) -> int:
    """A water mark as Java takes it: what it is compared with is whole, and less than the most."""
    return int(min(limit, sys.maxsize))


def contiguous_view(data: bytes | bytearray | memoryview) -> memoryview:
    """Of what is to be sent; refuses what the kernel can't be given, in Python's words."""
    view = memoryview(data)
    if not view.c_contiguous:
        raise BufferError("memoryview: underlying buffer is not C-contiguous")
    return view


class BaseTransport(_core.Transport):
    """Over a socket or a pipe that its kind of channel is opened for.

    To open and to close one takes few calls of Python's: servers of short connections do little
    else.
    """

    _file: Any = None  # until it is closed; for __del__ after a failed __init__
    _protocol_paused = False
    _lost_writes = 0
    _follows_users = False  # to whatever worker writes to it

    def __init__(
        self,
        loop: TransportLoop,
        file: Any,
        protocol: asyncio.BaseProtocol,
        waiter: asyncio.Future[None] | None,
        extra: dict[str, Any],
        context: Context | None = None,
    ) -> None:
        """Schedules ``connection_made``, then reading, then the waiter's result.

        Everything runs in the ``context``, which is given from 3.15 on, or says where the transport
        is at home; else each call in a copy of the context in which it was scheduled.
        """
        # What the standard library's __init__ does, but for water marks, which Java keeps.
        self._extra = extra
        self._loop: TransportLoop = loop
        self._file = file
        self._fd: int = file.fileno()
        if loop._crew is not None:
            context = loop._crew.transport_context(context, self._follows_users)
        self._given_context = context
        try:
            self._open_channel()
        except BaseException:  # the loop is closed
            self._close_file()
            raise
        self.set_protocol(protocol)

        loop.call_soon(protocol.connection_made, self, context=context)
        loop.call_soon(self._start_reading, context=context)
        if waiter is not None:
            set_result = futures._set_result_unless_cancelled  # type: ignore[attr-defined]
            loop.call_soon(set_result, waiter, None, context=context)

    def _call_soon(self, callback: Callable[..., object], *args: Any) -> None:
        self._loop.call_soon(callback, *args, context=self._given_context)

    def _open_channel(self) -> None:
        """Has Java make the channel; each kind of transport has its own."""
        raise NotImplementedError

    def __repr__(self) -> str:
        info = [self.__class__.__name__]
        is_in_use = self._loop is not None and not self._loop.is_closed() and not fork.is_child()
        if self._file is None:
            info.append("closed")
        elif is_in_use and self.is_closing():
            info.append("closing")
        info.append(f"fd={self._fd}")
        if is_in_use:
            info += self._describe()
        elif self._file is not None:
            info.append("open")
        return f"<{' '.join(info)}>"

    def _describe(self) -> list[str]:
        """What ``repr`` says of a transport that is in use."""
        raise NotImplementedError

    def __del__(self, _warn: Any = warnings.warn) -> None:
        if self._file is not None:
            _warn(f"unclosed transport {self!r}", ResourceWarning, source=self)
            if not fork.is_child():
                self._dispose()
            self._close_file()

    # ---- protocol --------------------------------------------------------------------------------

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Data goes to this protocol from now on, data that was read before included."""
        self._protocol: Any = protocol
        self._set_receiver(NOBODY if protocol is None else protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The protocol that gets the data."""
        return self._protocol  # type: ignore[no-any-return]

    # ---- flow control ----------------------------------------------------------------------------

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Sets the water marks, in bytes; raises ValueError unless high >= low >= 0."""
        if high is None:
            high = 64 * 1024 if low is None else 4 * low
        if low is None:
            low = high // 4
        if not high >= low >= 0:
            raise ValueError(f"high ({high!r}) must be >= low ({low!r}) must be >= 0")
        if self._set_water_marks(whole_bytes(high), whole_bytes(low)):
            self._pause_writing()

    def _pause_writing(self) -> None:
        self._protocol_paused = True
        self._call_flow_control("pause_writing")

    def _resume_writing(self) -> None:
        if self._resumes():
            self._protocol_paused = False
            self._call_flow_control("resume_writing")

    def _call_flow_control(self, method: str) -> None:
        if self._protocol is None:
            return
        try:
            getattr(self._protocol, method)()
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as exc:
            self._report(f"protocol.{method}() failed", exc)

    # ---- the end ---------------------------------------------------------------------------------

    def close(self) -> None:
        """Reads no more, sends what is queued, then calls ``connection_lost(None)``."""
        if self._close():
            self._loop.call_soon(self._call_connection_lost, None, context=self._given_context)

    def abort(self) -> None:
        """Drops what is queued and calls ``connection_lost(None)`` soon."""
        self._force_close(None)

    def _fatal_error(self, exc: BaseException, message: str = "Fatal error on transport") -> None:
        if self._loop is None:
            return
        if isinstance(exc, OSError):
            if self._loop.get_debug():
                logger.debug("%r: %s", self, message, exc_info=exc)
        else:
            self._report(message, exc)
        self._force_close(exc)

    def _report(self, message: str, exc: BaseException) -> None:
        self._loop.call_exception_handler(
            {
                "message": message,
                "exception": exc,
                "transport": self,
                "protocol": self._protocol,
            }
        )

    def _force_close(self, exc: BaseException | None) -> None:
        if self._abort():
            self._call_soon(self._call_connection_lost, exc)

    def _call_connection_lost(self, exc: BaseException | None) -> None:
        if self._file is None:
            return
        try:
            self._protocol.connection_lost(exc)
        finally:
            self._dispose()
            self._close_file()
            self._protocol = None
            self._loop = None  # type: ignore[assignment]

    def _close_file(self) -> None:
        self._file.close()
        self._file = None
