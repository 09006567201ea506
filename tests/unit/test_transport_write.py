"""What is given to a transport is sent, whole and in order; what cannot be is refused."""

import array
import asyncio
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import Loop
from tests.unit.connections import Connector, Recorder, turns, until


@pytest.mark.parametrize(
    "data",
    [
        b"bytes",
        bytearray(b"bytearray"),
        memoryview(b"memoryview"),
        memoryview(b"..slice..")[2:-2],
        memoryview(bytearray(b"view of a bytearray")),
    ],
)
async def test_each_kind_of_bytes_is_sent(
    connect: Connector, data: bytes | bytearray | memoryview
) -> None:
    connection = await connect(Recorder)
    connection.transport.write(data)
    await turns()
    assert connection.peer.receive(len(data)) == bytes(data)


async def test_a_view_of_larger_items_is_sent_by_its_bytes(connect: Connector) -> None:
    connection = await connect(Recorder)
    view = memoryview(bytes(range(16))).cast("I")
    connection.transport.write(view)
    await turns()
    assert connection.peer.receive(16) == bytes(range(16))


async def test_writes_arrive_in_order(connect: Connector) -> None:
    connection = await connect(Recorder)
    pieces = [str(number).encode() + b"," for number in range(1000)]
    for piece in pieces:
        connection.transport.write(piece)
    assert await connection.peer.receive_soon(len(b"".join(pieces))) == b"".join(pieces)


async def test_writes_of_many_iterations_arrive_in_order(connect: Connector) -> None:
    connection = await connect(Recorder)
    expected = bytearray()
    for number in range(200):
        for piece in (b"head %d " % number, b"body %d " % number):
            connection.transport.write(piece)
            expected += piece
        await asyncio.sleep(0)
    assert await connection.peer.receive_soon(len(expected)) == expected


async def test_a_write_of_nothing_sends_nothing(connect: Connector) -> None:
    connection = await connect(Recorder)
    for nothing in (b"", bytearray(), memoryview(b"")):
        connection.transport.write(nothing)
    await turns()
    assert connection.peer.is_silent()
    assert connection.transport.get_write_buffer_size() == 0


async def test_a_buffer_changed_after_the_iteration_was_sent_as_it_was(
    connect: Connector,
) -> None:
    connection = await connect(Recorder)
    data = bytearray(b"before")
    connection.transport.write(data)
    await turns()
    data[:] = b"after!"
    assert connection.peer.receive(6) == b"before"


async def test_a_buffer_changed_right_after_the_write_is_sent_as_it_was(
    connect: Connector,
) -> None:
    # asyncio sends at once, so programs reuse the buffer that they wrote.
    connection = await connect(Recorder)
    data = bytearray(b"first ")
    connection.transport.write(data)
    data[:] = b"second"
    connection.transport.write(data)
    data.clear()
    await turns()
    assert connection.peer.receive(12) == b"first second"


async def test_a_memoryview_released_right_after_the_write_is_sent(connect: Connector) -> None:
    connection = await connect(Recorder)
    data = bytearray(b"payload")
    view = memoryview(data)
    connection.transport.write(view)
    view.release()
    data.extend(b"a bytearray with an exported buffer could not grow")
    await turns()
    assert connection.peer.receive(7) == b"payload"


async def test_big_data_arrives_whole(connect: Connector) -> None:
    connection = await connect(Recorder)
    data = bytes(range(256)) * (50 * 4096)  # 50 MB
    connection.transport.write(data)
    assert await connection.peer.receive_soon(len(data)) == data
    await until(lambda: connection.transport.get_write_buffer_size() == 0)


async def test_small_and_big_writes_keep_their_order(connect: Connector) -> None:
    connection = await connect(Recorder)
    pieces: list[bytes | bytearray] = [
        b"a",
        b"b" * 300_000,
        b"c",
        bytearray(b"d" * 70_000),
        b"e" * 5_000_000,
        b"f",
    ]
    for piece in pieces:
        connection.transport.write(piece)
    expected = b"".join(pieces)
    assert await connection.peer.receive_soon(len(expected)) == expected


