"""Datagrams that the kernel doesn't take at once: queued, counted, sent later, or dropped."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Loop
from tests.unit.connections import turns, until
from tests.unit.datagrams import (
    FILLER,
    HAS_HEADER_SIZE,
    Endpoint,
    endpoint,
    full_mailbox,
    receive_all,
    receive_until,
)

HEADER_SIZE = 8 if HAS_HEADER_SIZE else 0

MESSAGE = bytes(1000)


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[socket.socket]:
    with full_mailbox(tmp_path) as full:
        yield full


async def sender_to(mailbox: socket.socket) -> Endpoint:
    return await endpoint(remote_addr=mailbox.getsockname(), family=socket.AF_UNIX)


async def test_what_the_kernel_does_not_take_is_sent_later_in_order(
    loop: Loop, mailbox: socket.socket
) -> None:
    sender = await sender_to(mailbox)
    sent = [b"%d" % i for i in range(50)]
    for data in sent:
        sender.transport.sendto(data)
    received = await receive_until(mailbox, lambda received: len(received) == len(sent))
    assert received == sent
    assert sender.transport.get_write_buffer_size() == 0  # type: ignore[attr-defined]
    await sender.end()


async def test_what_is_queued_goes_to_the_address_it_was_sent_to(
    loop: Loop, mailbox: socket.socket, tmp_path: Path
) -> None:
    sender = await endpoint(local_addr=str(tmp_path / "ours"), family=socket.AF_UNIX)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(str(tmp_path / "other"))
        sender.transport.sendto(b"to a full one", mailbox.getsockname())
        sender.transport.sendto(b"to an empty one", other.getsockname())
        other.setblocking(False)
        with pytest.raises(BlockingIOError):  # it waits behind the first
            other.recv(100)
        assert await receive_until(mailbox, bool) == [b"to a full one"]
        assert await receive_until(other, bool) == [b"to an empty one"]
    await sender.end()


async def test_queued_datagrams_count_with_their_headers(
    loop: Loop, mailbox: socket.socket
) -> None:
    sender = await sender_to(mailbox)
    for data in (b"12345", bytearray(b"12345"), memoryview(b"12345")):
        sender.transport.sendto(data)
    size = sender.transport.get_write_buffer_size()  # type: ignore[attr-defined]
    assert size == 3 * (5 + HEADER_SIZE)
    assert f"write=<polling, bufsize={size}>" in repr(sender.transport)
    await sender.end()


async def test_a_protocol_pauses_above_the_high_mark_and_resumes_at_the_low_one(
    loop: Loop, mailbox: socket.socket
) -> None:
    sender = await sender_to(mailbox)
    transport = sender.transport
    transport.set_write_buffer_limits(high=3 * (1000 + HEADER_SIZE), low=0)  # type: ignore[attr-defined]
    assert transport.get_write_buffer_limits() == (0, 3 * (1000 + HEADER_SIZE))  # type: ignore[attr-defined]
    for _ in range(3):
        transport.sendto(MESSAGE)
    assert "pause_writing" not in sender.calls
    transport.sendto(MESSAGE)
    assert sender.calls[-1] == "pause_writing"
    transport.sendto(MESSAGE)
    received = await receive_until(mailbox, lambda received: len(received) == 5)
    assert received == [MESSAGE] * 5
    await until(lambda: "resume_writing" in sender.calls)
    assert sender.calls == ["connection_made", "pause_writing", "resume_writing"]
    await sender.end()


async def test_lowering_the_marks_pauses_at_once(loop: Loop, mailbox: socket.socket) -> None:
    sender = await sender_to(mailbox)
    sender.transport.sendto(MESSAGE)
    sender.transport.set_write_buffer_limits(high=100)  # type: ignore[attr-defined]
    assert sender.calls[-1] == "pause_writing"
    await sender.end()


async def test_close_sends_what_is_queued(loop: Loop, mailbox: socket.socket) -> None:
    sender = await sender_to(mailbox)
    sender.transport.sendto(b"last words")
    sender.transport.close()
    await turns(5)
    assert "connection_lost" not in sender.calls
    assert await receive_until(mailbox, bool) == [b"last words"]
    await until(lambda: "connection_lost" in sender.calls)
    assert sender.lost_with is None


async def test_abort_drops_what_is_queued(loop: Loop, mailbox: socket.socket) -> None:
    sender = await sender_to(mailbox)
    sender.transport.sendto(b"never mind")
    sender.transport.abort()
    await until(lambda: "connection_lost" in sender.calls)
    assert set(receive_all(mailbox)) == {FILLER}


async def test_an_error_of_a_queued_datagram_is_told_and_the_rest_goes_on(
    loop: Loop, mailbox: socket.socket, tmp_path: Path
) -> None:
    sender = await endpoint(local_addr=str(tmp_path / "ours"), family=socket.AF_UNIX)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(str(tmp_path / "other"))
        sender.transport.sendto(b"first", mailbox.getsockname())
        sender.transport.sendto(b"to nobody", str(tmp_path / "nobody"))
        sender.transport.sendto(b"last", other.getsockname())
        assert not sender.errors
        assert await receive_until(mailbox, bool) == [b"first"]
        assert await receive_until(other, bool) == [b"last"]
    assert [type(error) for error in sender.errors] == [FileNotFoundError]
    await sender.end()


async def test_a_queue_that_empties_by_an_error_still_ends_the_transport(
    loop: Loop, mailbox: socket.socket, tmp_path: Path
) -> None:
    sender = await endpoint(local_addr=str(tmp_path / "ours"), family=socket.AF_UNIX)
    sender.transport.sendto(b"first", mailbox.getsockname())
    sender.transport.sendto(b"to nobody", str(tmp_path / "nobody"))
    sender.transport.close()
    assert await receive_until(mailbox, bool) == [b"first"]
    await until(lambda: "connection_lost" in sender.calls)
    assert [type(error) for error in sender.errors] == [FileNotFoundError]
