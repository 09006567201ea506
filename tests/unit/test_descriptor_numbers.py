"""Numbers that are no descriptors, and numbers that `dup2` gives to another file."""

import asyncio
import errno
import os
import socket
import time
from pathlib import Path

import pytest

from tests.conftest import Loop
from tests.unit.successors import Pair, received


class WithNumber:
    """A file as far as `fileno` goes."""

    def __init__(self, number: int) -> None:
        self.number = number

    def fileno(self) -> int:
        return self.number


@pytest.mark.parametrize("end", ["reader", "writer"])
@pytest.mark.parametrize("number", [2**31, 2**32 + 5, 2**63, 2**80])
def test_a_number_that_no_c_int_holds_overflows(loop: Loop, end: str, number: int) -> None:
    for fd in (number, WithNumber(number)):
        with pytest.raises(OverflowError):
            getattr(loop, f"add_{end}")(fd, lambda: None)
        assert not getattr(loop, f"remove_{end}")(fd)


@pytest.mark.parametrize("end", ["reader", "writer"])
@pytest.mark.parametrize("number", [2**30, 2**31 - 1])
def test_a_number_that_is_not_open_is_refused(loop: Loop, end: str, number: int) -> None:
    for fd in (number, WithNumber(number)):
        with pytest.raises(OSError, match="Bad file descriptor") as caught:
            getattr(loop, f"add_{end}")(fd, lambda: None)
        assert caught.value.errno == errno.EBADF
        assert not getattr(loop, f"remove_{end}")(fd)


@pytest.mark.parametrize("end", ["reader", "writer"])
@pytest.mark.parametrize("number", [-1, -(2**31), -(2**32) + 5])
def test_a_negative_number_is_no_descriptor(loop: Loop, end: str, number: int) -> None:
    with pytest.raises(ValueError, match="Invalid file"):
        getattr(loop, f"add_{end}")(number, lambda: None)
    with pytest.raises(ValueError, match="Invalid file"):
        getattr(loop, f"remove_{end}")(number)


def replace(pair: Pair, successor: Pair) -> None:
    """The first socket's number is another connection from now on."""
    os.dup2(successor[0].fileno(), pair[0].fileno())
    pair[0].setblocking(False)


@pytest.fixture
def other(pair: Pair) -> "tuple[Pair, Pair]":
    """Two connections; the second can be put in the place of the first."""
    return pair, socket.socketpair()


async def test_a_socket_goes_on_with_the_file_that_dup2_gave_it(
    loop: Loop, other: "tuple[Pair, Pair]"
) -> None:
    pair, successor = other
    for turn in range(3):
        loop.call_later(0.002, pair[1].send, b"old %d" % turn)
        assert await loop.sock_recv(pair[0], 100) == b"old %d" % turn
    replace(pair, successor)
    for turn in range(3):
        loop.call_later(0.002, successor[1].send, b"new %d" % turn)
        assert await asyncio.wait_for(loop.sock_recv(pair[0], 100), 20) == b"new %d" % turn
    await loop.sock_sendall(pair[0], b"answer")
    assert received(successor[1]) == b"answer"
    for sock in successor:
        sock.close()


async def test_a_busy_loop_finds_out_about_dup2(loop: Loop, other: "tuple[Pair, Pair]") -> None:
    pair, successor = other
    loop.call_later(0.002, pair[1].send, b"old")
    assert await loop.sock_recv(pair[0], 100) == b"old"
    replace(pair, successor)
    receiving = asyncio.ensure_future(loop.sock_recv(pair[0], 100))
    await asyncio.sleep(0)
    successor[1].send(b"new")
    deadline = time.monotonic() + 20
    while not receiving.done() and time.monotonic() < deadline:
        await asyncio.sleep(0)
    assert receiving.done()
    assert receiving.result() == b"new"
    for sock in successor:
        sock.close()


@pytest.mark.parametrize("end", ["reader", "writer"])
async def test_who_watched_a_number_before_dup2_is_silent_and_who_comes_after_is_called(
    loop: Loop, other: "tuple[Pair, Pair]", end: str
) -> None:
    pair, successor = other
    calls: list[str] = []
    loop.add_reader(pair[0], calls.append, "old")
    replace(pair, successor)
    successor[1].send(b"new")
    await asyncio.sleep(0.01)
    assert calls == []
    assert loop.remove_reader(pair[0])
    called = loop.create_future()
    getattr(loop, f"add_{end}")(pair[0], lambda: called.done() or called.set_result(None))
    await asyncio.wait_for(called, 20)
    assert getattr(loop, f"remove_{end}")(pair[0])
    for sock in successor:
        sock.close()


async def test_a_regular_file_in_the_place_of_a_socket_is_refused(
    loop: Loop, pair: Pair, tmp_path: Path
) -> None:
    loop.call_later(0.002, pair[1].send, b"x")
    assert await loop.sock_recv(pair[0], 100) == b"x"
    with (tmp_path / "file").open("w") as file:
        os.dup2(file.fileno(), pair[0].fileno())
    with pytest.raises(OSError, match="non-socket"):
        await loop.sock_sendall(pair[0], b"x")
