"""Pipes, FIFOs, terminals and subprocesses as transports."""

import asyncio
import os
import pty
import signal
import socket
import sys
from pathlib import Path
from typing import IO

import pytest

from tests.conftest import Loop
from tests.unit.connections import Recorder, turns, until


async def read_from(
    loop: Loop, file: IO[bytes] | socket.socket
) -> tuple[asyncio.BaseTransport, Recorder]:
    return await loop.connect_read_pipe(Recorder, file)


async def test_a_fifo_is_read_until_its_writer_closes(loop: Loop, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    reading = os.fdopen(os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK), "rb", 0)
    writing = os.open(tmp_path / "fifo", os.O_WRONLY)
    _, protocol = await read_from(loop, reading)
    os.write(writing, b"through the fifo")
    await until(lambda: protocol.received == b"through the fifo")
    os.close(writing)
    await until(lambda: protocol.is_lost)
    assert reading.closed


async def test_a_socket_is_read_as_a_pipe(loop: Loop) -> None:
    ours, peer = socket.socketpair()
    _, protocol = await read_from(loop, ours)
    peer.send(b"through the socket")
    await until(lambda: protocol.received == b"through the socket")
    peer.close()
    await until(lambda: protocol.is_lost)


async def test_a_terminal_is_read_and_written(loop: Loop) -> None:
    master, slave = pty.openpty()
    reader, protocol = await read_from(loop, os.fdopen(master, "rb", 0))
    writer, writing = await loop.connect_write_pipe(Recorder, os.fdopen(slave, "wb", 0))
    writer.write(b"to the terminal\n")
    await until(lambda: b"to the terminal" in protocol.received)
    reader.close()
    writer.abort()
    await until(lambda: protocol.is_lost and writing.is_lost)


async def test_a_full_pipe_pauses_its_writer(loop: Loop) -> None:
    reading, writing = os.pipe()
    transport, protocol = await loop.connect_write_pipe(Recorder, os.fdopen(writing, "wb", 0))
    data = bytes(1 << 20)
    transport.write(data)
    assert protocol.calls == ["connection_made", "pause_writing"]
    received = 0
    os.set_blocking(reading, False)
    while received < len(data):
        try:
            received += len(os.read(reading, 1 << 16))
        except BlockingIOError:
            await asyncio.sleep(0)
    await until(lambda: protocol.calls[-1] == "resume_writing")
    transport.close()
    await until(lambda: protocol.is_lost)
    os.close(reading)


async def test_a_pipe_without_a_reader_is_lost(loop: Loop) -> None:
    reading, writing = os.pipe()
    _, protocol = await loop.connect_write_pipe(Recorder, os.fdopen(writing, "wb", 0))
    os.close(reading)
    await until(lambda: protocol.is_lost)


async def test_two_hundred_children_run_at_a_time(loop: Loop) -> None:
    async def run(number: int) -> bytes:
        process = await asyncio.create_subprocess_exec(
            "/bin/cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate(b"%d" % number)
        assert process.returncode == 0
        return output

    count = 200
    before = len(os.listdir("/dev/fd"))
    outputs = await asyncio.gather(*map(run, range(count)))
    assert outputs == [b"%d" % number for number in range(count)]
    await until(lambda: len(os.listdir("/dev/fd")) <= before)


async def test_a_shell_command_is_run(loop: Loop) -> None:
    process = await asyncio.create_subprocess_shell(
        "echo out; echo err >&2; exit 3",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert await process.communicate() == (b"out\n", b"err\n")
    assert process.returncode == 3


async def test_a_signal_ends_a_child(loop: Loop) -> None:
    process = await asyncio.create_subprocess_exec("/bin/sleep", "100")
    process.send_signal(signal.SIGUSR1)
    assert await process.wait() == -signal.SIGUSR1


async def test_a_program_that_is_not_there_is_an_error(loop: Loop) -> None:
    before = len(os.listdir("/dev/fd"))
    with pytest.raises(FileNotFoundError):
        await asyncio.create_subprocess_exec("/no/such/program", stdout=asyncio.subprocess.PIPE)
    await turns(3)
    assert len(os.listdir("/dev/fd")) <= before


async def test_megabytes_go_through_a_child(loop: Loop) -> None:
    data = os.urandom(1 << 20) * 4
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "import sys, shutil; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate(data)
    assert output == data


async def test_a_cancelled_wait_leaves_the_child_running(loop: Loop) -> None:
    process = await asyncio.create_subprocess_exec("/bin/sleep", "100")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(process.wait(), 0.01)
    assert process.returncode is None
    process.kill()
    assert await process.wait() == -signal.SIGKILL
