"""``sendfile`` and ``sock_sendfile``: what arrives, in which order, where the file stands then."""

import asyncio
import io
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from tests.conftest import Loop
from tests.unit.connections import Connector, Recorder, tcp_pair, turns, until

# More than the buffers of a connection hold, so that sending has to wait for the peer.
CONTENT = os.urandom(1 << 16) * 160


@pytest.fixture
def file(tmp_path: Path) -> Iterator[IO[bytes]]:
    path = tmp_path / "content"
    path.write_bytes(CONTENT)
    with path.open("rb") as opened:
        yield opened


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, peer = tcp_pair()
    ours.setblocking(False)
    with ours, peer:
        yield ours, peer


async def test_a_file_arrives_between_what_is_written_before_and_after(
    loop: Loop, connect: Connector, file: IO[bytes]
) -> None:
    connection = await connect(Recorder)
    before, after = b"b" * 300_000, b"after"
    connection.transport.write(before)
    receiving = asyncio.ensure_future(connection.peer.receive_everything_soon())
    assert await loop.sendfile(connection.transport, file) == len(CONTENT)
    connection.transport.write(after)
    connection.transport.close()
    assert await receiving == before + CONTENT + after
    assert file.tell() == len(CONTENT)


@pytest.mark.parametrize(
    ("offset", "count", "expected"),
    [
        (0, 10, 10),
        (5, 100_000, 100_000),
        (5, None, len(CONTENT) - 5),
        (len(CONTENT) - 7, 100, 7),
        (len(CONTENT), None, 0),
        (len(CONTENT) + 1, 10, 0),
    ],
)
async def test_a_part_of_a_file_arrives(
    loop: Loop,
    connect: Connector,
    file: IO[bytes],
    offset: int,
    count: int | None,
    expected: int,
) -> None:
    connection = await connect(Recorder)
    receiving = asyncio.ensure_future(connection.peer.receive_everything_soon())
    assert await loop.sendfile(connection.transport, file, offset, count) == expected
    connection.transport.close()
    assert await receiving == CONTENT[offset : offset + expected]
    if expected:  # else it depends on the version of asyncio
        assert file.tell() == offset + expected


async def test_the_peer_is_heard_again_after_a_sendfile(
    loop: Loop, connect: Connector, file: IO[bytes]
) -> None:
    connection = await connect(Recorder)
    receiving = asyncio.ensure_future(connection.peer.receive_soon(len(CONTENT)))
    connection.peer.send(b"before")
    await until(lambda: connection.protocol.received)
    assert await loop.sendfile(connection.transport, file) == len(CONTENT)
    await receiving
    connection.peer.send(b", after")
    await until(lambda: bytes(connection.protocol.received) == b"before, after")


async def test_nothing_can_be_written_while_a_file_is_sent(
    loop: Loop, connect: Connector, file: IO[bytes]
) -> None:
    connection = await connect(Recorder)
    sending = asyncio.ensure_future(loop.sendfile(connection.transport, file))
    await turns(3)
    with pytest.raises(RuntimeError, match="sendfile is in progress"):
        connection.transport.write(b"x")
    assert len(await connection.peer.receive_soon(len(CONTENT))) == len(CONTENT)
    await sending


async def test_a_peer_that_goes_away_midway_is_an_error(
    loop: Loop, connect: Connector, file: IO[bytes]
) -> None:
    connection = await connect(Recorder)
    sending = asyncio.ensure_future(loop.sendfile(connection.transport, file))
    await connection.peer.receive_soon(100_000)
    connection.peer.reset()
    with pytest.raises(ConnectionError):
        await sending
    assert 100_000 <= file.tell() < len(CONTENT)


async def test_a_cancelled_sendfile_stops_and_the_transport_goes_on(
    loop: Loop, connect: Connector, file: IO[bytes]
) -> None:
    connection = await connect(Recorder)
    sending = asyncio.ensure_future(loop.sendfile(connection.transport, file))
    head = await connection.peer.receive_soon(100_000)
    await turns(3)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    await turns(3)
    connection.transport.write(b"the end")
    connection.transport.close()
    everything = head + await connection.peer.receive_everything_soon()
    assert everything == CONTENT[: len(everything) - 7] + b"the end"


async def test_callbacks_go_on_while_files_are_sent(
    loop: Loop, connect: Connector, file: IO[bytes]
) -> None:
    several = [await connect(Recorder) for _ in range(3)]
    receiving = [
        asyncio.ensure_future(connection.peer.receive_soon(3 * len(CONTENT)))
        for connection in several
    ]

    async def send(transport: asyncio.Transport) -> None:
        for _ in range(3):
            with Path(file.name).open("rb") as own:
                assert await loop.sendfile(transport, own) == len(CONTENT)

    sending = asyncio.gather(*(send(connection.transport) for connection in several))
    rounds = 0
    while not sending.done():
        rounds += 1
        await asyncio.sleep(0)
    await sending
    assert rounds > len(several)
    assert {bytes(content) for content in await asyncio.gather(*receiving)} == {CONTENT * 3}