async def test_writelines_sends_all_pieces(connect: Connector) -> None:
    connection = await connect(Recorder)
    connection.transport.writelines([b"one ", bytearray(b"two "), memoryview(b"three")])
    await turns()
    assert connection.peer.receive(13) == b"one two three"


async def test_writelines_takes_a_generator_of_what_was_made_into_a_list(
    connect: Connector,
) -> None:
    connection = await connect(Recorder)
    connection.transport.writelines([b"%d" % number for number in range(5000)])
    expected = b"".join(b"%d" % number for number in range(5000))
    assert await connection.peer.receive_soon(len(expected)) == expected


async def test_writelines_takes_what_has_a_buffer(connect: Connector) -> None:
    connection = await connect(Recorder)
    connection.transport.writelines([array.array("B", b"array, "), b"bytes"])  # type: ignore[list-item]
    await turns()
    assert connection.peer.receive(12) == b"array, bytes"


async def test_writelines_sends_nothing_if_one_piece_cannot_be_sent(
    connect: Connector, loop_name: str
) -> None:
    if loop_name == "asyncio" and sys.version_info >= (3, 15):
        pytest.skip("asyncio queues the pieces before it from 3.15 on")
    connection = await connect(Recorder)
    with pytest.raises(TypeError):
        connection.transport.writelines([b"first", "second"])  # type: ignore[list-item]

    def pieces() -> Iterator[bytes]:
        yield b"first"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        connection.transport.writelines(pieces())
    connection.transport.write(b"alone")
    await turns()
    assert connection.peer.receive(5) == b"alone"


async def test_writelines_of_nothing_sends_nothing(connect: Connector) -> None:
    connection = await connect(Recorder)
    connection.transport.writelines([])
    await turns()
    assert connection.peer.is_silent()


async def test_writelines_keeps_the_order_with_write(connect: Connector) -> None:
    connection = await connect(Recorder)
    connection.transport.write(b"1")
    connection.transport.writelines([b"2", b"3"])
    connection.transport.write(b"4")
    await turns()
    assert connection.peer.receive(4) == b"1234"


@pytest.mark.skipif(sys.version_info < (3, 15), reason="lines that are no bytes are refused")
async def test_writelines_passes_over_lines_that_are_false(connect: Connector) -> None:
    connection = await connect(Recorder)
    lines: Any = [None, b"first, ", "", 0, bytearray(), memoryview(b""), b"second"]
    connection.transport.writelines(lines)
    connection.transport.writelines([None])  # type: ignore[list-item]
    await turns()
    assert connection.peer.receive(13) == b"first, second"


@pytest.mark.parametrize("bad", [[b"first", "text"], [object()], "text", 5])
async def test_writelines_refuses_lines_in_pythons_words(connect: Connector, bad: Any) -> None:
    def check(lines: Any) -> object:
        if sys.version_info < (3, 12):
            return b"".join(lines)
        return [memoryview(line) for line in lines]

    connection = await connect(Recorder)
    with pytest.raises(TypeError) as said:
        check(bad)
    with pytest.raises(TypeError) as caught:
        connection.transport.writelines(bad)
    assert str(caught.value) == str(said.value)


@pytest.mark.parametrize("bad", ["text", 42, None, [1, 2], object()])
async def test_what_is_not_bytes_is_refused(connect: Connector, bad: object) -> None:
    connection = await connect(Recorder)
    # Python 3.13 names the three types where earlier ones said "a bytes-like object".
    message = (
        r"^data argument must be a (bytes-like object|bytes, bytearray, or memoryview object), "
        rf"not '{type(bad).__name__}'$"
    )
    with pytest.raises(TypeError, match=message):
        connection.transport.write(bad)  # type: ignore[arg-type]
    connection.transport.write(b"still usable")
    await turns()
    assert connection.peer.receive(12) == b"still usable"


