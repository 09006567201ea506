"""The transport over a TLS connection: Java does its part of the work, or the standard library."""

from __future__ import annotations

from asyncio import sslproto
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .stream import Data, SocketTransport
    from .tls import SSLProtocol


class SSLTransport(sslproto._SSLProtocolTransport):
    """What the application's protocol gets."""

    _native: SocketTransport | None = None

    if TYPE_CHECKING:
        _ssl_protocol: SSLProtocol
        _closed: bool

    def write(self, data: Data) -> None:
        """Queues data; what a batch of callbacks writes becomes full records when it is over."""
        native = self._native
        if native is None:
            self._write_by_python(data)
            return
        answer = native._write_tls(data)
        if answer is not None:
            if answer:
                self._ssl_protocol._control_app_writing()
            else:
                self._write_by_python(data)

    def _write_by_python(self, data: Data) -> None:
        if self._is_elsewhere() and isinstance(data, (bytes, bytearray, memoryview)):
            self._at_home(self._ssl_protocol._write_appdata, (bytes(data),))  # it may change
        else:
            super().write(data)

    def writelines(self, list_of_data: Iterable[Data]) -> None:
        """Queues several pieces of data."""
        if self._is_elsewhere():
            for data in list_of_data:
                self.write(data)
        else:
            super().writelines(list_of_data)

    def close(self) -> None:
        """Shuts TLS down when all that was written is sent, then calls ``connection_lost``."""
        if self._is_elsewhere() and not self._closed:
            self._closed = True
            self._at_home(self._ssl_protocol._start_shutdown)
        else:
            super().close()

    def _force_close(self, exc: BaseException | None) -> None:
        self._closed = True
        if self._ssl_protocol is not None:
            self._at_home(self._ssl_protocol._abort, exc)

    def pause_reading(self) -> None:
        """Stops delivering."""
        self._at_home(self._ssl_protocol._pause_reading)

    def resume_reading(self) -> None:
        """Delivers what was held back, and reads on."""
        self._at_home(self._ssl_protocol._resume_reading)

    def _is_elsewhere(self) -> bool:
        return self._ssl_protocol is not None and self._ssl_protocol._is_elsewhere()

    def _at_home(self, method: Callable[..., object], *args: Any) -> None:
        """Calls a method of the protocol's, on the worker where the connection is at home.

        Not one of this transport's: who closes it again detaches it from the protocol.
        """
        if self._is_elsewhere():
            self._ssl_protocol._transport._call_soon(method, *args)
        else:
            method(*args)

    def get_write_buffer_size(self) -> int:
        """How many bytes the kernel has not taken."""
        if self._native is not None:
            self._native.get_write_buffer_size()  # which sends what it can
        return super().get_write_buffer_size()
