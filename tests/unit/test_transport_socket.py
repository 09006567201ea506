"""What is done with a transport's socket comes after what was written to the transport before."""

import os
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import Loop
from tests.unit.connections import Connector, Recorder, tcp_pair, turns, until
from tests.unit.datagrams import Endpoint, plain_socket

IP_RECVTTL = 12  # of Linux; the module has it in newer versions
TTL = 7
USUAL_TTL = 64
SIZE_OF_CONTROL_DATA = 1024

Pair = tuple[socket.socket, socket.socket]


async def test_a_shutdown_comes_after_what_was_written(connect: Connector) -> None:
    connection = await connect(Recorder)
    connection.transport.write(b"last words")
    connection.transport.get_extra_info("socket").shutdown(socket.SHUT_WR)
    assert connection.peer.receive_everything() == b"last words"


def write_by_descriptor(sock: Any, data: bytes) -> None:
    os.write(sock.fileno(), data)


def send_by_duplicate(sock: Any, data: bytes) -> None:
    with sock.dup() as duplicate:
        duplicate.send(data)


def send_by_socket_of_duplicate(sock: Any, data: bytes) -> None:
    with socket.socket(fileno=os.dup(sock.fileno())) as duplicate:
        duplicate.sendmsg([data])


@pytest.mark.parametrize(
    "send", [write_by_descriptor, send_by_duplicate, send_by_socket_of_duplicate]
)
async def test_what_is_sent_by_its_descriptor_keeps_its_place(
    connect: Connector, send: Callable[[Any, bytes], None]
) -> None:
    connection = await connect(Recorder)
    sock = connection.transport.get_extra_info("socket")
    for number in range(3):
        connection.transport.write(b"written %d " % number)
        send(sock, b"sent %d " % number)
    await turns()
    expected = b"".join(b"written %d sent %d " % (number, number) for number in range(3))
    assert connection.peer.receive(len(expected)) == expected


async def test_who_has_asked_for_the_descriptor_may_send_later(connect: Connector) -> None:
    connection = await connect(Recorder)
    fd = connection.transport.get_extra_info("socket").fileno()
    duplicate = os.dup(fd)
    await turns()
    connection.transport.writelines([b"a", b"b"])
    os.write(fd, b"c")
    connection.transport.write(b"d")
    os.write(duplicate, b"e")
    os.close(duplicate)
    assert connection.peer.receive(5) == b"abcde"


async def test_its_buffers_can_be_asked_for_what_was_written(connect: Connector) -> None:
    connection = await connect(Recorder)
    sock = connection.transport.get_extra_info("socket")
    connection.transport.write(b"hello")
    sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    assert connection.peer.receive(5) == b"hello"


async def test_what_may_not_be_written_is_not_sent_by_it(connect: Connector) -> None:
    connection = await connect(Recorder)
    sock = connection.transport.get_extra_info("socket")
    connection.transport.write(b"hello")
    connection.transport.abort()
    await until(lambda: connection.protocol.is_lost)
    connection.transport.write(b"late")
    assert sock.fileno() == -1
    assert connection.peer.receive_everything() == b"hello"


@pytest.fixture
def held() -> Iterator[Pair]:
    """A socket for a transport, which the test keeps, and the socket at its far end."""
    ours, far_end = tcp_pair()
    with ours, far_end:
        yield ours, far_end


async def test_what_its_owner_sends_keeps_its_place(loop: Loop, held: Pair) -> None:
    ours, far_end = held
    transport, _ = await loop.create_connection(Recorder, sock=ours)
    transport.write(b"a")
    ours.send(b"b")
    transport.writelines([b"c", b"d"])
    ours.send(b"e")
    assert far_end.recv(100) == b"abcde"
    transport.abort()


@pytest.mark.parametrize(
    "end",
    [
        socket.socket.close,
        lambda sock: os.close(sock.detach()),
        lambda sock: sock.shutdown(socket.SHUT_WR),
    ],
)
async def test_its_owner_ends_it_after_what_was_written(
    loop: Loop, held: Pair, end: Callable[[socket.socket], object]
) -> None:
    ours, far_end = held
    transport, _ = await loop.create_connection(Recorder, sock=ours)
    transport.write(b"last words")
    end(ours)
    assert far_end.recv(100) == b"last words"
    transport.abort()


class Sender(Endpoint):
    """Sends a datagram with its own time to live for each that it receives, and one after it."""

    def datagram_received(self, data: bytes, addr: Any) -> None:
        super().datagram_received(data, addr)
        sock = self.transport.get_extra_info("socket")
        self.transport.sendto(b"usual", addr)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, TTL)
        self.transport.sendto(b"short", addr)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, USUAL_TTL)


async def test_the_options_of_a_socket_are_for_the_datagrams_sent_later(loop: Loop) -> None:
    transport, protocol = await loop.create_datagram_endpoint(Sender, local_addr=("127.0.0.1", 0))
    count = 50
    with plain_socket() as peer:
        peer.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
        for _ in range(count):
            peer.sendto(b"x", transport.get_extra_info("sockname"))
        await until(lambda: len(protocol.received) == count)
        await turns()
        found = []
        for _ in range(2 * count):
            data, control, _, _ = peer.recvmsg(100, SIZE_OF_CONTROL_DATA)
            found.append((data, struct.unpack("i", control[0][2])[0]))
    assert found == [(b"usual", USUAL_TTL), (b"short", TTL)] * count
    transport.close()
