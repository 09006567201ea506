"""``sock_recv``, ``sock_sendall``, ``sock_recvfrom``, ``sock_sendto`` and their siblings, by Java.

A socket is adopted at its first operation; what Java can't work with (a look-alike) is left to the
standard library, over ``add_reader`` and ``add_writer``.
"""

from __future__ import annotations

import asyncio
import errno
import io
import os
import socket
import weakref
from asyncio import base_events
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

_TO_THE_END = 1 << 62  # more bytes than any file has

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
        # Made by Java; each answers False for a socket that was not adopted.
        _sock_adopt: Callable[[socket.socket, int, int, weakref.ref[socket.socket]], bool]
        _sock_receive: Callable[[socket.socket, int], Any]
        _sock_receive_into: Callable[[socket.socket, Any], Any]
        _sock_send_all: Callable[[socket.socket, Any], Any]
        # These answer None for what is left to the standard library.
        _sock_receive_from: Callable[[socket.socket, int], Any]
        _sock_receive_from_into: Callable[[socket.socket, Any, int], Any]
        _sock_send_to: Callable[[socket.socket, Any, Any], Any]
        # (how many bytes were sent, error number or 0)
        _sock_send_file: Callable[[socket.socket, int, int, int], Any]
        # How many bytes so far, by the last of those
        _sock_file_sent: Callable[[socket.socket], int]

    async def sock_recv(self, sock: socket.socket, n: int) -> bytes:
        """Receives up to ``n`` bytes."""
        if self._debug:
            _require_non_blocking(sock)
        answer = self._sock_receive(sock, n)
        if answer is False:
            if not self._adopt(sock):
                return await super().sock_recv(sock, n)
            answer = self._sock_receive(sock, n)
        return answer if type(answer) is bytes else await answer

    async def sock_recv_into(self, sock: socket.socket, buf: Any) -> int:
        """Receives into a buffer and returns how many bytes."""
        if self._debug:
            _require_non_blocking(sock)
        answer = self._sock_receive_into(sock, buf)
        if answer is False:
            if not self._adopt(sock):
                return await super().sock_recv_into(sock, buf)
            answer = self._sock_receive_into(sock, buf)
        return answer if type(answer) is int else await answer

    async def sock_sendall(self, sock: socket.socket, data: Any) -> None:
        """Sends all of ``data``."""
        if self._debug:
            _require_non_blocking(sock)
        waiting = self._sock_send_all(sock, data)
        if waiting is False:
            if not self._adopt(sock):
                return await super().sock_sendall(sock, data)
            waiting = self._sock_send_all(sock, data)
        if waiting is not None:
            await waiting

    async def sock_recvfrom(self, sock: socket.socket, bufsize: int) -> tuple[bytes, Any]:
        """Receives a datagram of up to ``bufsize`` bytes, and the address it came from."""
        if self._debug:
            _require_non_blocking(sock)
        answer = self._sock_receive_from(sock, bufsize)
        if answer is False and self._adopt(sock):
            answer = self._sock_receive_from(sock, bufsize)
        if not answer:
            return await super().sock_recvfrom(sock, bufsize)
        return answer if type(answer) is tuple else await answer

    async def sock_recvfrom_into(
        self, sock: socket.socket, buf: Any, nbytes: int = 0
    ) -> tuple[int, Any]:
        """Receives a datagram into a buffer; returns its size and the address it came from."""
        if self._debug:
            _require_non_blocking(sock)
        answer = self._sock_receive_from_into(sock, buf, nbytes)
        if answer is False and self._adopt(sock):
            answer = self._sock_receive_from_into(sock, buf, nbytes)
        if not answer:
            return await super().sock_recvfrom_into(sock, buf, nbytes)
        return answer if type(answer) is tuple else await answer

    async def sock_sendto(self, sock: socket.socket, data: Any, address: Any) -> int:
        """Sends a datagram and returns how many bytes."""
        if self._debug:
            _require_non_blocking(sock)
        answer = self._sock_send_to(sock, data, address)
        if answer is False and self._adopt(sock):
            answer = self._sock_send_to(sock, data, address)
        if answer is None or answer is False:
            return await super().sock_sendto(sock, data, address)
        return answer if type(answer) is int else await answer

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
        answer = self._sock_send_file(sock, fd, offset, most)
        if answer is False and self._adopt(sock):
            answer = self._sock_send_file(sock, fd, offset, most)
        if not answer:
            native = super()._sock_sendfile_native  # type: ignore[misc]
            return await native(sock, file, offset, count)  # type: ignore[no-any-return]
        sent: int
        error: int
        try:
            sent, error = answer if type(answer) is tuple else await answer
        except asyncio.CancelledError:
            os.lseek(fd, offset + self._sock_file_sent(sock), os.SEEK_SET)
            raise
        if sent or (_MOVES_WITHOUT_SENDING and not error):
            os.lseek(fd, offset + sent, os.SEEK_SET)
        if error:
            _raise_sendfile_error(sent, error)
        return sent

    def _adopt(self, sock: socket.socket) -> bool:
        """Returns whether Java can work with the socket; raises what an operation on it would."""
        base_events._check_ssl_socket(sock)  # type: ignore[attr-defined]
        if not issubclass(type(sock), socket.socket):  # isinstance() believes what a mock says
            return False
        fd = sock.fileno()
        if fd < 0:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        self._ensure_fd_no_transport(fd)
        return self._sock_adopt(sock, fd, sock.family, weakref.ref(sock))


def _raise_sendfile_error(sent: int, error: int) -> NoReturn:
    if not sent:  # not a file that the kernel can send from, most likely
        raise asyncio.SendfileNotAvailableError("os.sendfile call failed")
    if error == errno.ENOTCONN:
        raise ConnectionError("socket is not connected", errno.ENOTCONN)
    raise OSError(error, os.strerror(error))


def _require_non_blocking(sock: socket.socket) -> None:
    if sock.gettimeout() != 0:
        raise ValueError("the socket must be non-blocking")
