"""``TokioLoop``: one loop, several threads."""

from __future__ import annotations

import os

from .rloop import RLoop


class TokioLoop(RLoop):
    """An asyncio event loop whose I/O is done by threads of Java's while it runs Python.

    A loop that isn't busy does its I/O itself, as ``RLoop`` does.
    """

    __slots__ = ()

    def __init__(self, io_threads: int | None = None) -> None:
        """Starts Java in the process's first loop."""
        self._lending = "ALWAYS" if os.environ.get("RLOOP_LEND") == "always" else "WHEN_BUSY"
        super().__init__()
