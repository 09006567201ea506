"""A connection that fails in both directions at once is lost with the error of the receive.

Reading comes first, as in asyncio: what a receive would have said of a reset, a send before it
would have taken away.
"""

import asyncio
from collections.abc import Callable

import pytest

from tests.conftest import Loop
from tests.unit.connections import (
    BufferedRecorder,
    Connector,
    Recorder,
    until,
    until_lost,
)
from tests.unit.successors import Pair

MUCH = 30_000_000  # bytes, more than a socket takes
MUCH_FOR_UNIX = 3_000_000

MakeProtocol = Callable[[], Recorder | BufferedRecorder]
protocols = pytest.mark.parametrize("make", [Recorder, BufferedRecorder])


@protocols
async def test_a_reset_while_much_waits_to_be_sent_is_no_end(
    connect: Connector, make: MakeProtocol
) -> None:
    connection = await connect(make)
    connection.transport.write(bytes(MUCH))
    await asyncio.sleep(0.01)
    connection.peer.reset()
    await until_lost(connection.protocol)
    assert isinstance(connection.protocol.lost_with, ConnectionResetError)
    assert "eof_received" not in connection.protocol.calls


@protocols
async def test_what_a_peer_left_unread_is_a_reset(
    loop: Loop, pair: Pair, make: MakeProtocol
) -> None:
    transport, protocol = await loop.create_connection(make, sock=pair[0])
    transport.write(bytes(MUCH_FOR_UNIX))
    await asyncio.sleep(0.01)
    pair[1].close()
    await until_lost(protocol)
    assert isinstance(protocol.lost_with, ConnectionResetError)


@protocols
async def test_data_that_came_before_it_is_delivered(
    loop: Loop, pair: Pair, make: MakeProtocol
) -> None:
    transport, protocol = await loop.create_connection(make, sock=pair[0])
    transport.write(bytes(MUCH_FOR_UNIX))
    await asyncio.sleep(0.01)
    pair[1].send(b"last words")
    pair[1].close()
    await until_lost(protocol)
    assert protocol.received == b"last words"


@protocols
async def test_who_receives_all_the_time_goes_on_to_send(
    loop: Loop, pair: Pair, make: MakeProtocol
) -> None:
    transport, _ = await loop.create_connection(make, sock=pair[0])
    transport.write(bytes(MUCH_FOR_UNIX))
    sent = 0

    def send_and_receive() -> bool:
        nonlocal sent
        pair[1].send(b"more")  # so that there always is something
        sent += len(pair[1].recv(100_000))
        return sent == MUCH_FOR_UNIX

    await until(send_and_receive)
    assert transport.get_write_buffer_size() == 0
    transport.abort()
