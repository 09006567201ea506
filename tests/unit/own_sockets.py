"""Sockets that a program has changed, and a server over them."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from typing import Any

MASK = 0x2A


class Masked(socket.socket):
    """Everything is something else on the wire."""

    def recv(self, *args: Any) -> bytes:
        return mask(super().recv(*args))

    def recv_into(self, buffer: Any, *args: Any) -> int:
        count = super().recv_into(buffer, *args)
        with memoryview(buffer) as view:
            view[:count] = mask(view[:count])
        return count

    def recvfrom(self, *args: Any) -> tuple[bytes, Any]:
        data, address = super().recvfrom(*args)
        return mask(data), address

    def recvfrom_into(self, buffer: Any, *args: Any) -> tuple[int, Any]:
        count, address = super().recvfrom_into(buffer, *args)
        with memoryview(buffer) as view:
            view[:count] = mask(view[:count])
        return count, address

    def send(self, data: Any, *args: Any) -> int:
        return super().send(mask(data), *args)

    def sendto(self, data: Any, *args: Any) -> int:
        return super().sendto(mask(data), *args)

    def sendmsg(self, buffers: Any, *args: Any) -> int:
        return super().sendmsg([mask(buffer) for buffer in buffers], *args)

    def accept(self) -> tuple[socket.socket, Any]:
        fd, address = self._accept()  # type: ignore[attr-defined]
        return Masked(self.family, self.type, self.proto, fd), address


def mask(data: Any) -> bytes:
    return bytes(byte ^ MASK for byte in bytes(data))


@contextlib.asynccontextmanager
async def echo_server(
    listener: socket.socket, context: ssl.SSLContext | None = None
) -> AsyncIterator[None]:
    """Runs until its connections have ended as well."""
    echoes: list[asyncio.Task[None] | None] = []

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        echoes.append(asyncio.current_task())
        while data := await reader.read(1000):
            writer.write(data)
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(echo, sock=listener, ssl=context):
        yield
        await asyncio.gather(*filter(None, echoes))


def masked_listener() -> socket.socket:
    plain = socket.create_server(("127.0.0.1", 0))
    return Masked(plain.family, plain.type, plain.proto, plain.detach())
