"""What a transport needs of its loop, whichever of ours that is."""

from __future__ import annotations

import asyncio
import ssl
from asyncio import sslproto
from collections.abc import Callable
from contextvars import Context
from typing import Any, Protocol


class TransportLoop(Protocol):
    """Methods mean what asyncio's of that name do; each is called on the loop's own thread."""

    _transports: Any  # by descriptor, a weakref.WeakValueDictionary as asyncio has it
    _crew: Any  # of the workers, where there are several

    def call_soon(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """Schedules a callback."""

    def call_exception_handler(self, context: Any) -> None:
        """Reports an error that nobody waits for."""

    def _guard_ssl(self, ssl_object: ssl.SSLObject) -> None:
        """Has a program's use of an object wait for that of other threads of the loop."""

    def _adopt_tls(self, protocol: sslproto.SSLProtocol) -> None:
        """Has Java move the ciphertext of a protocol that is the standard library's so far."""

    def create_future(self) -> asyncio.Future[Any]:
        """A future of this loop."""

    def get_debug(self) -> bool:
        """Whether transports log what happens to them."""

    def is_closed(self) -> bool:
        """Whether it is closed: Java then no longer knows its transports."""
