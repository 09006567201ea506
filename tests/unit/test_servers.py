"""`create_server`: where it listens, and what it serves."""

import asyncio
import errno
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import ClassVar

import pytest

from tests.conftest import Loop
from tests.unit.connections import Recorder, turns, until


class Echo(asyncio.Protocol):
    """Sends back what it receives."""

    connected: ClassVar[set["Echo"]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.connected.add(self)

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        self.connected.discard(self)


async def everybody_left() -> None:
    await until(lambda: not Echo.connected)
    await turns()


def port_of(server: asyncio.Server) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port


@asynccontextmanager
async def client(port: int, host: str = "127.0.0.1") -> AsyncIterator[socket.socket]:
    """A socket connected to the server, which does not block."""
    loop = asyncio.get_running_loop()
    with socket.socket() as sock:
        sock.setblocking(False)
        await loop.sock_connect(sock, (host, port))
        yield sock


async def test_a_server_serves_many_clients_at_once(loop: Loop) -> None:
    async def exchange(number: int) -> bytes:
        async with client(port_of(server)) as sock:
            await loop.sock_sendall(sock, b"hello %d" % number)
            return await loop.sock_recv(sock, 100)

    async with await loop.create_server(Echo, "127.0.0.1", 0) as server:
        answers = await asyncio.gather(*map(exchange, range(100)))
    assert answers == [b"hello %d" % number for number in range(100)]
    await everybody_left()


async def test_each_connection_has_a_protocol_of_its_own(loop: Loop) -> None:
    protocols: list[Recorder] = []

    def make() -> Recorder:
        protocols.append(Recorder())
        return protocols[-1]

    async with await loop.create_server(make, "127.0.0.1", 0) as server:
        for _ in range(3):
            async with client(port_of(server)):
                pass
        await until(lambda: len(protocols) == 3 and all(p.is_lost for p in protocols))


async def test_peername_is_that_of_the_client(loop: Loop) -> None:
    protocols: list[Recorder] = []

    def make() -> Recorder:
        protocols.append(Recorder())
        return protocols[-1]

    async with (
        await loop.create_server(make, "127.0.0.1", 0) as server,
        client(port_of(server)) as sock,
    ):
        await until(lambda: protocols and protocols[0].calls)
        transport = protocols[0].transport
        assert transport.get_extra_info("peername") == sock.getsockname()
        assert transport.get_extra_info("sockname") == sock.getpeername()
        accepted = transport.get_extra_info("socket")
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
        assert accepted.gettimeout() == 0
    await until(lambda: protocols[0].is_lost)


async def test_a_server_listens_on_several_hosts(loop: Loop) -> None:
    async with await loop.create_server(Echo, ["127.0.0.1", "127.0.0.2"], 0) as server:
        assert len(server.sockets) == 2
        for sock in server.sockets:
            host, port = sock.getsockname()
            async with client(port, host) as connected:
                await loop.sock_sendall(connected, b"x")
                assert await loop.sock_recv(connected, 1) == b"x"
    await everybody_left()


async def test_a_server_without_a_host_listens_everywhere(loop: Loop) -> None:
    async with await loop.create_server(Echo, None, 0) as server:
        addresses = {sock.getsockname()[0] for sock in server.sockets}
        assert "0.0.0.0" in addresses or "::" in addresses


async def test_a_server_takes_a_socket(loop: Loop) -> None:
    sock = socket.create_server(("127.0.0.1", 0))
    async with (
        await loop.create_server(Echo, sock=sock) as server,
        client(sock.getsockname()[1]) as connected,
    ):
        assert server.sockets[0].fileno() == sock.fileno()
        assert not sock.getblocking()
        await loop.sock_sendall(connected, b"x")
        assert await loop.sock_recv(connected, 1) == b"x"
    assert sock.fileno() == -1
    await everybody_left()


async def test_two_servers_share_a_port_with_reuse_port(loop: Loop) -> None:
    async with await loop.create_server(Echo, "127.0.0.1", 0, reuse_port=True) as first:
        second = await loop.create_server(Echo, "127.0.0.1", port_of(first), reuse_port=True)
        assert port_of(second) == port_of(first)
        second.close()
        await second.wait_closed()


async def test_an_address_in_use_is_refused(loop: Loop) -> None:
    async with await loop.create_server(Echo, "127.0.0.1", 0) as server:
        with pytest.raises(OSError, match="error while attempting to bind on address") as raised:
            await loop.create_server(Echo, "127.0.0.1", port_of(server))
        assert raised.value.errno == errno.EADDRINUSE


@pytest.mark.parametrize(("wanted", "expected"), [(None, True), (True, True), (False, False)])
async def test_reuse_address_is_set_unless_told_otherwise(
    loop: Loop, wanted: bool | None, expected: bool
) -> None:
    async with await loop.create_server(Echo, "127.0.0.1", 0, reuse_address=wanted) as server:
        option = server.sockets[0].getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
        assert bool(option) is expected


async def test_host_and_socket_exclude_each_other(loop: Loop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        message = "^host/port and sock can not be specified at the same time$"
        with pytest.raises(ValueError, match=message):
            await loop.create_server(Echo, "127.0.0.1", 0, sock=sock)  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="^Neither host/port nor sock were specified$"):
        await loop.create_server(Echo)  # type: ignore[call-overload]


async def test_a_datagram_socket_is_refused(loop: Loop) -> None:
    with (
        socket.socket(type=socket.SOCK_DGRAM) as sock,
        pytest.raises(ValueError, match="^A Stream Socket was expected, got "),
    ):
        await loop.create_server(Echo, sock=sock)


async def test_a_host_that_does_not_exist_is_refused(loop: Loop) -> None:
    with pytest.raises(socket.gaierror):
        await loop.create_server(Echo, "does-not-exist.invalid", 0)


async def test_many_connections_wait_in_the_backlog(loop: Loop) -> None:
    waiting = 50
    protocols: list[Recorder] = []

    def make() -> Recorder:
        protocols.append(Recorder())
        return protocols[-1]

    listener = socket.create_server(("127.0.0.1", 0), backlog=2 * waiting)
    server = await loop.create_server(make, sock=listener, backlog=2 * waiting, start_serving=False)
    clients = [socket.create_connection(server.sockets[0].getsockname()) for _ in range(waiting)]
    await server.start_serving()
    await until(lambda: len(protocols) == waiting)
    for sock in clients:
        sock.close()
    await until(lambda: all(protocol.is_lost for protocol in protocols))
    server.close()
    await server.wait_closed()


# asyncio leaves the socket of that connection to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_failing_protocol_factory_costs_only_its_connection(loop: Loop) -> None:
    made: list[Recorder] = []

    def make() -> Recorder:
        made.append(Recorder())
        if len(made) == 1:
            raise ZeroDivisionError
        return made[-1]

    # asyncio tells of it in debug mode only: a client could fill the log.
    async with await loop.create_server(make, "127.0.0.1", 0) as server:
        async with client(port_of(server)):
            await until(lambda: len(made) == 1)
        async with client(port_of(server)):
            await until(lambda: len(made) == 2 and made[1].calls)
        await until(lambda: made[1].is_lost)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_failing_protocol_factory_is_reported_in_debug_mode(loop: Loop) -> None:
    reports: list[dict[str, object]] = []
    loop.set_debug(True)
    loop.set_exception_handler(lambda _, context: reports.append(context))
    server = await loop.create_server(lambda: 1 / 0, "127.0.0.1", 0)  # type: ignore[arg-type, return-value]
    async with server, client(port_of(server)):
        await until(lambda: reports)
    (report,) = reports
    assert report["message"] == "Error on transport creation for incoming connection"
    assert isinstance(report["exception"], ZeroDivisionError)


@pytest.mark.parametrize("pause", [False, True])
async def test_a_connection_served_survives_its_server(loop: Loop, pause: bool) -> None:
    server = await loop.create_server(Echo, "127.0.0.1", 0)
    async with client(port_of(server)) as sock:
        await loop.sock_sendall(sock, b"x")
        assert await loop.sock_recv(sock, 1) == b"x"
        server.close()
        if pause:
            await asyncio.sleep(0.01)
        await loop.sock_sendall(sock, b"y")
        assert await loop.sock_recv(sock, 1) == b"y"
    await server.wait_closed()
    await everybody_left()


async def test_connect_accepted_socket_makes_a_transport(loop: Loop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        far = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
    transport, protocol = await loop.connect_accepted_socket(Recorder, accepted)
    far.sendall(b"x")
    await until(lambda: protocol.received == b"x")
    transport.write(b"y")
    await turns()
    assert far.recv(1) == b"y"
    far.close()
    await until(lambda: protocol.is_lost)


async def test_running_out_of_descriptors_is_reported_and_survived(loop: Loop) -> None:
    reports: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: reports.append(context))
    server = await loop.create_server(Echo, "127.0.0.1", 0)
    sock = socket.socket()
    sock.setblocking(False)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    hoard: list[socket.socket] = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, soft), hard))
    try:
        with suppress(OSError):
            while True:
                hoard.append(socket.socket())
        await loop.sock_connect(sock, server.sockets[0].getsockname())
        await until(lambda: reports)
    finally:
        for hoarded in hoard:
            hoarded.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert reports[0]["message"] == "socket.accept() out of system resource"
    assert isinstance(reports[0]["exception"], OSError)
    await loop.sock_sendall(sock, b"x")
    assert await asyncio.wait_for(loop.sock_recv(sock, 1), 20) == b"x"
    sock.close()
    server.close()
    await server.wait_closed()
    await everybody_left()
