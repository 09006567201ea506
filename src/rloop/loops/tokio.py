"""``TokioLoop``: one loop, several threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rloop.java import settings

from .rloop import RLoop

if TYPE_CHECKING:
    import ssl

# rloop.loop.Lending of Java.
_LENDING = {"busy": "WHEN_BUSY", "always": "ALWAYS"}


class TokioLoop(RLoop):
    """An asyncio event loop whose I/O a thread of Java's does while it runs Python.

    A loop that isn't busy does its I/O itself, as ``RLoop`` does. Young: there is one such thread
    for each loop.
    """

    __slots__ = ()

    _io_threads = 1

    if TYPE_CHECKING:
        # Made by Java: takes the I/O home, and lends it again when all who hold it let go
        _hold_io: Callable[[bool], None]

    def __init__(self) -> None:
        """Starts Java in the process's first loop."""
        self._lending = _LENDING[settings.lend()]
        super().__init__()

    def _guard_ssl(self, ssl_object: ssl.SSLObject) -> None:
        from rloop.transports.guarded_ssl import guard  # noqa: PLC0415  # for the first TLS

        guard(ssl_object, self._hold_io)
