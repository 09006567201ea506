"""Connections of a server on their way to the worker where they are at home."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .guards import guard_of

if TYPE_CHECKING:
    from .crew import Worker


class Served:
    """A server, for one of its connections.

    From when that is accepted this stands in its transport's place among the server's clients,
    which a server has from 3.13 on. So whoever closes the server meanwhile waits for the
    connection, and it can be closed with the others. The worker counts it from then on.
    """

    def __init__(self, server: Any, worker: Worker) -> None:
        """To be called where it was accepted."""
        self._server = server
        self.worker = worker
        self._transport: Any = None
        self._ending: str | None = None
        server._attach(self)

    def _attach(self, transport: Any) -> None:
        # It isn't open yet, and so no client that others may close.
        self._transport = transport

    def _detach(self, transport: Any) -> None:
        if self._transport is None:
            self.worker.load -= 1
        self._transport = None
        self._server._detach(transport)

    def arrive(self) -> bool:
        """Whether there is a transport by now, which then takes this one's place."""
        with guard_of(self._server):
            transport = self._transport
            if transport is not None:
                self._server._clients.add(transport)
            self._server._detach(self)
        if transport is not None and self._ending is not None:
            self.worker._loop.call_soon(getattr(transport, self._ending))
        self._transport = None  # which refers to this one
        return transport is not None

    # What a server asks of its clients.

    def close(self) -> None:
        """Has the transport closed as soon as there is one."""
        self._ending = self._ending or "close"

    def abort(self) -> None:
        """Has the transport aborted as soon as there is one."""
        self._ending = "abort"
