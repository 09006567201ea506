"""Connections whose data tells where it comes from."""

import asyncio
import socket
import tempfile
from typing import Any

FILE_SIZE = 400_000  # more than a Unix socket takes


class WrongByte(BaseException):
    """Data of another connection."""


class End:
    """One end of a connection: a socket, and what comes and goes there."""

    def __init__(self, sock: socket.socket, sends: int, receives: int, is_stream: bool) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.sends = sends
        self.receives = receives
        self.is_stream = is_stream
        self.transport: Any = None
        self.tasks: set[asyncio.Task[Any]] = set()
        self.is_duplicated = False
        self.sends_file = False
        self.turns_closed = 0  # of the loop, as far as they were counted

    def data(self, size: int) -> bytes:
        return bytes([self.sends]) * size

    def check(self, data: bytes | bytearray | memoryview) -> None:
        if data and set(data) != {self.receives}:
            raise WrongByte(f"{self.receives} expected, {sorted(set(data))} received by {self}")

    @property
    def is_closed(self) -> bool:
        return self.sock.fileno() < 0

    def __repr__(self) -> str:
        return f"<End {self.sock.fileno()} sends {self.sends} transport={self.transport!r}>"


def is_usual(exc: BaseException | None) -> bool:
    """Whether asyncio says so of what is closed, ended or in use."""
    said = ("used by transport", "write_eof", "sendfile", "closing", "reading should be paused")
    return isinstance(exc, OSError) or any(text in str(exc) for text in said)


def datagram_pair() -> tuple[socket.socket, socket.socket]:
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    two = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind(("127.0.0.1", 0))
    two.bind(("127.0.0.1", 0))
    one.connect(two.getsockname())
    two.connect(one.getsockname())
    return one, two


class Files:
    """A file of the data that an end sends."""

    def __init__(self) -> None:
        self._files: dict[int, Any] = {}

    def of(self, end: End) -> Any:
        """Made once, and closed with this."""
        file = self._files.get(end.sends)
        if file is None:
            file = self._files[end.sends] = tempfile.TemporaryFile()  # noqa: SIM115
            file.write(end.data(FILE_SIZE))
            file.flush()
        return file

    def close(self) -> None:
        """Of all."""
        for file in self._files.values():
            file.close()
