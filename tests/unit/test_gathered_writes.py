"""What was written leaves soon, whatever else the loop has to do.

rloop gathers what a batch of calls writes. Who computes long holds up what others wrote by one call
at the most, and so it is with all that a batch may hold.
"""

import asyncio
import socket
import time
from collections.abc import Callable, Iterable

import pytest

from tests.conftest import Loop
from tests.unit.connections import Connection, Connector, Peer, Recorder, turns, until

LONG_SECONDS = 0.002
COUNT = 10


def compute() -> None:
    """Takes long."""
    end = time.perf_counter() + LONG_SECONDS
    while time.perf_counter() < end:
        pass


class Observer:
    """Notes before it computes whether the peer has got something."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.seen: list[bool] = []

    def __call__(self) -> None:
        self.seen.append(not self.peer.is_silent())
        compute()

    async def run(self) -> None:
        self()

    def assert_late_by_one_at_most(self) -> None:
        assert len(self.seen) == COUNT
        assert all(self.seen[1:]), self.seen


Write = Callable[[asyncio.Transport], object]
WRITES: dict[str, Write] = {
    "write": lambda transport: transport.write(b"x"),
    "writelines": lambda transport: transport.writelines([b"x", b"y"]),
    "two writes": lambda transport: [transport.write(b"x"), transport.write(b"y")],
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_it_leaves_while_callbacks_compute(
    loop: Loop, connect: Connector, write: Write
) -> None:
    connection = await connect(Recorder)
    observer = Observer(connection.peer)
    loop.call_soon(write, connection.transport)
    for _ in range(COUNT):
        loop.call_soon(observer)
    await turns()
    observer.assert_late_by_one_at_most()


async def test_it_leaves_while_tasks_compute(loop: Loop, connect: Connector) -> None:
    connection = await connect(Recorder)
    observer = Observer(connection.peer)

    async def write() -> None:
        connection.transport.write(b"x")

    await asyncio.gather(write(), *[observer.run() for _ in range(COUNT)])
    observer.assert_late_by_one_at_most()


async def test_it_leaves_while_timers_compute(loop: Loop, connect: Connector) -> None:
    connection = await connect(Recorder)
    observer = Observer(connection.peer)
    now = loop.time()
    loop.call_at(now, connection.transport.write, b"x")
    for _ in range(COUNT):
        loop.call_at(now, observer)
    await until(lambda: len(observer.seen) == COUNT)
    observer.assert_late_by_one_at_most()


async def test_it_leaves_though_the_loop_was_fast_before(loop: Loop, connect: Connector) -> None:
    connection = await connect(Recorder)
    observer = Observer(connection.peer)
    for _ in range(100):
        for _ in range(100):
            loop.call_soon(time.perf_counter)
        await turns(1)
    loop.call_soon(connection.transport.write, b"x")
    for _ in range(100):
        loop.call_soon(time.perf_counter)
    for _ in range(COUNT):
        loop.call_soon(observer)
    await turns()
    observer.assert_late_by_one_at_most()


async def test_it_leaves_while_a_chain_of_callbacks_computes(
    loop: Loop, connect: Connector
) -> None:
    connection = await connect(Recorder)
    observer = Observer(connection.peer)

    def go_on() -> None:
        observer()
        if len(observer.seen) < COUNT:
            loop.call_soon(go_on)

    loop.call_soon(connection.transport.write, b"x")
    loop.call_soon(go_on)
    await until(lambda: len(observer.seen) == COUNT)
    observer.assert_late_by_one_at_most()


class SlowAnswer(Recorder):
    """Answers, and then computes."""

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)  # type: ignore[attr-defined]
        compute()


class SlowReader(Recorder):
    """Computes, but answers nothing."""

    def __init__(self, observer: Observer) -> None:
        super().__init__()
        self.observer = observer

    def data_received(self, data: bytes) -> None:
        self.observer()


def send_together(connections: Iterable[Connection[Recorder]]) -> None:
    """What the peers send comes in one batch, and in this order."""
    for connection in connections:
        connection.peer.send(b"x")


async def test_answers_leave_before_their_servers_have_computed_all(
    loop: Loop, connect: Connector
) -> None:
    connections = [await connect(SlowAnswer) for _ in range(COUNT)]
    answered: list[bool] = []

    class Last(Recorder):
        def data_received(self, data: bytes) -> None:
            answered.extend(not connection.peer.is_silent() for connection in connections)

    last = await connect(Last)
    send_together([*connections, last])
    await until(lambda: answered)
    assert sum(answered) >= COUNT - 1


async def test_an_answer_leaves_before_others_have_read(loop: Loop, connect: Connector) -> None:
    class Fast(Recorder):
        def data_received(self, data: bytes) -> None:
            self.transport.write(data)  # type: ignore[attr-defined]

    fast = await connect(Fast)
    observer = Observer(fast.peer)
    slow = [await connect(lambda: SlowReader(observer)) for _ in range(COUNT)]
    send_together([fast, *slow])
    await until(lambda: len(observer.seen) == COUNT)
    observer.assert_late_by_one_at_most()


class Pieces(Recorder):
    """Answers in two pieces, and notes whether the peer has the first one before the second."""

    peer: Peer
    has_left: bool | None = None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self.transport.write(b"head")  # type: ignore[attr-defined]
        self.has_left = not self.peer.is_silent()
        self.transport.write(b"body")  # type: ignore[attr-defined]


async def assert_gathers(protocol: Pieces, peer: socket.socket, loop_name: str) -> None:
    """Only where it does, the tests here try what they say."""
    protocol.peer = Peer(peer)
    peer.send(b"x")
    await until(lambda: protocol.has_left is not None)
    assert protocol.has_left == (loop_name == "asyncio")
    assert protocol.peer.receive(8) == b"headbody"


async def test_pieces_of_a_server_are_gathered(loop: Loop, loop_name: str) -> None:
    protocol = Pieces()
    server = await loop.create_server(lambda: protocol, "127.0.0.1", 0)
    with socket.create_connection(server.sockets[0].getsockname()) as peer:
        await assert_gathers(protocol, peer, loop_name)
        protocol.transport.abort()  # type: ignore[attr-defined]
    server.close()
    await server.wait_closed()


async def test_pieces_of_a_client_are_gathered(loop: Loop, loop_name: str) -> None:
    protocol = Pieces()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        await loop.create_connection(lambda: protocol, *listener.getsockname())
        peer, _ = listener.accept()
    with peer:
        await assert_gathers(protocol, peer, loop_name)
        protocol.transport.abort()  # type: ignore[attr-defined]


async def test_pieces_over_a_socket_that_was_given_away_are_gathered(
    connect: Connector, loop_name: str
) -> None:
    connection = await connect(Pieces)
    await turns()
    await assert_gathers(connection.protocol, connection.peer.socket, loop_name)