async def test_what_is_no_file_of_the_kernels_is_read_and_written(
    loop: Loop, connect: Connector
) -> None:
    connection = await connect(Recorder)
    receiving = asyncio.ensure_future(connection.peer.receive_everything_soon())
    assert await loop.sendfile(connection.transport, io.BytesIO(CONTENT)) == len(CONTENT)
    connection.transport.close()
    assert await receiving == CONTENT


async def test_a_paused_protocol_resumes_after_the_fallback(loop: Loop, connect: Connector) -> None:
    connection = await connect(Recorder)
    written = bytes(1 << 24)
    connection.transport.write(written)
    assert connection.protocol.calls[-1] == "pause_writing"
    receiving = asyncio.ensure_future(connection.peer.receive_everything_soon())
    # All alike: from 3.12 on asyncio's transport keeps views of the buffer that is read into again.
    content = b"x" * len(CONTENT)
    await loop.sendfile(connection.transport, io.BytesIO(content))
    await until(lambda: connection.protocol.calls[-1] == "resume_writing")
    connection.transport.close()
    assert await receiving == written + content


async def test_without_the_fallback_what_is_no_file_is_an_error(
    loop: Loop, connect: Connector
) -> None:
    connection = await connect(Recorder)
    with pytest.raises(asyncio.SendfileNotAvailableError, match="not a regular file"):
        await loop.sendfile(connection.transport, io.BytesIO(b"x"), fallback=False)
    connection.transport.write(b"still there")
    assert await connection.peer.receive_soon(11) == b"still there"


async def test_a_closing_transport_takes_no_file(
    loop: Loop, connect: Connector, file: IO[bytes]
) -> None:
    connection = await connect(Recorder)
    connection.transport.close()
    with pytest.raises(RuntimeError, match="Transport is closing"):
        await loop.sendfile(connection.transport, file)


async def test_the_position_of_a_file_moves_as_in_asyncio_when_nothing_is_sent(
    loop: Loop, pair: Any, file: IO[bytes]
) -> None:
    """Some versions move it, some don't: the coroutine of asyncio's own class says which."""
    ours, _ = pair
    natively = asyncio.SelectorEventLoop._sock_sendfile_native  # type: ignore[attr-defined]
    assert await natively(loop, ours, file, len(CONTENT), None) == 0
    position = file.tell()
    file.seek(0)
    assert await loop.sock_sendfile(ours, file, len(CONTENT)) == 0
    assert file.tell() == position


async def test_an_empty_file_is_sent(loop: Loop, connect: Connector, tmp_path: Path) -> None:
    connection = await connect(Recorder)
    (tmp_path / "empty").touch()
    with (tmp_path / "empty").open("rb") as empty:
        assert await loop.sendfile(connection.transport, empty) == 0


async def test_more_than_two_gigabytes_can_be_counted(
    loop: Loop, connect: Connector, tmp_path: Path
) -> None:
    """A hole at the end of a file: sent from behind the border of what 32 bits hold."""
    connection = await connect(Recorder)
    border = 1 << 32
    with (tmp_path / "sparse").open("wb") as sparse:
        sparse.seek(border)
        sparse.write(b"behind the border")
    with (tmp_path / "sparse").open("rb") as sparse:
        assert await loop.sendfile(connection.transport, sparse, border - 3, 10) == 10
        assert sparse.tell() == border + 7
    assert await connection.peer.receive_soon(10) == b"\0\0\0behind "


async def test_sock_sendfile_sends_a_file(loop: Loop, pair: Any, file: IO[bytes]) -> None:
    ours, peer = pair

    def receive() -> bytes:
        received = bytearray()
        while len(received) < len(CONTENT):
            received += peer.recv(1 << 20)
        return bytes(received)

    receiving = loop.run_in_executor(None, receive)
    assert await loop.sock_sendfile(ours, file) == len(CONTENT)
    assert await receiving == CONTENT
    assert file.tell() == len(CONTENT)


@pytest.mark.parametrize(("offset", "count"), [(-1, None), (0, 0), (0, -1)])
async def test_sock_sendfile_refuses_wrong_numbers(
    loop: Loop, pair: Any, file: IO[bytes], offset: int, count: int | None
) -> None:
    with pytest.raises(ValueError, match="must be a"):
        await loop.sock_sendfile(pair[0], file, offset, count)


async def test_sock_sendfile_wants_a_binary_file(loop: Loop, pair: Any, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("x")
    with (
        (tmp_path / "text").open() as text,
        pytest.raises(ValueError, match="should be opened in binary mode"),
    ):
        await loop.sock_sendfile(pair[0], text)  # type: ignore[arg-type]
