"""Water marks: when a transport asks its protocol to pause, and to go on."""

import asyncio
import re
import socket
import sys
import time

import pytest

from tests.conftest import Loop
from tests.unit.connections import Connection, Connector, Recorder, drain, turns, until

# Small beside what is written, yet large enough that TCP does not slow down to single segments.
KERNEL_BUFFER_SIZE = 128 * 1024

MANY_BYTES = bytes(4_000_000)


def give_small_buffers(connection: Connection[Recorder]) -> None:
    """Leaves the kernel little room, so that what is written stays with the transport."""
    ours = connection.transport.get_extra_info("socket")
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER_SIZE)
    connection.peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL_BUFFER_SIZE)


async def choke(connection: Connection[Recorder]) -> None:
    """Writes until the kernel takes no more, and the rest stays with the transport."""
    connection.transport.write(MANY_BYTES)
    await turns(5)
    assert connection.transport.get_write_buffer_size() > 0


async def test_the_marks_are_64_and_16_kib_until_set(connect: Connector) -> None:
    connection = await connect(Recorder)
    assert connection.transport.get_write_buffer_limits() == (16 * 1024, 64 * 1024)


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ({"high": 100}, (25, 100)),
        ({"low": 100}, (100, 400)),
        ({"high": 100, "low": 50}, (50, 100)),
        ({"high": 100, "low": 100}, (100, 100)),
        ({"high": 0}, (0, 0)),
        ({"low": 0}, (0, 0)),
        ({"high": 3}, (0, 3)),
        ({}, (16 * 1024, 64 * 1024)),
    ],
)
async def test_one_mark_follows_from_the_other(
    connect: Connector, marks: dict[str, int], expected: tuple[int, int]
) -> None:
    connection = await connect(Recorder)
    connection.transport.set_write_buffer_limits(**marks)
    assert connection.transport.get_write_buffer_limits() == expected


async def test_marks_need_not_be_small_nor_whole(connect: Connector) -> None:
    connection = await connect(Recorder)
    connection.transport.set_write_buffer_limits(high=10**30, low=0.5)  # type: ignore[arg-type]
    connection.transport.set_write_buffer_limits(high=float("inf"), low=0)  # type: ignore[arg-type]
    connection.transport.write(b"x" * 1000)
    connection.transport.set_write_buffer_limits(high=1e6)  # type: ignore[arg-type]
    assert connection.transport.get_write_buffer_limits()[1] == 1e6
    assert await connection.peer.receive_soon(1000) == b"x" * 1000


@pytest.mark.parametrize(("high", "low"), [(100, 101), (-1, None), (None, -1), (100, -1), (-1, -1)])
async def test_marks_in_the_wrong_order_are_refused(
    connect: Connector, high: int | None, low: int | None
) -> None:
    connection = await connect(Recorder)
    if high is None:
        assert low is not None
        high = 4 * low
    if low is None:
        low = high // 4
    message = f"^high ({high!r}) must be >= low ({low!r}) must be >= 0$"
    with pytest.raises(
        ValueError, match=re.escape(message).replace(r"\^", "^").replace(r"\$", "$")
    ):
        connection.transport.set_write_buffer_limits(high=high, low=low)
    assert connection.transport.get_write_buffer_limits() == (16 * 1024, 64 * 1024)


async def test_passing_the_high_mark_pauses_within_the_write(connect: Connector) -> None:
    connection = await connect(Recorder)
    give_small_buffers(connection)
    await choke(connection)
    assert connection.protocol.calls[-1] == "pause_writing"
    assert connection.protocol.calls.count("pause_writing") == 1


async def test_the_pause_comes_before_write_returns(connect: Connector) -> None:
    connection = await connect(Recorder)
    give_small_buffers(connection)
    connection.transport.set_write_buffer_limits(high=10 * len(MANY_BYTES))
    await choke(connection)
    assert "pause_writing" not in connection.protocol.calls
    size = connection.transport.get_write_buffer_size()
    connection.transport.set_write_buffer_limits(high=size + 100)
    connection.transport.write(bytes(100))
    assert "pause_writing" not in connection.protocol.calls
    connection.transport.write(b"x")
    assert connection.protocol.calls[-1] == "pause_writing"


async def test_setting_lower_marks_pauses_at_once(connect: Connector) -> None:
    connection = await connect(Recorder)
    give_small_buffers(connection)
    connection.transport.set_write_buffer_limits(high=10 * len(MANY_BYTES))
    await choke(connection)
    connection.transport.set_write_buffer_limits(high=100)
    # Python 3.13 and earlier notice it at the next write.
    connection.transport.write(b"x")
    assert connection.protocol.calls[-1] == "pause_writing"


async def test_a_paused_protocol_is_resumed_once_below_the_low_mark(connect: Connector) -> None:
    connection = await connect(Recorder)
    give_small_buffers(connection)
    await choke(connection)
    assert await connection.peer.receive_soon(len(MANY_BYTES)) == MANY_BYTES
    await until(lambda: "resume_writing" in connection.protocol.calls)
    assert connection.protocol.calls == ["connection_made", "pause_writing", "resume_writing"]
    assert connection.transport.get_write_buffer_size() == 0


