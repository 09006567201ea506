"""The rules of a transport over one end of a pipe."""

import asyncio
import errno
import fcntl
import gc
import os
import socket
import tempfile
import time
import warnings
from collections.abc import Iterator
from typing import IO

import pytest

from tests.conftest import Loop, forget
from tests.unit.connections import Recorder, turns, until, until_lost, until_received

MIB = 1 << 20


class Pipe:
    """Both descriptors of a pipe, those that nobody has taken closed after the test."""

    def __init__(self) -> None:
        self.reading, self.writing = os.pipe()
        self._open = {self.reading, self.writing}

    async def read(self, loop: Loop) -> tuple[asyncio.ReadTransport, Recorder]:
        return await loop.connect_read_pipe(Recorder, self.take(self.reading))

    async def write(self, loop: Loop) -> tuple[asyncio.WriteTransport, Recorder]:
        return await loop.connect_write_pipe(Recorder, self.take(self.writing))

    def close(self, fd: int) -> None:
        self._open.discard(fd)
        os.close(fd)

    def take(self, fd: int) -> IO[bytes]:
        """As a file that somebody else closes."""
        self._open.discard(fd)
        return os.fdopen(fd, "rb" if fd == self.reading else "wb", 0)

    def end(self) -> None:
        for fd in self._open:
            os.close(fd)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.end()


def read_everything(fd: int) -> bytes:
    """Waits for the end."""
    received = bytearray()
    while data := os.read(fd, MIB):
        received += data
    return bytes(received)


# ---- both ----------------------------------------------------------------------------------------


async def test_a_regular_file_is_no_pipe(loop: Loop) -> None:
    with tempfile.TemporaryFile("r+b") as file:
        with pytest.raises(ValueError, match=r"^Pipe transport is for pipes/sockets only\.$"):
            await loop.connect_read_pipe(Recorder, file)
        with pytest.raises(ValueError, match="^Pipe transport is only for pipes, sockets and char"):
            await loop.connect_write_pipe(Recorder, file)


async def test_a_transport_names_its_pipe_and_does_not_block_on_it(loop: Loop, pipe: Pipe) -> None:
    reader, _ = await pipe.read(loop)
    writer, _ = await pipe.write(loop)
    for transport, fd in ((reader, pipe.reading), (writer, pipe.writing)):
        assert transport.get_extra_info("pipe").fileno() == fd
        assert not os.get_blocking(fd)
        transport.close()


async def test_what_is_written_is_read(loop: Loop, pipe: Pipe) -> None:
    _, protocol = await pipe.read(loop)
    writer, _ = await pipe.write(loop)
    data = os.urandom(3 * MIB)
    writer.writelines([data[:10], bytearray(data[10:MIB]), memoryview(data)[MIB:]])
    writer.close()
    await until_lost(protocol)
    assert protocol.received == data
    assert protocol.calls[0] == "connection_made"
    assert protocol.calls[-2:] == ["eof_received", "connection_lost"]


@pytest.mark.parametrize("method", ["read", "write"])
def test_a_pipe_that_is_dropped_unclosed_is_warned_of_and_closed(
    loop: Loop, pipe: Pipe, method: str
) -> None:
    transport, protocol = loop.run_until_complete(getattr(pipe, method)(loop))
    fd = transport.get_extra_info("pipe").fileno()
    loop.close()  # which watches it no more
    del protocol.transport
    held = [transport]
    del transport, protocol
    with pytest.warns(ResourceWarning, match="^unclosed transport"):
        forget(held)
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        fcntl.fcntl(fd, fcntl.F_GETFD)


@pytest.mark.parametrize("method", ["read", "write"])
async def test_a_pipe_says_how_it_is(loop: Loop, pipe: Pipe, method: str) -> None:
    transport, protocol = await getattr(pipe, method)(loop)
    fd = transport.get_extra_info("pipe").fileno()
    await turns()
    rest = "polling" if method == "read" else "idle bufsize=0"
    assert repr(transport).endswith(f"PipeTransport fd={fd} {rest}>")
    transport.close()
    assert repr(transport).startswith(f"<{type(transport).__name__} closing fd={fd} ")
    await until_lost(protocol)
    assert repr(transport).startswith(f"<{type(transport).__name__} closed fd={fd}")


# ---- reading -------------------------------------------------------------------------------------


async def test_nothing_is_read_while_reading_is_paused(loop: Loop, pipe: Pipe) -> None:
    transport, protocol = await pipe.read(loop)
    await turns()
    transport.pause_reading()
    transport.pause_reading()
    os.write(pipe.writing, b"later")
    await asyncio.sleep(0.01)
    assert not protocol.received
    transport.resume_reading()
    await until_received(protocol, 5)
    transport.close()
    await until_lost(protocol)


