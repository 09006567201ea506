"""What a loop does, in its simplest use, and what of the standard library's is set at start."""

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from rloop import RLoop, TokioLoop
from tests.conftest import Loop, LoopFactory
from tests.unit.connections import turns, until
from tests.unit.tls.peers import certificates

MOST_WITHIN_AN_OBJECT = 30  # SHARED_KEYS_MAX_SIZE of CPython


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


@pytest.mark.parametrize("cls", [RLoop, TokioLoop])
def test_python_keeps_the_attributes_of_a_loop_within_it(cls: type[RLoop]) -> None:
    loop = cls()
    loop.close()
    # As it does for an object of a class that has met no more than so many.
    attributes = {*vars(loop), "create_future", *getattr(cls, "__static_attributes__", ())}
    slots = {slot for base in cls.__mro__ for slot in getattr(base, "__slots__", ())}
    assert len(attributes - slots) <= MOST_WITHIN_AN_OBJECT


async def test_tls_streams_carry_data(loop: Loop) -> None:
    server_side = certificates().server_context()
    client_side = certificates().client_context()
    server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=server_side)
    reader, writer = await asyncio.open_connection(
        *server.sockets[0].getsockname(), ssl=client_side, server_hostname="localhost"
    )
    assert writer.get_extra_info("ssl_object").version().startswith("TLS")
    writer.write(b"x" * 500_000)
    assert await reader.readexactly(500_000) == b"x" * 500_000
    writer.close()
    await writer.wait_closed()
    server.close()
    await asyncio.sleep(0.02)


async def test_datagrams_are_sent_and_received(loop: Loop) -> None:
    class Collector(asyncio.DatagramProtocol):
        def __init__(self) -> None:
            self.received: list[bytes] = []

        def datagram_received(self, data: bytes, addr: object) -> None:
            self.received.append(data)

    receiver, protocol = await loop.create_datagram_endpoint(Collector, local_addr=("127.0.0.1", 0))
    sender, _ = await loop.create_datagram_endpoint(
        Collector, remote_addr=receiver.get_extra_info("sockname")
    )
    for number in range(5):
        sender.sendto(b"%d" % number)
    await until(lambda: len(protocol.received) == 5)
    assert protocol.received == [b"0", b"1", b"2", b"3", b"4"]
    sender.close()
    receiver.close()
    await turns()


async def test_unix_streams_carry_data(loop: Loop, tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    async with await asyncio.start_unix_server(echo, path):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"x" * 500_000)
        assert await reader.readexactly(500_000) == b"x" * 500_000
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep(0.01)


async def test_a_subprocess_is_run(loop: Loop) -> None:
    program = "import sys; print(sys.stdin.read().upper()); sys.exit(3)"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    output, _ = await process.communicate(b"shout")
    assert output == b"SHOUT\n"
    assert process.returncode == 3


async def test_a_shell_command_is_run(loop: Loop) -> None:
    process = await asyncio.create_subprocess_shell("echo out; exit 4", stdout=subprocess.PIPE)
    output, _ = await process.communicate()
    assert (output, process.returncode) == (b"out\n", 4)


async def test_a_subprocess_is_killed(loop: Loop) -> None:
    process = await asyncio.create_subprocess_exec("sleep", "60")
    process.kill()
    assert await process.wait() == -9


async def test_pipes_carry_data(loop: Loop) -> None:
    ours, peer = socket.socketpair()
    reader = asyncio.StreamReader()
    read_transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), ours.makefile("rb", buffering=0)
    )
    write_transport, _ = await loop.connect_write_pipe(
        asyncio.Protocol, peer.makefile("wb", buffering=0)
    )
    write_transport.write(b"through the pipe")
    assert await reader.readexactly(16) == b"through the pipe"
    write_transport.close()
    read_transport.close()
    await turns()
    ours.close()
    peer.close()


async def test_transports_tell_whether_they_are_watched(loop: Loop) -> None:
    datagrams, _ = await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
    )
    await turns()
    assert "read=polling" in repr(datagrams)
    assert "write=<idle, " in repr(datagrams)
    datagrams.close()
    ours, peer = socket.socketpair()
    pipe, _ = await loop.connect_read_pipe(asyncio.Protocol, ours.makefile("rb", buffering=0))
    await turns()
    assert repr(pipe).endswith(" polling>")
    pipe.pause_reading()
    assert repr(pipe).endswith(" idle>")
    pipe.close()
    await turns()
    ours.close()
    peer.close()


async def test_a_file_is_sent(loop: Loop, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 10_000)
    received: list[bytes] = []

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.read(-1))
        writer.close()

    async with await asyncio.start_server(receive, "127.0.0.1", 0) as server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"head")
        with path.open("rb") as file:
            assert await loop.sendfile(writer.transport, file) == path.stat().st_size
        writer.write(b"foot")
        writer.close()
        await writer.wait_closed()
        await until(lambda: received)
    assert received == [b"head" + path.read_bytes() + b"foot"]
    await turns(5)


async def test_start_tls_upgrades_a_connection(loop: Loop) -> None:
    server_side = certificates().server_context()
    client_side = certificates().client_context()

    async def upgrade(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readline() == b"STARTTLS\n"
        writer.write(b"GO\n")
        await writer.start_tls(server_side)
        writer.write(await reader.readline())
        writer.close()

    server = await asyncio.start_server(upgrade, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"STARTTLS\n")
    assert await reader.readline() == b"GO\n"
    await writer.start_tls(client_side, server_hostname="localhost")
    writer.write(b"secret\n")
    assert await reader.readline() == b"secret\n"
    writer.close()
    await writer.wait_closed()
    server.close()
    await asyncio.sleep(0.02)


def test_a_subclass_has_its_own_futures_and_debug_mode(loop_factory: LoopFactory) -> None:
    class Future(asyncio.Future[None]):
        pass

    class Special(loop_factory):  # type: ignore[misc, valid-type]
        def create_future(self) -> Future:
            return Future(loop=self)

        def get_debug(self) -> bool:
            return False

    loop = Special()
    loop.set_debug(True)
    assert type(loop.create_future()) is Future
    assert not loop.get_debug()
    loop.close()


def test_the_debug_mode_is_as_it_was_set(loop: Loop) -> None:
    assert loop.get_debug() is False
    for enabled in (True, False):
        loop.set_debug(enabled)
        assert loop.get_debug() is enabled


def test_a_closed_loop_still_makes_futures(loop_factory: LoopFactory) -> None:
    loop = loop_factory()
    loop.close()
    assert loop.create_future().get_loop() is loop
