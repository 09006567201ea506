"""``sock_recv``, ``sock_sendall``, ``sock_recvfrom``, ``sock_sendto`` and their siblings, by Java.

A socket is adopted at its first operation. What Java can't work with (a look-alike, a subclass) and
what it doesn't take (wrong arguments, a closed socket, that of a transport) is left to the standard
library's methods of the same names, over ``add_reader`` and ``add_writer``: they know what to do or
to raise.

An operation that has to wait is tried again by its own task, when the poller has told that it is
worth it. So whoever is cancelled before has taken nothing from the socket.
"""

from __future__ import annotations

import asyncio
import errno
import io
import os
import sys
import weakref
from asyncio import base_events
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .plain_sockets import is_plain

if TYPE_CHECKING:
    import socket

# Of Linux; what other systems call so takes other arguments.
_HAS_SENDFILE = sys.platform == "linux"

_TO_THE_END = 1 << 62  # more bytes than any file has

_NO_ROOM = {-errno.EAGAIN, -errno.EINTR}

# Newer versions of asyncio set a file's position also where there was nothing to send.
_MOVES_WITHOUT_SENDING = (
    asyncio.SelectorEventLoop._sock_sendfile_update_filepos.__code__.co_argcount == 3  # type: ignore[attr-defined]  # noqa: PLR2004  # self, fileno, offset
)