async def test_a_paused_reader_is_told_of_the_end_when_it_resumes(loop: Loop, pipe: Pipe) -> None:
    transport, protocol = await pipe.read(loop)
    await turns()
    transport.pause_reading()
    os.write(pipe.writing, b"the rest")
    pipe.close(pipe.writing)
    await asyncio.sleep(0.01)
    assert protocol.calls == ["connection_made"]
    transport.resume_reading()
    await until_lost(protocol)
    assert protocol.received == b"the rest"


async def test_a_reader_whose_file_somebody_closed_can_only_be_closed(
    loop: Loop, pipe: Pipe
) -> None:
    transport, protocol = await pipe.read(loop)
    await turns()
    transport.pause_reading()
    await turns()
    os.close(pipe.reading)
    for _ in range(2):
        transport.pause_reading()
        with pytest.raises(OSError, match="Bad file descriptor"):
            transport.resume_reading()
    await turns()
    os.dup2(pipe.writing, pipe.reading)  # to be closed by its file
    transport.close()
    await until_lost(protocol)


async def test_data_for_nobody_is_reported_and_dropped(
    loop: Loop, pipe: Pipe, caplog: pytest.LogCaptureFixture
) -> None:
    transport, protocol = await pipe.read(loop)
    transport.set_protocol(None)  # type: ignore[arg-type]
    os.write(pipe.writing, b"x")
    await until(lambda: "no attribute 'data_received'" in caplog.text)
    caplog.clear()
    transport.set_protocol(protocol)
    os.write(pipe.writing, b"y")
    await until_received(protocol, 1)
    assert protocol.received == b"y"
    transport.close()
    await until_lost(protocol)


def test_a_closed_loop_takes_no_pipe(loop: Loop, pipe: Pipe) -> None:
    loop.close()
    fd = pipe.reading
    connecting = pipe.read(loop)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        with pytest.raises(RuntimeError, match="Event loop is closed"):
            connecting.send(None)
        del connecting
        gc.collect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


async def test_a_reader_paused_just_before_it_was_told_of_the_end_is_told_later(
    loop: Loop, pipe: Pipe
) -> None:
    transport, protocol = await pipe.read(loop)
    await turns()
    pipe.close(pipe.writing)
    time.sleep(0.001)  # the loop asks before the next call
    loop.call_soon(transport.pause_reading)
    await asyncio.sleep(0.02)
    assert protocol.calls == ["connection_made"]
    transport.resume_reading()
    await until_lost(protocol)


async def test_no_more_than_256_kib_are_delivered_at_a_time(loop: Loop, pipe: Pipe) -> None:
    fcntl.fcntl(pipe.writing, fcntl.F_SETPIPE_SZ, MIB)
    os.write(pipe.writing, bytes(MIB - 1))
    sizes: list[int] = []

    class Sizes(Recorder):
        def data_received(self, data: bytes) -> None:
            sizes.append(len(data))

    transport, protocol = await loop.connect_read_pipe(Sizes, pipe.take(pipe.reading))
    await until(lambda: sum(sizes) == MIB - 1)
    assert max(sizes) == 256 * 1024
    transport.close()
    await until_lost(protocol)


async def test_an_error_in_data_received_is_reported_and_reading_goes_on(
    loop: Loop, pipe: Pipe
) -> None:
    reports: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: reports.append(context))

    class Raising(Recorder):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            raise ZeroDivisionError

    transport, protocol = await loop.connect_read_pipe(Raising, pipe.take(pipe.reading))
    for number in (1, 2):
        os.write(pipe.writing, b"x")
        await until_received(protocol, number)
    await turns()
    assert [type(report["exception"]) for report in reports] == [ZeroDivisionError] * 2
    assert all(str(report["message"]).startswith("Exception in callback") for report in reports)
    assert not transport.is_closing()
    transport.close()
    await until_lost(protocol)


async def test_a_closed_reader_delivers_no_more(loop: Loop, pipe: Pipe) -> None:
    transport, protocol = await pipe.read(loop)
    await turns()
    os.write(pipe.writing, b"too late")
    transport.close()
    transport.close()
    assert transport.is_closing()
    await until_lost(protocol)
    assert protocol.calls == ["connection_made", "connection_lost"]
    assert protocol.lost_with is None


async def test_a_pipe_does_only_what_its_end_can(loop: Loop, pipe: Pipe) -> None:
    reader, _ = await pipe.read(loop)
    writer, _ = await pipe.write(loop)
    for method in ("is_reading", "pause_reading", "resume_reading"):
        with pytest.raises(NotImplementedError):
            getattr(writer, method)()
    with pytest.raises((NotImplementedError, AttributeError)):
        reader.write(b"x")  # type: ignore[attr-defined]
    reader.close()
    writer.close()


# ---- writing -------------------------------------------------------------------------------------


async def test_a_closed_writer_sends_what_is_queued(loop: Loop, pipe: Pipe) -> None:
    transport, protocol = await pipe.write(loop)
    transport.write(bytes(MIB))
    transport.close()
    transport.write(b"ignored")
    assert transport.is_closing()
    assert not protocol.is_lost
    received = await loop.run_in_executor(None, read_everything, pipe.reading)
    assert received == bytes(MIB)
    await until_lost(protocol)
    assert protocol.lost_with is None


