"""What an endpoint sends while several datagrams that came together are being delivered.

rloop gathers it until the batch is over: all of it arrives, in order, whatever comes in between.
"""

import errno
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.conftest import OURS, Loop
from tests.unit.connections import turns, until
from tests.unit.datagrams import Endpoint, endpoint, plain_socket, receive_all

ENOUGH = 64  # for rloop to ask for several at a time, and to get several with the last one
LONG_SECONDS = 0.002
NOW = b"now"
NOWHERE = ("127.0.0.1", 0)


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    with plain_socket() as sock:
        yield sock


def numbers(count: int) -> list[bytes]:
    return [b"%d" % i for i in range(count)]


class Busy(Endpoint):
    """Does something with its transport when it receives NOW."""

    def __init__(self, act: Callable[[Any], object]) -> None:
        super().__init__()
        self.act = act

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if data == NOW:
            self.act(self.transport)


async def busy_endpoint(loop: Loop, act: Callable[[Any], object]) -> Busy:
    """One that has done it, in a batch that delivered several datagrams."""
    done: list[Any] = []

    def act_once(transport: Any) -> None:
        done.append(act(transport))

    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.bind(("127.0.0.1", 0))
    with plain_socket() as other:  # all wait before a thread can read one of them alone
        for _ in range(ENOUGH - 1):
            other.sendto(b"wait", sock.getsockname())
        other.sendto(NOW, sock.getsockname())
    _, protocol = await loop.create_datagram_endpoint(lambda: Busy(act_once), sock=sock)
    await until(lambda: done)
    await turns()
    return protocol


async def test_all_arrive_in_order(loop: Loop, loop_name: str, peer: socket.socket) -> None:
    early = []

    def send(transport: Any) -> None:
        for data in numbers(100):
            transport.sendto(data, peer.getsockname())
        early.extend(receive_all(peer))

    sender = await busy_endpoint(loop, send)
    if loop_name in OURS:
        assert early == [], "nothing was gathered: the tests here try something else than they say"
    assert early + receive_all(peer) == numbers(100)
    assert sender.calls == ["connection_made"]
    await sender.end()


async def test_each_goes_to_its_own_address(loop: Loop) -> None:
    with ExitStack() as stack:
        peers = [stack.enter_context(plain_socket()) for _ in range(20)]

        def send(transport: Any) -> None:
            for data in numbers(3):
                for peer in peers:
                    transport.sendto(data, peer.getsockname())

        sender = await busy_endpoint(loop, send)
        assert [receive_all(peer) for peer in peers] == [numbers(3)] * 20
    await sender.end()


async def test_what_goes_another_way_does_not_overtake(loop: Loop, peer: socket.socket) -> None:
    host, port = peer.getsockname()
    sent = [b"to a number", b"", b"to a name", b"to a number", bytes(65507), bytearray(b"no bytes")]

    def send(transport: Any) -> None:
        for data in sent:
            transport.sendto(data, ("localhost" if data == b"to a name" else host, port))

    sender = await busy_endpoint(loop, send)
    received = receive_all(peer)
    assert [data for data in received if data] == [data for data in sent if data]
    await sender.end()


async def test_an_error_is_told_and_the_others_are_sent(loop: Loop, peer: socket.socket) -> None:
    def send(transport: Any) -> None:
        for data in numbers(10):
            fails = data in (b"0", b"4", b"9")
            transport.sendto(data, NOWHERE if fails else peer.getsockname())

    sender = await busy_endpoint(loop, send)
    assert sender.calls == ["connection_made", *["error_received"] * 3]
    assert {error.errno for error in sender.errors} == {errno.EINVAL}  # type: ignore[attr-defined]
    assert receive_all(peer) == [b"1", b"2", b"3", b"5", b"6", b"7", b"8"]
    await sender.end()


@pytest.mark.parametrize("end", ["close", "abort"])
async def test_what_was_sent_before_the_end_arrives(
    loop: Loop, peer: socket.socket, end: str
) -> None:
    def send_and_end(transport: Any) -> None:
        for data in numbers(20):
            transport.sendto(data, peer.getsockname())
        getattr(transport, end)()

    sender = await busy_endpoint(loop, send_and_end)
    assert receive_all(peer) == numbers(20)
    assert sender.calls == ["connection_made", "connection_lost"]
    assert sender.lost_with is None


