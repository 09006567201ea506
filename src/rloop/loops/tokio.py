"""``TokioLoop``: one loop, several threads."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING

from rloop.java import settings

from .rloop import RLoop

if TYPE_CHECKING:
    import ssl

# rloop.loop.Lending of Java.
_LENDING = {"busy": "WHEN_BUSY", "always": "ALWAYS"}


class TokioLoop(RLoop):
    """An asyncio event loop whose I/O threads of Java's do while it runs Python.

    A loop that isn't busy does its I/O itself, as ``RLoop`` does.
    """

    __slots__ = ()

    if TYPE_CHECKING:
        # Made by Java: takes the I/O home, and lends it again when all who hold it let go
        _hold_io: Callable[[bool], None]

    def __init__(self, io_threads: int | None = None) -> None:
        """Starts Java in the process's first loop, and the I/O threads.

        ``io_threads`` is how many, which share the loop's connections out among them; by default
        what ``RLOOP_IO_THREADS`` says, or half the cores that the process may use.

        Raises ``ValueError`` if that is not a number from 1 to 64.
        """
        self._lending = _LENDING[settings.lend()]
        self._io_threads = settings.io_threads() if io_threads is None else _checked(io_threads)
        super().__init__()

    def _guard_ssl(self, ssl_object: ssl.SSLObject) -> None:
        from rloop.transports.guarded_ssl import guard  # noqa: PLC0415  # for the first TLS

        guard(ssl_object, self._hold_io)


def _checked(io_threads: int) -> int:
    number = operator.index(io_threads)
    if not 1 <= number <= settings.MOST_IO_THREADS:
        raise ValueError(
            f"io_threads is {number}: expected a number from 1 to {settings.MOST_IO_THREADS}"
        )
    return number
