"""What cannot be sent as it lies in memory: views whose bytes are not in a row."""

import asyncio
import os
import socket
import sys
from typing import Any

import pytest

from tests.conftest import Loop
from tests.unit.connections import Connector, Recorder, until, until_lost
from tests.unit.datagrams import Endpoint
from tests.unit.tls.peers import certificates

SCATTERED = [memoryview(b"every other byte")[::2], memoryview(bytearray(b"backwards"))[::-1]]
ERROR = "underlying buffer is not C-contiguous"

each_view = pytest.mark.parametrize("view", SCATTERED, ids=["strided", "reversed"])


@pytest.fixture
def reports(loop: Loop) -> list[dict[str, Any]]:
    """What the loop's exception handler is told."""
    told: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: told.append(context))
    return told


def messages(reports: list[dict[str, Any]]) -> list[str]:
    """Each of them is of a view that could not be sent."""
    for report in reports:
        assert isinstance(report["exception"], BufferError)
        assert ERROR in str(report["exception"])
    return [report["message"] for report in reports]


@each_view
async def test_written_to_a_socket_it_ends_the_connection(
    connect: Connector, reports: list[dict[str, Any]], view: memoryview
) -> None:
    connection = await connect(Recorder)
    connection.transport.write(b"before")
    connection.transport.write(view)
    assert connection.transport.is_closing()
    await until_lost(connection.protocol)
    assert isinstance(connection.protocol.lost_with, BufferError)
    assert messages(reports) == ["Fatal write error on socket transport"]
    assert connection.peer.receive_everything() == b"before"


@each_view
async def test_written_to_a_closed_transport_it_is_lost(
    connect: Connector, reports: list[dict[str, Any]], view: memoryview
) -> None:
    connection = await connect(Recorder)
    connection.transport.close()
    connection.transport.write(view)
    await until_lost(connection.protocol)
    assert connection.protocol.lost_with is None
    assert messages(reports) == []


@each_view
async def test_none_of_several_pieces_is_sent_with_it(
    connect: Connector, reports: list[dict[str, Any]], view: memoryview
) -> None:
    connection = await connect(Recorder)
    pieces: list[bytes | memoryview] = [b"first", view, b"last"]
    if sys.version_info < (3, 12):
        with pytest.raises(TypeError, match="sequence item 1: expected a bytes-like object"):
            connection.transport.writelines(pieces)
        assert not connection.transport.is_closing()
        connection.transport.abort()
    else:
        connection.transport.writelines(pieces)
    await until_lost(connection.protocol)
    assert messages(reports) == (
        [] if sys.version_info < (3, 12) else ["Fatal write error on socket transport"]
    )
    assert connection.peer.receive_everything() == b""


@each_view
async def test_written_to_a_pipe_it_ends_the_connection(
    loop: Loop, reports: list[dict[str, Any]], view: memoryview
) -> None:
    reading, writing = os.pipe()
    transport, protocol = await loop.connect_write_pipe(Recorder, os.fdopen(writing, "wb", 0))
    transport.write(b"before")
    transport.write(view)
    await until_lost(protocol)
    assert isinstance(protocol.lost_with, BufferError)
    assert messages(reports) == ["Fatal write error on pipe transport"]
    assert os.read(reading, 100) == b"before"
    os.close(reading)


@each_view
@pytest.mark.parametrize("is_connected", [False, True])
async def test_sent_as_a_datagram_it_ends_the_endpoint(
    loop: Loop, reports: list[dict[str, Any]], view: memoryview, is_connected: bool
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        address = peer.getsockname()
        transport, endpoint = await loop.create_datagram_endpoint(
            Endpoint,
            local_addr=("127.0.0.1", 0),
            remote_addr=address if is_connected else None,
        )
        transport.sendto(view, None if is_connected else address)
        await until(lambda: "connection_lost" in endpoint.calls)
    assert isinstance(endpoint.lost_with, BufferError)
    assert endpoint.errors == []
    assert messages(reports) == ["Fatal write error on datagram transport"]


@each_view
@pytest.mark.parametrize("by", ["write", "writelines"])
async def test_written_to_a_tls_connection_it_ends_that(
    loop: Loop, reports: list[dict[str, Any]], view: memoryview, by: str
) -> None:
    server = await loop.create_server(
        asyncio.Protocol, "127.0.0.1", 0, ssl=certificates().server_context()
    )
    transport, protocol = await loop.create_connection(
        Recorder,
        *server.sockets[0].getsockname(),
        ssl=certificates().client_context(),
        server_hostname="localhost",
    )
    if by == "write":
        transport.write(view)
    else:
        transport.writelines([view])
    await until_lost(protocol)
    assert isinstance(protocol.lost_with, BufferError)
    assert messages(reports) == ["Fatal error on SSL protocol"]
    server.close()
    await server.wait_closed()
