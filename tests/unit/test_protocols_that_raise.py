"""What a transport does when its protocol raises: it reports, and in most cases aborts."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Loop
from tests.unit.connections import Connector, Recorder, tcp_pair, turns, until


@pytest.fixture
def reports(loop: Loop) -> list[dict[str, Any]]:
    """What the loop reports to its exception handler."""
    reports: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: reports.append(context))
    return reports


def fail(*_: object) -> None:
    raise ZeroDivisionError


def recorder_with(method: str, replacement: Callable[..., object]) -> type[Recorder]:
    """A recorder with another method; transports may look methods up once and for all."""
    return type("Replaced", (Recorder,), {method: replacement})


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("data_received", "Fatal error: protocol.data_received() call failed."),
        ("eof_received", "Fatal error: protocol.eof_received() call failed."),
    ],
)
async def test_reading_that_raises_is_reported_and_ends_the_connection(
    connect: Connector, reports: list[dict[str, Any]], method: str, message: str
) -> None:
    connection = await connect(recorder_with(method, fail))
    connection.peer.send(b"x")
    connection.peer.socket.shutdown(socket.SHUT_WR)
    await until(lambda: connection.protocol.is_lost)
    (report,) = reports
    assert set(report) == {"message", "exception", "transport", "protocol"}
    assert report["message"] == message
    assert report["transport"] is connection.transport
    assert report["protocol"] is connection.protocol
    assert isinstance(report["exception"], ZeroDivisionError)
    assert connection.protocol.lost_with is report["exception"]
    assert connection.transport.is_closing()


async def test_an_error_of_the_system_raised_by_a_protocol_ends_the_connection(
    connect: Connector,
) -> None:
    def reset(*_: object) -> None:
        raise ConnectionResetError("made up by the protocol")

    connection = await connect(recorder_with("data_received", reset))
    connection.peer.send(b"x")
    await until(lambda: connection.protocol.is_lost)
    assert isinstance(connection.protocol.lost_with, ConnectionResetError)


async def test_data_written_before_the_failure_is_dropped_or_sent_but_never_garbled(
    connect: Connector, reports: list[dict[str, Any]]
) -> None:
    class Answerer(Recorder):
        def data_received(self, data: bytes) -> None:
            assert isinstance(self.transport, asyncio.Transport)
            self.transport.write(b"answer")
            raise ZeroDivisionError

    connection = await connect(Answerer)
    connection.peer.send(b"x")
    assert await connection.peer.receive_everything_soon() == b"answer"
    assert len(reports) == 1


async def test_connection_made_that_raises_is_reported_as_a_callback(
    loop: Loop, reports: list[dict[str, Any]]
) -> None:
    class Bad(Recorder):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            raise ZeroDivisionError

    ours, peer = tcp_pair()
    transport, protocol = await loop.create_connection(Bad, sock=ours)
    (report,) = reports
    assert report["message"].startswith("Exception in callback ")
    assert "connection_made" in report["message"]
    assert isinstance(report["exception"], ZeroDivisionError)
    # The connection stays: asyncio sees only a callback that failed.
    peer.sendall(b"x")
    await until(lambda: protocol.received == b"x")
    transport.close()
    await until(lambda: protocol.is_lost)
    peer.close()


async def test_connection_lost_that_raises_is_reported_and_the_socket_closed(
    connect: Connector, reports: list[dict[str, Any]]
) -> None:
    connection = await connect(recorder_with("connection_lost", fail))
    sock = connection.transport.get_extra_info("socket")
    connection.transport.close()
    await until(lambda: reports)
    (report,) = reports
    assert report["message"].startswith("Exception in callback ")
    assert isinstance(report["exception"], ZeroDivisionError)
    await turns()
    assert sock.fileno() == -1


async def test_one_failing_connection_leaves_the_others_of_the_batch_alone(
    connect: Connector, reports: list[dict[str, Any]]
) -> None:
    failing = recorder_with("data_received", fail)
    connections = [await connect(Recorder if number % 3 else failing) for number in range(10)]
    for connection in connections:
        connection.peer.send(b"x")
    await until(lambda: len(reports) == 4)
    healthy = [c for number, c in enumerate(connections) if number % 3]
    await until(lambda: all(c.protocol.received == b"x" for c in healthy))
    for connection in healthy:
        connection.transport.write(b"y")
    await turns()
    assert all(connection.peer.receive(1) == b"y" for connection in healthy)


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("method", ["data_received", "eof_received"])
def test_exit_and_interrupt_leave_the_loop_and_the_connection_stays_usable(
    loop: Loop, connect: Connector, kind: type[BaseException], method: str
) -> None:
    left: list[str] = []

    def leave(*_: object) -> bool:
        if not left:
            left.append(method)
            raise kind
        return True

    connection = loop.run_until_complete(connect(recorder_with(method, leave)))
    connection.peer.send(b"x")
    if method == "eof_received":
        connection.peer.socket.shutdown(socket.SHUT_WR)
    with pytest.raises(kind):
        loop.run_until_complete(asyncio.sleep(20))
    assert not loop.is_running()
    connection.transport.write(b"still usable")
    connection.transport.close()
    receive = connection.peer.receive_everything_soon()
    assert loop.run_until_complete(receive) == b"still usable"


def test_an_interrupt_leaves_the_data_of_other_connections_for_the_next_run(
    loop: Loop, connect: Connector
) -> None:
    connections = [loop.run_until_complete(connect(Recorder)) for _ in range(5)]
    interrupted: list[bytes] = []

    class Interrupter(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if not interrupted:
                interrupted.append(data)
                raise KeyboardInterrupt

    protocols = [Interrupter() for _ in connections]
    for connection, protocol in zip(connections, protocols, strict=True):
        connection.transport.set_protocol(protocol)
        connection.peer.send(b"x")
    with pytest.raises(KeyboardInterrupt):
        loop.run_until_complete(asyncio.sleep(20))
    loop.run_until_complete(until(lambda: all(p.received == b"x" for p in protocols)))


async def test_a_failing_protocol_factory_is_raised_to_the_caller(loop: Loop) -> None:
    ours, peer = tcp_pair()
    with pytest.raises(ZeroDivisionError):
        await loop.create_connection(lambda: 1 / 0, sock=ours)  # type: ignore[type-var]
    ours.close()
    peer.close()
