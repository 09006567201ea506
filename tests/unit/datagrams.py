"""Datagram endpoints to test, with a protocol that notes what it is told."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.unit.connections import PATIENCE_SECONDS, until

FILLER = b"filler"

HAS_HEADER_SIZE = hasattr(
    asyncio.selector_events._SelectorDatagramTransport,  # type: ignore[attr-defined]
    "_header_size",
)


class Endpoint(asyncio.DatagramProtocol):
    """Notes what its transport calls, in order, and what was received."""

    transport: asyncio.DatagramTransport

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.received: list[tuple[bytes, Any]] = []
        self.errors: list[Exception] = []
        self.lost_with: Exception | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.BaseTransport)
        self.transport = transport  # type: ignore[assignment]
        self.calls.append("connection_made")

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.calls.append("datagram_received")
        self.received.append((data, addr))

    def error_received(self, exc: Exception) -> None:
        self.calls.append("error_received")
        self.errors.append(exc)

    def pause_writing(self) -> None:
        self.calls.append("pause_writing")

    def resume_writing(self) -> None:
        self.calls.append("resume_writing")

    def connection_lost(self, exc: Exception | None) -> None:
        self.calls.append("connection_lost")
        self.lost_with = exc

    @property
    def address(self) -> Any:
        return self.transport.get_extra_info("sockname")

    @property
    def datagrams(self) -> list[bytes]:
        return [data for data, _ in self.received]

    async def until_received(self, count: int) -> None:
        await until(lambda: len(self.received) >= count)

    async def end(self) -> None:
        self.transport.abort()
        await until(lambda: "connection_lost" in self.calls)


async def endpoint(**options: Any) -> Endpoint:
    """Bound to a free port of the loopback interface unless the options say otherwise."""
    options = options or {"local_addr": ("127.0.0.1", 0)}
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_datagram_endpoint(Endpoint, **options)
    return protocol


@contextmanager
def plain_socket(family: int = socket.AF_INET, address: Any = None) -> Iterator[socket.socket]:
    """A peer that no loop knows of."""
    with socket.socket(family, socket.SOCK_DGRAM) as peer:
        peer.settimeout(PATIENCE_SECONDS)
        if address is None:
            address = ("127.0.0.1" if family == socket.AF_INET else "::1", 0)
        peer.bind(address)
        yield peer


@contextmanager
def full_mailbox(folder: Path) -> Iterator[socket.socket]:
    """A Unix socket to which nothing more can be sent until somebody receives from it.

    UDP drops what is too much; a Unix socket makes the sender wait.
    """
    path = str(folder / "full")
    with (
        plain_socket(socket.AF_UNIX, path) as mailbox,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender,
    ):
        sender.setblocking(False)
        try:
            while True:
                sender.sendto(FILLER, path)
        except BlockingIOError:
            pass
        yield mailbox


def receive_all(mailbox: socket.socket) -> list[bytes]:
    """All that is there to be received."""
    mailbox.setblocking(False)
    received = []
    try:
        while True:
            received.append(mailbox.recv(1 << 18))
    except BlockingIOError:
        return received
    finally:
        mailbox.settimeout(PATIENCE_SECONDS)


async def receive_until(
    mailbox: socket.socket, condition: Callable[[list[bytes]], object]
) -> list[bytes]:
    """Lets the loop run until the condition holds for what has come out of the mailbox."""
    received: list[bytes] = []

    def holds() -> object:
        received.extend(data for data in receive_all(mailbox) if data != FILLER)
        return condition(received)

    await until(holds)
    return received
