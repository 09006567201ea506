"""Unix stream sockets: paths, abstract names, sockets given, and what is left on the disk."""

import asyncio
import os
import socket
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Loop
from tests.unit.connections import Recorder, turns, until

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="abstract names are Linux's")


class Echo(asyncio.Protocol):
    """Sends back what it gets."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


async def ask(loop: Loop, path: str | None = None, sock: socket.socket | None = None) -> Any:
    """Has a message echoed; returns the peer's name."""
    transport, protocol = await loop.create_unix_connection(Recorder, path, sock=sock)
    transport.write(b"echo")
    await until(lambda: protocol.received == b"echo")
    peer = transport.get_extra_info("peername")
    transport.close()
    await until(lambda: protocol.is_lost)
    return peer


async def close(server: asyncio.Server) -> None:
    server.close()
    await server.wait_closed()
    await turns(3)


@pytest.mark.parametrize("kind", [str, os.fsencode, Path])
async def test_a_path_may_be_of_any_kind(loop: Loop, tmp_path: Path, kind: type) -> None:
    path = str(tmp_path / "socket")
    server = await loop.create_unix_server(Echo, kind(path))
    assert await ask(loop, kind(path)) == path
    assert stat.S_ISSOCK((tmp_path / "socket").stat().st_mode)
    await close(server)


@linux_only
async def test_a_name_may_be_abstract(loop: Loop) -> None:
    name = f"\0rloop-test-{os.getpid()}"
    server = await loop.create_unix_server(Echo, name)
    assert await ask(loop, name) == os.fsencode(name)
    await close(server)


async def test_sockets_may_be_given(loop: Loop, tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    server = await loop.create_unix_server(Echo, sock=listening)
    connected = socket.socket(socket.AF_UNIX)
    connected.connect(path)
    connected.setblocking(False)
    assert await ask(loop, sock=connected) == path
    await close(server)


async def test_a_stale_socket_is_replaced(loop: Loop, tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(path)
    server = await loop.create_unix_server(Echo, path)
    await ask(loop, path)
    await close(server)


async def test_another_file_is_not_replaced(loop: Loop, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("precious")
    with pytest.raises(OSError, match="already in use"):
        await loop.create_unix_server(Echo, str(path))
    assert path.read_text() == "precious"


@pytest.mark.skipif(sys.version_info < (3, 13), reason="new in Python 3.13")
@pytest.mark.parametrize("cleanup", [True, False])
async def test_a_closed_server_removes_its_socket_unless_told_not_to(
    loop: Loop, tmp_path: Path, cleanup: bool
) -> None:
    path = tmp_path / "socket"
    server = await loop.create_unix_server(Echo, str(path), cleanup_socket=cleanup)  # type: ignore[call-arg]
    await close(server)
    assert path.exists() is not cleanup


@pytest.mark.skipif(sys.version_info < (3, 13), reason="new in Python 3.13")
async def test_a_closed_server_leaves_a_successors_socket(loop: Loop, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    first = await loop.create_unix_server(Echo, str(path))
    second = await loop.create_unix_server(Echo, str(path))
    await close(first)
    await ask(loop, str(path))
    await close(second)
    assert not path.exists()


async def test_a_socket_has_the_permissions_of_the_umask(loop: Loop, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    previous = os.umask(0o077)
    try:
        server = await loop.create_unix_server(Echo, str(path))
    finally:
        os.umask(previous)
    assert path.stat().st_mode & 0o777 == 0o700
    await close(server)


async def test_nobody_listening_is_an_error(loop: Loop, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await loop.create_unix_connection(Recorder, str(tmp_path / "nobody"))
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(tmp_path / "stale"))
    with pytest.raises(ConnectionRefusedError):
        await loop.create_unix_connection(Recorder, str(tmp_path / "stale"))


async def test_a_path_or_a_socket_is_needed_and_not_both(loop: Loop, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no path and sock"):
        await loop.create_unix_connection(Recorder)
    with pytest.raises(ValueError, match="path was not specified"):
        await loop.create_unix_server(Echo)
    with socket.socket(socket.AF_UNIX) as given:
        with pytest.raises(ValueError, match="at the same time"):
            await loop.create_unix_connection(Recorder, str(tmp_path / "path"), sock=given)
        with pytest.raises(ValueError, match="at the same time"):
            await loop.create_unix_server(Echo, str(tmp_path / "path"), sock=given)


async def test_other_sockets_are_refused(loop: Loop) -> None:
    for family, kind in ((socket.AF_INET, socket.SOCK_STREAM), (socket.AF_UNIX, socket.SOCK_DGRAM)):
        with socket.socket(family, kind) as other:
            with pytest.raises(ValueError, match="Stream Socket was expected|stream socket was"):
                await loop.create_unix_connection(Recorder, sock=other)
            with pytest.raises(ValueError, match="Stream Socket was expected|stream socket was"):
                await loop.create_unix_server(Echo, sock=other)


async def test_a_cancelled_connection_leaves_no_socket(loop: Loop, tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    server = await loop.create_unix_server(Echo, path)
    await turns(3)
    before = len(os.listdir("/dev/fd"))
    connecting = asyncio.ensure_future(loop.create_unix_connection(Recorder, path))
    await asyncio.sleep(0)
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    await until(lambda: len(os.listdir("/dev/fd")) == before)
    await close(server)