class SocketOperations(asyncio.SelectorEventLoop):
    """The part of the loop that works on sockets which their users keep."""

    __slots__ = ()

    if TYPE_CHECKING:
        _debug: bool
        _ensure_fd_no_transport: Callable[[int | socket.socket], None]
        # Made by Java; each of those that follow answers False for a socket that was not adopted,
        # None for what is left to the standard library, and a future where there is nothing to do
        # yet: when that is done it is worth trying again.
        _sock_adopt: Callable[[socket.socket, int, int, weakref.ref[socket.socket]], bool]
        _sock_receive: Callable[[socket.socket, int], Any]
        _sock_receive_into: Callable[[socket.socket, Any], Any]
        _sock_receive_from: Callable[[socket.socket, int], Any]
        _sock_receive_from_into: Callable[[socket.socket, Any, int], Any]
        _sock_send_to: Callable[[socket.socket, Any, Any], Any]
        # How many bytes, or -errno; or a future of that, and what comes of one that was given up
        _sock_send_file: Callable[[socket.socket, int, int, int], Any]
        _sock_await_block: Callable[[asyncio.Future[int]], int]
        # From an index on; True if all is sent, or else up to where
        _sock_send: Callable[[socket.socket, Any, int], Any]
        _sock_await_writable: Callable[[socket.socket], Any]

    async def sock_recv(self, sock: socket.socket, n: int) -> bytes:
        """Receives up to ``n`` bytes."""
        if self._debug:
            _check(sock)
        while type(answer := self._sock_receive(sock, n)) is not bytes:
            if answer:
                await answer
            elif answer is None or not self._adopt(sock):
                return await super().sock_recv(sock, n)
        return answer

    async def sock_recv_into(self, sock: socket.socket, buf: Any) -> int:
        """Receives into a buffer and returns how many bytes."""
        if self._debug:
            _check(sock)
        while type(answer := self._sock_receive_into(sock, buf)) is not int:
            if answer:
                await answer
            elif answer is None or not self._adopt(sock):
                return await super().sock_recv_into(sock, buf)
        return answer

    async def sock_sendall(self, sock: socket.socket, data: Any) -> None:
        """Sends all of ``data``."""
        if self._debug:
            _check(sock)
        sent = 0
        while (answer := self._sock_send(sock, data, sent)) is not True:
            if type(answer) is int:
                sent = answer
                with memoryview(data):  # which nobody resizes while it waits, as in asyncio
                    await self._sock_await_writable(sock)
            elif answer is None or not self._adopt(sock):
                rest = memoryview(data).cast("B")[sent:] if sent else data
                return await super().sock_sendall(sock, rest)
        return None

    async def sock_recvfrom(self, sock: socket.socket, bufsize: int) -> tuple[bytes, Any]:
        """Receives a datagram of up to ``bufsize`` bytes, and the address it came from."""
        if self._debug:
            _check(sock)
        while type(answer := self._sock_receive_from(sock, bufsize)) is not tuple:
            if answer:
                await answer
            elif answer is None or not self._adopt(sock):
                return await super().sock_recvfrom(sock, bufsize)
        return answer

    async def sock_recvfrom_into(
        self, sock: socket.socket, buf: Any, nbytes: int = 0
    ) -> tuple[int, Any]:
        """Receives a datagram into a buffer; returns its size and the address it came from."""
        if self._debug:
            _check(sock)
        size = nbytes or len(buf)
        while type(answer := self._sock_receive_from_into(sock, buf, size)) is not tuple:
            if answer:
                await answer
            elif answer is None or not self._adopt(sock):
                return await super().sock_recvfrom_into(sock, buf, nbytes)
        return answer

    async def sock_sendto(self, sock: socket.socket, data: Any, address: Any) -> int:
        """Sends a datagram and returns how many bytes."""
        if self._debug:
            _check(sock)
        while type(answer := self._sock_send_to(sock, data, address)) is not int:
            if answer:
                await answer
            elif answer is None or not self._adopt(sock):
                return await super().sock_sendto(sock, data, address)
        return answer

    def _sock_accept(self, fut: asyncio.Future[Any], sock: socket.socket) -> None:
        """As asyncio in its newest versions: for a future that was cancelled it accepts nobody."""
        if not fut.done():
            super()._sock_accept(fut, sock)  # type: ignore[misc]

    async def _sock_sendfile_native(
        self, sock: socket.socket, file: Any, offset: int, count: int | None
    ) -> int:
        """What ``sock_sendfile`` and ``sendfile`` try first; moves the file's position along."""
        try:
            fd = file.fileno()
            size = os.fstat(fd).st_size
        except (AttributeError, io.UnsupportedOperation, OSError):
            raise asyncio.SendfileNotAvailableError("not a regular file") from None
        if not count and not size:
            return 0
        most = count or _TO_THE_END
        if not (_HAS_SENDFILE and max(offset, most) <= _TO_THE_END and self._adopt(sock)):
            native = super()._sock_sendfile_native  # type: ignore[misc]
            return await native(sock, file, offset, count)  # type: ignore[no-any-return]
        return await self._send_file(sock, fd, offset, most, size)

    async def _send_file(
        self, sock: socket.socket, fd: int, offset: int, most: int, size: int
    ) -> int:
        sent = 0
        block: Any = 0  # a future while another thread sends
        try:
            while sent < most:
                block = self._sock_send_file(
                    sock, fd, offset + sent, min(most - sent, size or most)
                )
                answer = block if type(block) is int else await _unless_closed(block)
                block = 0
                if answer == 0:
                    break
                if answer > 0:
                    sent += answer
                elif answer not in _NO_ROOM:
                    raise OSError(-answer, os.strerror(-answer))
                if sent < most:
                    await _unless_closed(self._sock_await_writable(sock))
        except asyncio.CancelledError:
            if block:
                sent += max(self._answer_of(block), 0)
            os.lseek(fd, offset + sent, os.SEEK_SET)
            raise
        except OSError as exc:
            if not sent:  # not a file that the kernel can send from, most likely
                raise asyncio.SendfileNotAvailableError("os.sendfile call failed") from exc
            os.lseek(fd, offset + sent, os.SEEK_SET)
            if exc.errno == errno.ENOTCONN:
                raise ConnectionError("socket is not connected", errno.ENOTCONN) from exc
            raise
        if sent or _MOVES_WITHOUT_SENDING:
            os.lseek(fd, offset + sent, os.SEEK_SET)
        return sent

    def _answer_of(self, block: asyncio.Future[int]) -> int:
        """What the kernel answers, perhaps to a task that has been cancelled meanwhile."""
        if block.done() and not block.cancelled():
            return block.result()
        return self._sock_await_block(block)

    def _adopt(self, sock: socket.socket) -> bool:
        """Returns whether Java can work with the socket; else asyncio's way says what is wrong."""
        if not is_plain(sock):
            return False
        fd = sock.fileno()
        if fd < 0:
            return False
        try:
            self._ensure_fd_no_transport(fd)
        except RuntimeError:
            return False
        return self._sock_adopt(sock, fd, sock.family, weakref.ref(sock))


def _unless_closed(answer: Any) -> Any:
    """The future, unless the socket was closed in the meantime."""
    if answer is False:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    return answer


def _check(sock: socket.socket) -> None:
    """What debug mode checks, after what is checked in any mode."""
    base_events._check_ssl_socket(sock)  # type: ignore[attr-defined]
    if sock.gettimeout() != 0:
        raise ValueError("the socket must be non-blocking")