async def test_an_aborted_writer_drops_what_is_queued(loop: Loop, pipe: Pipe) -> None:
    transport, protocol = await pipe.write(loop)
    transport.write(bytes(MIB))
    transport.abort()
    await until_lost(protocol)
    assert protocol.lost_with is None
    assert len(read_everything(pipe.reading)) < MIB


async def test_what_is_written_is_in_the_pipe_at_once(loop: Loop, pipe: Pipe) -> None:
    transport, _ = await pipe.write(loop)
    transport.write(b"one ")
    os.write(pipe.writing, b"two ")
    transport.write(b"three")
    assert os.read(pipe.reading, 100) == b"one two three"
    transport.close()


async def test_a_write_in_the_batch_that_tells_of_the_readers_end_is_a_broken_pipe(
    loop: Loop, pipe: Pipe
) -> None:
    transport, protocol = await pipe.write(loop)
    await turns()
    pipe.close(pipe.reading)
    time.sleep(0.001)  # the loop asks before the next call
    loop.call_soon(transport.write, b"x")
    await until_lost(protocol)
    assert isinstance(protocol.lost_with, BrokenPipeError)


@pytest.mark.parametrize("closes", [False, True])
async def test_a_reader_that_goes_with_data_queued_is_a_broken_pipe(
    loop: Loop, pipe: Pipe, closes: bool
) -> None:
    transport, protocol = await pipe.write(loop)
    await turns()
    transport.write(bytes(MIB))
    if closes:
        transport.close()
    pipe.close(pipe.reading)
    await until_lost(protocol)
    assert isinstance(protocol.lost_with, BrokenPipeError)


async def test_a_write_to_nobody_is_a_broken_pipe(loop: Loop, pipe: Pipe) -> None:
    transport, protocol = await pipe.write(loop)
    await turns()
    pipe.close(pipe.reading)
    transport.write(b"x")
    await until_lost(protocol)
    assert isinstance(protocol.lost_with, BrokenPipeError)
    for _ in range(3):
        transport.write(b"ignored")


async def test_a_writer_is_resumed_at_its_low_water_mark(loop: Loop, pipe: Pipe) -> None:
    transport, protocol = await pipe.write(loop)
    transport.set_write_buffer_limits(high=1000, low=100)
    assert transport.get_write_buffer_limits() == (100, 1000)
    fcntl.fcntl(pipe.writing, fcntl.F_SETPIPE_SZ, 4096)
    transport.write(bytes(4096 + 1000))
    assert protocol.calls == ["connection_made"]
    assert transport.get_write_buffer_size() == 1000
    transport.write(b"x")
    assert protocol.calls == ["connection_made", "pause_writing"]
    os.read(pipe.reading, 4096)
    await until(lambda: protocol.calls[-1] == "resume_writing")
    transport.abort()
    await until_lost(protocol)


async def test_to_end_a_writer_is_to_close_it(loop: Loop, pipe: Pipe) -> None:
    transport, protocol = await pipe.write(loop)
    assert transport.can_write_eof()
    transport.write(b"all")
    transport.write_eof()
    await until_lost(protocol)
    assert os.read(pipe.reading, 10) == b"all"
    assert os.read(pipe.reading, 10) == b""


async def test_what_is_written_at_a_time_stays_in_one_piece(loop: Loop) -> None:
    reading, writing = os.pipe2(os.O_DIRECT)  # a pipe that tells pieces apart
    transport, protocol = await loop.connect_write_pipe(Recorder, os.fdopen(writing, "wb", 0))
    transport.write(b"one")
    transport.write(b"two")
    await turns()
    assert [os.read(reading, 100), os.read(reading, 100)] == [b"one", b"two"]
    os.close(reading)
    await until_lost(protocol)


async def test_packets_stay_packets(loop: Loop) -> None:
    ours, peer = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    transport, protocol = await loop.connect_write_pipe(Recorder, ours)
    transport.write(b"one")
    transport.write(b"two")
    await turns()
    assert [peer.recv(100), peer.recv(100)] == [b"one", b"two"]
    peer.close()
    await until_lost(protocol)


async def test_one_device_is_read_and_written_by_one_descriptor(loop: Loop) -> None:
    master, slave = os.openpty()
    with os.fdopen(os.dup(slave), "wb", 0) as terminal:
        file = os.fdopen(master, "r+b", 0)
        reader, reading = await loop.connect_read_pipe(Recorder, file)
        writer, writing = await loop.connect_write_pipe(Recorder, file)
        terminal.write(b"to the master\n")
        await until(lambda: b"to the master" in reading.received)
        writer.write(b"to the slave\n")
        await turns()
        assert os.read(slave, 100) == b"to the slave\n"
        reader.close()
        writer.abort()
        await until(lambda: reading.is_lost and writing.is_lost)
    os.close(slave)