async def test_a_view_with_gaps_is_sent_right_or_reported(connect: Connector, loop: Loop) -> None:
    # asyncio reports a BufferError and drops the connection.
    reports: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: reports.append(context))
    connection = await connect(Recorder)
    connection.transport.write(memoryview(b"a.b.c.")[::2])
    connection.transport.close()
    received = await connection.peer.receive_everything_soon()
    assert received == (b"" if reports else b"abc")


@pytest.mark.parametrize(
    "write",
    [
        lambda transport: transport.write(b"x"),
        lambda transport: transport.writelines([b"x", b"y"]),
    ],
)
async def test_writing_after_write_eof_is_refused(
    connect: Connector, write: Callable[[asyncio.Transport], None]
) -> None:
    connection = await connect(Recorder)
    connection.transport.write_eof()
    with pytest.raises(RuntimeError, match=r"^Cannot call write(lines)?\(\) after write_eof\(\)$"):
        write(connection.transport)


async def test_writing_after_the_connection_is_lost_warns_from_the_fifth_time_on(
    connect: Connector, caplog: pytest.LogCaptureFixture
) -> None:
    connection = await connect(Recorder)
    connection.transport.abort()
    await until(lambda: connection.protocol.is_lost)
    for _ in range(4):
        connection.transport.write(b"x")
    assert not caplog.records
    connection.transport.write(b"x")
    connection.transport.write(b"x")
    warnings = [record.getMessage() for record in caplog.records if record.name == "asyncio"]
    assert warnings == ["socket.send() raised exception."] * 2
    assert caplog.records[0].levelno == logging.WARNING


async def test_writing_nothing_after_the_connection_is_lost_does_not_count(
    connect: Connector, caplog: pytest.LogCaptureFixture
) -> None:
    connection = await connect(Recorder)
    connection.transport.abort()
    for _ in range(20):
        connection.transport.write(b"")
    assert not caplog.records


async def test_writing_to_a_closing_transport_that_has_sent_everything_is_dropped(
    connect: Connector,
) -> None:
    connection = await connect(Recorder)
    connection.transport.write(b"before")
    connection.transport.close()
    connection.transport.write(b"after")
    assert await connection.peer.receive_everything_soon() == b"before"


async def test_a_write_in_connection_made_is_sent(connect: Connector) -> None:
    class Greeter(Recorder):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            transport.write(b"hello")

    connection = await connect(Greeter)
    await turns()
    assert connection.peer.receive(5) == b"hello"


async def test_a_write_in_data_received_is_sent(connect: Connector) -> None:
    class Echo(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            assert isinstance(self.transport, asyncio.Transport)
            self.transport.write(data)

    connection = await connect(Echo)
    for size in (1, 1000, 100_000):
        connection.peer.send(bytes(size))
        assert await connection.peer.receive_soon(size) == bytes(size)


async def test_copies_that_wait_share_no_memory_with_each_other_or_with_what_was_received(
    connect: Connector,
) -> None:
    kept: list[bytes] = []

    class Echo(Recorder):
        def data_received(self, data: bytes) -> None:
            kept.append(data)
            for copied in (bytearray(data), memoryview(bytearray(data)), data):
                self.transport.write(copied)  # type: ignore[attr-defined]

    connection = await connect(Echo)
    sent = [bytes([number]) * (1000 + number % 7) for number in range(100)]
    for data in sent:
        connection.peer.send(data)
        assert await connection.peer.receive_soon(3 * len(data)) == 3 * data
    assert b"".join(kept) == b"".join(sent)


async def test_a_write_in_eof_received_is_sent(connect: Connector) -> None:
    class LastWords(Recorder):
        def eof_received(self) -> bool | None:
            assert isinstance(self.transport, asyncio.Transport)
            self.transport.write(b"last words")
            return None

    connection = await connect(LastWords)
    connection.peer.socket.shutdown(1)
    assert await connection.peer.receive_everything_soon() == b"last words"


def test_a_write_while_the_loop_rests_is_sent_when_it_runs(loop: Loop, connect: Connector) -> None:
    connection = loop.run_until_complete(connect(Recorder))
    connection.transport.write(b"at rest")
    loop.run_until_complete(turns())
    assert connection.peer.receive(7) == b"at rest"