async def test_a_protocol_is_not_resumed_above_the_low_mark(connect: Connector) -> None:
    connection = await connect(Recorder)
    give_small_buffers(connection)
    connection.transport.set_write_buffer_limits(high=1_000_000, low=0)
    await choke(connection)
    seen: list[int] = []
    protocol = connection.protocol

    def note_size() -> None:
        seen.append(connection.transport.get_write_buffer_size())
        Recorder.resume_writing(protocol)

    protocol.resume_writing = note_size  # type: ignore[method-assign]
    await connection.peer.receive_soon(len(MANY_BYTES))
    await until(lambda: seen)
    assert seen == [0]


async def test_what_is_written_before_the_protocol_resumes_keeps_it_paused(loop: Loop) -> None:
    ours, peer = socket.socketpair()
    peer.setblocking(False)
    transport, protocol = await loop.create_connection(Recorder, sock=ours)
    while not transport.get_write_buffer_size():
        transport.write(bytes(10_000))
    transport.write(bytes(100_000))
    assert protocol.calls == ["connection_made", "pause_writing"]
    drain(peer)
    time.sleep(0.001)  # there is room, and the loop asks for it, before the next call
    loop.call_soon(transport.write, MANY_BYTES)
    await turns(5)
    assert protocol.calls == ["connection_made", "pause_writing"]
    assert transport.get_write_buffer_size() > 0
    while "resume_writing" not in protocol.calls:
        drain(peer)
        await asyncio.sleep(0.001)
    assert protocol.calls == ["connection_made", "pause_writing", "resume_writing"]
    peer.close()
    await until(lambda: protocol.is_lost)


async def test_writing_in_resume_writing_pauses_again(connect: Connector) -> None:
    class Refiller(Recorder):
        refills = 0

        def resume_writing(self) -> None:
            super().resume_writing()
            if self.refills < 3:
                self.refills += 1
                assert isinstance(self.transport, asyncio.Transport)
                self.transport.write(MANY_BYTES)

    connection = await connect(Refiller)
    give_small_buffers(connection)
    await choke(connection)
    received = await connection.peer.receive_soon(4 * len(MANY_BYTES))
    assert len(received) == 4 * len(MANY_BYTES)
    await until(lambda: connection.protocol.calls.count("resume_writing") == 4)
    assert connection.protocol.calls[1:] == ["pause_writing", "resume_writing"] * 4


async def test_writelines_counts_towards_the_marks(connect: Connector, loop_name: str) -> None:
    if loop_name == "asyncio" and (3, 12) <= sys.version_info < (3, 13, 2):
        pytest.skip("asyncio forgot it from Python 3.12.0 to 3.13.1")
    connection = await connect(Recorder)
    give_small_buffers(connection)
    connection.transport.writelines([bytes(1_000_000)] * 4)
    await turns()
    assert connection.protocol.calls[-1] == "pause_writing"


async def test_the_buffer_shrinks_as_the_peer_reads(connect: Connector) -> None:
    connection = await connect(Recorder)
    give_small_buffers(connection)
    await choke(connection)
    before = connection.transport.get_write_buffer_size()
    await connection.peer.receive_soon(1_000_000)
    await until(lambda: connection.transport.get_write_buffer_size() <= before - 900_000)


async def test_a_peer_that_reads_slowly_gets_everything(connect: Connector) -> None:
    class Source(Recorder):
        def __init__(self) -> None:
            super().__init__()
            self.may_write = asyncio.Event()
            self.may_write.set()

        def pause_writing(self) -> None:
            self.may_write.clear()

        def resume_writing(self) -> None:
            self.may_write.set()

    connection = await connect(Source)
    give_small_buffers(connection)
    pieces = [bytes([number % 256]) * 10_007 for number in range(300)]
    expected = b"".join(pieces)
    reading = asyncio.ensure_future(connection.peer.receive_soon(len(expected)))
    biggest = 0
    for piece in pieces:
        await connection.protocol.may_write.wait()
        connection.transport.write(piece)
        biggest = max(biggest, connection.transport.get_write_buffer_size())
    assert await reading == expected
    assert biggest <= 64 * 1024 + len(pieces[0])


@pytest.mark.parametrize("method", ["pause_writing", "resume_writing"])
async def test_a_failing_protocol_is_reported_and_the_data_is_sent(
    connect: Connector, loop: Loop, method: str
) -> None:
    reports: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: reports.append(context))

    def fail() -> None:
        raise ZeroDivisionError

    connection = await connect(Recorder)
    give_small_buffers(connection)
    setattr(connection.protocol, method, fail)
    connection.transport.write(MANY_BYTES)
    assert await connection.peer.receive_soon(len(MANY_BYTES)) == MANY_BYTES
    await until(lambda: reports)
    (report,) = reports
    assert report["message"] == f"protocol.{method}() failed"
    assert isinstance(report["exception"], ZeroDivisionError)
    assert report["transport"] is connection.transport
    assert report["protocol"] is connection.protocol


async def test_losing_the_connection_drops_the_buffer(connect: Connector) -> None:
    connection = await connect(Recorder)
    give_small_buffers(connection)
    await choke(connection)
    connection.peer.reset()
    await until(lambda: connection.protocol.is_lost)
    assert connection.transport.get_write_buffer_size() == 0
    assert isinstance(connection.protocol.lost_with, ConnectionError)
