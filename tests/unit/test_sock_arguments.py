"""Wrong arguments of `sock_*` operations: what is wrong is said in its socket's words."""

import array
import socket
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from tests.conftest import Loop

Method = Callable[[socket.socket, Any], Any]
Operation = Callable[[Loop, socket.socket, Any], Awaitable[Any]]

ADDRESS = ("127.0.0.1", 9)


class BadIndex:
    def __index__(self) -> int:
        raise ZeroDivisionError("of its own")


class Index:
    def __index__(self) -> int:
        return 3


def released() -> memoryview:
    view = memoryview(b"x")
    view.release()
    return view


def recvfrom_into(sock: socket.socket, buffer: Any, size: Any) -> tuple[int, Any]:
    """In asyncio's order."""
    size = size or len(buffer)
    return sock.recvfrom_into(buffer, size)


OPERATIONS: dict[str, tuple[Operation, Method]] = {
    "recv": (
        lambda loop, sock, size: loop.sock_recv(sock, size),
        lambda sock, size: sock.recv(size),
    ),
    "recv_into": (
        lambda loop, sock, buffer: loop.sock_recv_into(sock, buffer),
        lambda sock, buffer: sock.recv_into(buffer),
    ),
    "recvfrom": (
        lambda loop, sock, size: loop.sock_recvfrom(sock, size),
        lambda sock, size: sock.recvfrom(size),
    ),
    "recvfrom_into": (
        lambda loop, sock, buffer: loop.sock_recvfrom_into(sock, buffer),
        lambda sock, buffer: recvfrom_into(sock, buffer, 0),
    ),
    "recvfrom_into, the size": (
        lambda loop, sock, size: loop.sock_recvfrom_into(sock, bytearray(4), size),
        lambda sock, size: recvfrom_into(sock, bytearray(4), size),
    ),
    "sendall": (
        lambda loop, sock, data: loop.sock_sendall(sock, data),
        lambda sock, data: sock.send(data),
    ),
    "sendto": (
        lambda loop, sock, data: loop.sock_sendto(sock, data, ADDRESS),
        lambda sock, data: sock.sendto(data, ADDRESS),
    ),
    "sendto, the address": (
        lambda loop, sock, address: loop.sock_sendto(sock, b"x", address),
        lambda sock, address: sock.sendto(b"x", address),
    ),
}

ARGUMENTS: dict[str, Callable[[], Any]] = {
    "nothing": lambda: None,
    "a negative number": lambda: -1,
    "a great number": lambda: 1 << 70,
    "a fraction": lambda: 1.5,
    "text": lambda: "text",
    "true": lambda: True,
    "an index": Index,
    "a bad index": BadIndex,
    "bytes": lambda: b"bytes",
    "an array": lambda: bytearray(4),
    "items": lambda: array.array("b", b"items"),
    "a released view": released,
    "a view with gaps": lambda: memoryview(bytearray(8))[::2],
    "a view to read": lambda: memoryview(b"bytes"),
    "an object": object,
    "a list": lambda: [1],
    "half an address": lambda: ("127.0.0.1",),
    "a port in words": lambda: ("127.0.0.1", "http"),
    "a great port": lambda: ("127.0.0.1", 1 << 16),
    "a host with a zero": lambda: ("a\0b", 9),
}

Makers = dict[str, Callable[[], Any]]


def stream() -> socket.socket:
    near, far = socket.socketpair()
    with far:
        far.send(b"data")
    return near


def datagrams() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.sendto(b"data", sock.getsockname())
    return sock


def closed() -> socket.socket:
    sock = socket.socket()
    sock.close()
    return sock


SOCKETS: Makers = {"a stream": stream, "datagrams": datagrams, "a closed socket": closed}
NO_SOCKETS: Makers = {"nothing": lambda: None, "a number": lambda: 5, "an object": object}


@pytest.fixture(params=[*SOCKETS, *NO_SOCKETS])
def make_socket(request: pytest.FixtureRequest) -> Iterator[Callable[[], Any]]:
    """Makes sockets of a kind, or what is none, and closes them."""
    made: list[Any] = []

    def make() -> Any:
        made.append({**SOCKETS, **NO_SOCKETS}[request.param]())
        if isinstance(made[-1], socket.socket) and made[-1].fileno() >= 0:
            made[-1].setblocking(False)
        return made[-1]

    yield make
    for sock in made:
        if isinstance(sock, socket.socket):
            sock.close()


def outcome(error: BaseException | None, result: Any) -> str:
    """In words; what asyncio makes of the results of methods differs."""
    if error is None:
        return f"gives {result[0] if isinstance(result, tuple) else result}"
    return f"raises {type(error).__name__}: {error}"


@pytest.mark.parametrize("is_used", [False, True])
@pytest.mark.parametrize("name", OPERATIONS)
async def test_an_operation_says_what_the_sockets_method_says(
    loop: Loop, name: str, make_socket: Callable[[], Any], is_used: bool
) -> None:
    operate, call = OPERATIONS[name]
    found, expected = {}, {}
    for argument, make_argument in ARGUMENTS.items():
        sock, twin = make_socket(), make_socket()
        if is_used and isinstance(sock, socket.socket) and sock.fileno() >= 0:
            await loop.sock_recv(sock, 0)
        try:
            wanted = outcome(None, call(twin, make_argument()))
        except Exception as exc:  # whatever it is
            wanted = outcome(exc, None)
        if name == "sendall" and wanted.startswith("gives"):
            wanted = outcome(None, None)  # sendall() gives no number
        expected[argument] = wanted
        try:
            found[argument] = outcome(None, await operate(loop, sock, make_argument()))
        except Exception as exc:
            found[argument] = outcome(exc, None)
    assert found == expected


async def test_an_offset_in_a_file_has_64_bits(
    loop: Loop, pair: tuple[socket.socket, socket.socket]
) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"data")
        with pytest.raises(OverflowError, match="Python int too large to convert to C"):
            await loop.sock_sendfile(pair[0], file, 1 << 70, 4)
