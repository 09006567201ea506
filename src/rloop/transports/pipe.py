"""Transports over one end of a pipe, over ``rloop.transport.PipeConnection`` of Java.

As the standard library's ``_UnixReadPipeTransport`` and ``_UnixWritePipeTransport``, which stay for
what else counts as a pipe: terminals, sockets, FIFOs opened for both directions. Of those several
transports may share a descriptor, and then its registration with the poller.
"""

from __future__ import annotations

import asyncio
import fcntl
import io
import os
import stat
from asyncio import constants
from asyncio.log import logger
from typing import TYPE_CHECKING, Any

from .base import BaseTransport, contiguous_view

if TYPE_CHECKING:
    from .loop import TransportLoop


def is_one_way(pipe: Any) -> bool:
    """Whether a file is one end of a pipe, which the transports here are for."""
    fd = pipe.fileno()
    both_ways = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDWR
    return stat.S_ISFIFO(os.fstat(fd).st_mode) and not both_ways


def _numbered_file(pipe: Any) -> io.FileIO | None:
    """The object that a buffered file is made of; it knows when it is closed."""
    raw = getattr(pipe, "raw", pipe)
    return raw if isinstance(raw, io.FileIO) else None


class PipeTransport(BaseTransport):
    """Does not block on its pipe, and closes it."""

    _writes = False

    def __init__(
        self,
        loop: TransportLoop,
        pipe: Any,
        protocol: asyncio.BaseProtocol,
        waiter: asyncio.Future[None] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        """The loop's answer to ``connect_read_pipe`` or ``connect_write_pipe``."""
        os.set_blocking(pipe.fileno(), False)
        super().__init__(loop, pipe, protocol, waiter, {**(extra or {}), "pipe": pipe})

    def _open_channel(self) -> None:
        self._open_pipe(
            self._loop, self._fd, _numbered_file(self._file), self._given_context, self._writes
        )

    def _end_of_file(self) -> None:
        if self._loop.get_debug():
            logger.info("%r was closed by peer", self)


class ReadPipeTransport(PipeTransport):
    """What ``connect_read_pipe`` gives to a protocol."""

    def _describe(self) -> list[str]:
        return ["polling" if self.is_reading() else "idle"]

    # ---- calls that Java puts into a batch -------------------------------------------------------

    def _deliver_held(self) -> None:
        data = self._take_held()
        if data is not None:
            self._protocol.data_received(data)

    def _delivery_failed(self, exc: BaseException) -> None:
        """Reading goes on: for asyncio a callback like others has failed."""
        self._report(f"Exception in callback {self._protocol.data_received!r}", exc)

    def _end_of_file(self) -> None:
        super()._end_of_file()
        self._call_soon(self._protocol.eof_received)
        self.close()

    def _read_failed(self, number: int) -> None:
        error = OSError(number, os.strerror(number))
        self._report("Fatal read error on pipe transport", error)
        self._force_close(error)


class WritePipeTransport(PipeTransport):
    """What ``connect_write_pipe`` gives to a protocol."""

    _writes = True

    # Not what it is for.
    is_reading = asyncio.ReadTransport.is_reading
    pause_reading = asyncio.ReadTransport.pause_reading
    resume_reading = asyncio.ReadTransport.resume_reading

    def _describe(self) -> list[str]:
        size = self.get_write_buffer_size()
        return ["polling" if size else "idle", f"bufsize={size}"]

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Sends data, or queues it until the pipe has room."""
        answer = self._write(data)
        if answer:
            self._pause_writing()
        elif answer is False:
            self._write_unusual(data)

    def _write_unusual(self, data: bytes | bytearray | memoryview) -> None:
        assert isinstance(data, (bytes, bytearray, memoryview)), repr(data)
        if not data:
            return
        try:
            whole = bytes(contiguous_view(data))
        except BufferError as exc:
            if not self.is_closing():
                self._lost_writes += 1
                self._fatal_error(exc, "Fatal write error on pipe transport")
            return
        if self._write(whole) is False:
            if self._lost_writes >= constants.LOG_THRESHOLD_FOR_CONNLOST_WRITES:
                logger.warning("pipe closed by peer or os.write(pipe, data) raised exception.")
            self._lost_writes += 1

    def can_write_eof(self) -> bool:
        """It is to close the pipe."""
        return True

    def write_eof(self) -> None:
        """Closes the transport when all that was written is sent."""
        self.close()

    # ---- calls that Java puts into a batch -------------------------------------------------------

    def _end_of_file(self) -> None:
        """Nobody reads any more, and nothing waits to be read."""
        super()._end_of_file()
        self._force_close(None)

    def _read_failed(self, _: int) -> None:
        """Nobody reads any more what waits to be read."""
        self._force_close(BrokenPipeError())

    def _write_failed(self, number: int) -> None:
        self._lost_writes += 1
        error = OSError(number, os.strerror(number))
        self._fatal_error(error, "Fatal write error on pipe transport")
