"""A descriptor's number that is another file's by now."""

import asyncio
import gc
import os
import socket
import time
import warnings
from pathlib import Path

import pytest

from tests.conftest import Loop
from tests.unit.connections import turns

Pair = tuple[socket.socket, socket.socket]


async def wait_for_data(loop: Loop, pair: Pair) -> None:
    """Has the loop watch the first socket: it receives what isn't there yet."""
    ours, peer = pair
    loop.call_later(0.005, peer.send, b"later")
    assert await loop.sock_recv(ours, 100) == b"later"


def replace_by_file(sock: socket.socket, path: Path) -> int:
    """Closes a socket; its number is a regular file's, which no poller can watch."""
    number = sock.detach()
    with path.open("w") as file:
        os.dup2(file.fileno(), number)
    return number


def test_the_loop_closes_when_a_socket_that_it_received_from_is_a_file(
    loop: Loop, pair: Pair, tmp_path: Path
) -> None:
    loop.run_until_complete(wait_for_data(loop, pair))
    number = replace_by_file(pair[0], tmp_path / "file")
    before = len(os.listdir("/dev/fd"))
    loop.close()
    assert len(os.listdir("/dev/fd")) < before
    os.close(number)


@pytest.mark.parametrize("end", ["reader", "writer"])
def test_a_watched_socket_that_is_a_file_can_be_removed(
    loop: Loop, pair: Pair, tmp_path: Path, end: str
) -> None:
    getattr(loop, f"add_{end}")(pair[0], lambda: None)
    number = replace_by_file(pair[0], tmp_path / "file")
    assert getattr(loop, f"remove_{end}")(number)
    assert not getattr(loop, f"remove_{end}")(number)
    os.close(number)


async def test_the_loop_is_idle_after_a_socket_went_to_another_object(
    loop: Loop, pair: Pair
) -> None:
    await wait_for_data(loop, pair)
    with socket.socket(fileno=pair[0].detach()) as successor:
        await loop.sock_sendall(successor, b"answer")
        pair[1].send(b"nobody waits for this")
        before = time.thread_time()
        await asyncio.sleep(0.2)
        assert time.thread_time() - before < 0.1
        assert await loop.sock_recv(successor, 100) == b"nobody waits for this"


async def test_a_collected_transport_keeps_no_number(loop: Loop) -> None:
    """Its socket is finalised first, and the transport last."""
    ours, peer = socket.socketpair()
    number = ours.fileno()
    finaliser = WatchesNumber(loop, number)
    transport, protocol = await loop.create_connection(InCycle, sock=ours)
    transport.pause_reading()
    await turns()
    protocol.cycle = protocol, transport, finaliser
    errors = finaliser.errors
    del ours, transport, protocol, finaliser
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
    assert errors == [None]
    peer.close()


class InCycle(asyncio.Protocol):
    cycle: object = None


class WatchesNumber:
    """When it is finalised, the number is a new socket's, and watched."""

    def __init__(self, loop: Loop, number: int) -> None:
        self.loop = loop
        self.number = number
        self.errors: list[Exception | None] = []

    def __del__(self) -> None:
        with socket.socket() as sock:
            if sock.fileno() != self.number:
                os.dup2(sock.fileno(), self.number)
            try:
                self.loop.add_reader(self.number, lambda: None)
                self.loop.remove_reader(self.number)
            except RuntimeError as exc:
                self.errors.append(exc)
            else:
                self.errors.append(None)
