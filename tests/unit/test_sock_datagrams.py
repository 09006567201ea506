"""``sock_recvfrom``, ``sock_recvfrom_into`` and ``sock_sendto``: datagram sockets awaited."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Loop
from tests.unit.connections import give_up, tcp_pair, turns
from tests.unit.datagrams import FILLER, full_mailbox, plain_socket, receive_until

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two bound UDP sockets that do not block."""
    with plain_socket() as ours, plain_socket() as peer:
        ours.setblocking(False)
        peer.setblocking(False)
        yield ours, peer


async def test_recvfrom_gives_what_is_there(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    peer.sendto(b"already there", ours.getsockname())
    assert await loop.sock_recvfrom(ours, 100) == (b"already there", peer.getsockname())


async def test_recvfrom_waits_for_a_datagram(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    for number in range(3):
        loop.call_later(0.002, peer.sendto, b"%d" % number, ours.getsockname())
        assert await loop.sock_recvfrom(ours, 100) == (b"%d" % number, peer.getsockname())


@pytest.mark.parametrize("size", [1, 3, 65536, 262144, 262145, 1 << 20])
async def test_recvfrom_cuts_a_datagram_that_is_too_long(loop: Loop, pair: Pair, size: int) -> None:
    ours, peer = pair
    data = b"abcd" * 1000
    for _ in range(2):
        peer.sendto(data, ours.getsockname())
        peer.sendto(b"next", ours.getsockname())
        assert (await loop.sock_recvfrom(ours, size))[0] == data[:size]
        assert (await loop.sock_recvfrom(ours, size))[0] == b"next"[:size]


async def test_recvfrom_receives_empty_datagrams(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    peer.sendto(b"", ours.getsockname())
    assert await loop.sock_recvfrom(ours, 100) == (b"", peer.getsockname())
    loop.call_later(0.002, peer.sendto, b"", ours.getsockname())
    assert await loop.sock_recvfrom(ours, 100) == (b"", peer.getsockname())


async def test_recvfrom_of_a_stream_leaves_the_rest(loop: Loop) -> None:
    ours, peer = tcp_pair()
    with ours, peer:
        ours.setblocking(False)
        peer.send(b"abcdef")
        assert await loop.sock_recvfrom(ours, 4) == (b"abcd", None)
        assert await loop.sock_recvfrom(ours, 4) == (b"ef", None)


async def test_recvfrom_refuses_a_negative_size(loop: Loop, pair: Pair) -> None:
    with pytest.raises(ValueError, match="negative buffersize in recvfrom"):
        await loop.sock_recvfrom(pair[0], -1)


async def test_recvfrom_into_fills_the_buffer(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    buffer = bytearray(b"..........")
    peer.sendto(b"there", ours.getsockname())
    assert await loop.sock_recvfrom_into(ours, buffer) == (5, peer.getsockname())
    assert buffer == b"there....."
    loop.call_later(0.002, peer.sendto, b"later than that", ours.getsockname())
    assert await loop.sock_recvfrom_into(ours, memoryview(buffer)[2:8]) == (6, peer.getsockname())
    assert buffer == b"thlater .."
    loop.call_later(0.002, peer.sendto, b"short", ours.getsockname())
    assert await loop.sock_recvfrom_into(ours, buffer, 2) == (2, peer.getsockname())
    assert buffer == b"shlater .."


@pytest.mark.parametrize("size", [-1, 11])
async def test_recvfrom_into_refuses_a_size_that_does_not_fit(
    loop: Loop, pair: Pair, size: int
) -> None:
    with pytest.raises(ValueError, match="buffersize in recvfrom_into|nbytes is greater"):
        await loop.sock_recvfrom_into(pair[0], bytearray(10), size)


async def test_recvfrom_into_refuses_what_cannot_be_written(loop: Loop, pair: Pair) -> None:
    with pytest.raises(TypeError):
        await loop.sock_recvfrom_into(pair[0], b"bytes")


@pytest.mark.parametrize("make", [bytes, bytearray, lambda data: memoryview(bytearray(data))])
async def test_sendto_sends_each_kind_of_bytes(
    loop: Loop, pair: Pair, make: Callable[[bytes], bytes]
) -> None:
    ours, peer = pair
    assert await loop.sock_sendto(ours, make(b"a datagram"), peer.getsockname()) == 10
    assert peer.recvfrom(100) == (b"a datagram", ours.getsockname())


async def test_sendto_sends_empty_datagrams(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    assert await loop.sock_sendto(ours, b"", peer.getsockname()) == 0
    assert peer.recvfrom(100) == (b"", ours.getsockname())


async def test_sendto_takes_a_name(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    assert await loop.sock_sendto(ours, b"by name", ("localhost", peer.getsockname()[1])) == 7
    assert peer.recv(100) == b"by name"


@pytest.mark.parametrize(
    ("address", "error"),
    [
        (None, TypeError),
        ("127.0.0.1", TypeError),
        (("127.0.0.1",), TypeError),
        (("127.0.0.1", 65536), OverflowError),
        (("127.0.0.1", "9"), TypeError),
        (("no such host.invalid", 9), socket.gaierror),
    ],
)
async def test_sendto_refuses_a_wrong_address(
    loop: Loop, pair: Pair, address: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await loop.sock_sendto(pair[0], b"x", address)


async def test_sendto_raises_what_the_kernel_says(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    with pytest.raises(OSError, match="Message too long"):
        await loop.sock_sendto(ours, bytes(65508), peer.getsockname())


async def test_sendto_refuses_what_is_not_bytes(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    with pytest.raises(TypeError):
        await loop.sock_sendto(ours, "text", peer.getsockname())  # type: ignore[arg-type]


async def test_sendto_waits_for_room(loop: Loop, tmp_path: Path) -> None:
    with (
        full_mailbox(tmp_path) as mailbox,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours,
    ):
        ours.setblocking(False)
        data = bytearray(b"at last")
        sending = asyncio.ensure_future(loop.sock_sendto(ours, data, mailbox.getsockname()))
        await turns(3)
        assert not sending.done()
        assert await receive_until(mailbox, bool) == [b"at last"]
        assert await sending == 7


async def test_a_cancelled_sendto_sends_nothing(loop: Loop, tmp_path: Path) -> None:
    with (
        full_mailbox(tmp_path) as mailbox,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours,
    ):
        ours.setblocking(False)
        await give_up(loop.sock_sendto(ours, b"never mind", mailbox.getsockname()))
        while True:
            mailbox.setblocking(False)
            try:
                assert mailbox.recv(100) == FILLER
            except BlockingIOError:
                break
        await turns(3)
        assert await loop.sock_sendto(ours, b"after all", mailbox.getsockname()) == 9
        assert mailbox.recv(100) == b"after all"


async def test_a_cancelled_recvfrom_takes_no_datagram(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    for number in range(5):
        await give_up(loop.sock_recvfrom(ours, 100))
        peer.sendto(b"%d" % number, ours.getsockname())
        assert await loop.sock_recvfrom(ours, 100) == (b"%d" % number, peer.getsockname())


async def test_recvfrom_raises_the_error_of_a_connected_socket(loop: Loop) -> None:
    with plain_socket() as gone:
        address = gone.getsockname()
    with plain_socket() as ours:
        ours.setblocking(False)
        ours.connect(address)
        ours.send(b"is anybody there?")
        with pytest.raises(ConnectionRefusedError):
            await loop.sock_recvfrom(ours, 100)


async def test_one_socket_receives_and_sends_at_once(loop: Loop, pair: Pair) -> None:
    ours, peer = pair

    async def answer() -> None:
        for _ in range(100):
            data, address = await loop.sock_recvfrom(peer, 100)
            await loop.sock_sendto(peer, data + b"!", address)

    answering = asyncio.ensure_future(answer())
    for number in range(100):
        receiving = asyncio.ensure_future(loop.sock_recvfrom(ours, 100))
        await loop.sock_sendto(ours, b"%d" % number, peer.getsockname())
        assert await receiving == (b"%d!" % number, peer.getsockname())
    await answering


async def test_unix_datagrams_have_paths(loop: Loop, tmp_path: Path) -> None:
    with (
        plain_socket(socket.AF_UNIX, str(tmp_path / "ours")) as ours,
        plain_socket(socket.AF_UNIX, str(tmp_path / "peer")) as peer,
    ):
        ours.setblocking(False)
        peer.setblocking(False)
        await loop.sock_sendto(ours, b"question", peer.getsockname())
        assert await loop.sock_recvfrom(peer, 100) == (b"question", str(tmp_path / "ours"))


Operation = Callable[[Loop, socket.socket], Awaitable[object]]

OPERATIONS: list[Operation] = [
    lambda loop, sock: loop.sock_recvfrom(sock, 1),
    lambda loop, sock: loop.sock_recvfrom_into(sock, bytearray(1)),
    lambda loop, sock: loop.sock_sendto(sock, b"x", ("127.0.0.1", 9)),
]


@pytest.mark.parametrize("operate", OPERATIONS)
async def test_a_blocking_socket_is_refused_in_debug_mode(loop: Loop, operate: Operation) -> None:
    loop.set_debug(True)
    with plain_socket() as ours, pytest.raises(ValueError, match="must be non-blocking"):
        await operate(loop, ours)


@pytest.mark.parametrize("operate", OPERATIONS)
async def test_a_closed_socket_raises(loop: Loop, pair: Pair, operate: Operation) -> None:
    ours, _ = pair
    ours.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        await operate(loop, ours)
