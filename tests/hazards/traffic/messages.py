"""Messages that tell what is wrong: each has its number and a checksum."""

import random
import struct
import zlib

_HEADER = struct.Struct("!III")  # number, length of the text, checksum

# Where the texts are taken from.
_TEXT = random.Random(1).randbytes(1 << 20)

_SMALL, _LARGE = 200, 200_000
_LARGE_ONES = 0.01  # the part of them


class Wrong(AssertionError):
    """A message that is lost, doubled, out of order, or changed."""


class Outgoing:
    """The messages that one end sends."""

    def __init__(self, seed: int, count: int) -> None:
        self._random = random.Random(seed)
        self._next = 0
        self._count = count

    @property
    def left(self) -> int:
        return self._count - self._next

    def next(self) -> bytes:
        most = _LARGE if self._random.random() < _LARGE_ONES else _SMALL
        length = self._random.randrange(most)
        start = self._random.randrange(len(_TEXT) - length)
        text = _TEXT[start : start + length]
        header = _HEADER.pack(self._next, length, zlib.crc32(text))
        self._next += 1
        return header + text


class Incoming:
    """The messages that the other end has sent, in pieces as they come."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._received = bytearray()
        self._next = 0

    @property
    def are_complete(self) -> bool:
        return self._next == self._count and not self._received

    def feed(self, piece: bytes | bytearray | memoryview) -> None:
        received = self._received
        received += piece
        start = 0
        while len(received) - start >= _HEADER.size:
            number, length, checksum = _HEADER.unpack_from(received, start)
            if number != self._next or number >= self._count:
                raise Wrong(f"message {number} in the place of {self._next}, of {self._count}")
            end = start + _HEADER.size + length
            if len(received) < end:
                break
            if zlib.crc32(received[start + _HEADER.size : end]) != checksum:
                raise Wrong(f"message {number} was changed")
            self._next += 1
            start = end
        del received[:start]

    def __repr__(self) -> str:
        return f"{self._next} of {self._count} messages and {len(self._received)} bytes"