async def test_an_error_of_the_last_is_told_before_the_end(loop: Loop) -> None:
    def send_and_close(transport: Any) -> None:
        transport.sendto(b"x", NOWHERE)
        transport.close()

    sender = await busy_endpoint(loop, send_and_close)
    assert sender.calls == ["connection_made", "error_received", "connection_lost"]


async def test_a_look_at_the_buffer_finds_it_empty(loop: Loop, peer: socket.socket) -> None:
    def send_and_look(transport: Any) -> None:
        transport.sendto(b"x", peer.getsockname())
        assert transport.get_write_buffer_size() == 0
        assert receive_all(peer) == [b"x"]
        transport.sendto(b"y", peer.getsockname())

    sender = await busy_endpoint(loop, send_and_look)
    assert receive_all(peer) == [b"y"]
    await sender.end()


async def test_water_marks_count_only_what_the_kernel_refuses(
    loop: Loop, peer: socket.socket
) -> None:
    def send_much(transport: Any) -> None:
        transport.set_write_buffer_limits(high=1500)
        for data in [bytes(1000)] * 5:
            transport.sendto(data, peer.getsockname())

    sender = await busy_endpoint(loop, send_much)
    assert len(receive_all(peer)) == 5
    assert sender.calls == ["connection_made"]
    await sender.end()


def test_what_was_sent_is_gone_when_the_loop_stops(loop: Loop, peer: socket.socket) -> None:
    def send_and_stop(transport: Any) -> None:
        transport.sendto(b"in the last batch", peer.getsockname())
        loop.stop()

    opening = loop.create_task(busy_endpoint(loop, send_and_stop))
    loop.run_forever()
    assert receive_all(peer) == [b"in the last batch"]
    sender = loop.run_until_complete(opening)
    loop.run_until_complete(sender.end())


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_answers_go_where_questions_came_from(loop: Loop, host: str) -> None:
    class Answering(Endpoint):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            super().datagram_received(data, addr)
            self.transport.sendto(data, addr)
            self.transport.sendto(data, (addr[0], *addr[1:]))  # an equal one, not the very object

    _, answering = await loop.create_datagram_endpoint(Answering, local_addr=(host, 0))
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with ExitStack() as stack:
        peers = [stack.enter_context(plain_socket(family)) for _ in range(ENOUGH)]
        for i, peer in enumerate(peers):
            peer.sendto(b"%d" % i, answering.address)
        await answering.until_received(ENOUGH)
        await turns()
        assert [receive_all(peer) for peer in peers] == [[data] * 2 for data in numbers(ENOUGH)]
    await answering.end()


async def test_an_address_of_another_family_is_an_error(loop: Loop, peer: socket.socket) -> None:
    receiver = await endpoint()
    peer.sendto(b"x", receiver.address)
    await receiver.until_received(1)
    sender = await endpoint(local_addr=("::1", 0))
    sender.transport.sendto(b"y", receiver.received[0][1])
    await until(lambda: sender.errors)
    assert isinstance(sender.errors[0], OSError)
    assert receive_all(peer) == []
    await receiver.end()
    await sender.end()


async def test_a_connected_endpoint_gathers_too(loop: Loop, peer: socket.socket) -> None:
    class Answering(Endpoint):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            super().datagram_received(data, addr)
            self.transport.sendto(data)

    _, answering = await loop.create_datagram_endpoint(Answering, remote_addr=peer.getsockname())
    for data in numbers(ENOUGH):
        peer.sendto(data, answering.address)
    await answering.until_received(ENOUGH)
    await turns()
    assert receive_all(peer) == numbers(ENOUGH)
    await answering.end()


async def test_answers_leave_before_all_have_been_computed(loop: Loop, peer: socket.socket) -> None:
    waiting = []

    class Slow(Endpoint):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            waiting.append(len(self.received) - len(answers))
            self.transport.sendto(data, addr)
            super().datagram_received(data, addr)
            time.sleep(LONG_SECONDS)
            answers.extend(receive_all(peer))

    answers: list[bytes] = []
    _, protocol = await loop.create_datagram_endpoint(Slow, local_addr=("127.0.0.1", 0))
    for data in numbers(ENOUGH):
        peer.sendto(data, protocol.address)
    await until(lambda: len(protocol.received) == ENOUGH)
    assert max(waiting) <= 1
    await turns()
    assert answers + receive_all(peer) == numbers(ENOUGH)
    await protocol.end()
