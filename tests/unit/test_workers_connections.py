"""Connections of a loop with several workers: all their calls run where they are at home."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import rloop
from rloop.workers.crew import Worker
from tests.unit.tls.peers import certificates
from tests.unit.workers import (
    AtHome,
    call_on,
    contexts_for,
    crew,
    here,
    needs_free_threading,
    new_loop,
    on,
    until,
)

pytestmark = needs_free_threading

MUCH = 8 * 1024 * 1024
PIECE = 1000
PIECES = 500


@pytest.fixture
def loop() -> Iterator[rloop.TokioLoop]:
    yield from new_loop()


@pytest.fixture(params=["plain", "tls"])
def security(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    return contexts_for(request.param)


class Served:
    """A connection that a server has accepted, and the client's end of it."""

    def __init__(
        self, protocol: AtHome, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.protocol = protocol
        self.reader = reader
        self.writer = writer

    @property
    def home(self) -> Worker:
        return crew(asyncio.get_running_loop())[self.protocol.places[0]]

    @property
    def elsewhere(self) -> Worker:
        """A worker that is neither at home nor this one."""
        workers = crew(asyncio.get_running_loop())
        return next(worker for worker in workers[1:] if worker is not self.home)


@contextlib.asynccontextmanager
async def connected(contexts: tuple[Any, Any], count: int = 1) -> AsyncIterator[list[Served]]:
    """Connections at home beside the first worker."""
    loop = asyncio.get_running_loop()
    accepted: list[AtHome] = []

    def accept() -> AtHome:
        accepted.append(AtHome())
        return accepted[-1]

    server = await loop.create_server(accept, "127.0.0.1", 0, ssl=contexts[0])
    port = server.sockets[0].getsockname()[1]
    name = "localhost" if contexts[1] else None
    served: list[Served] = []
    others: list[asyncio.StreamWriter] = []
    while len(served) < count:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=contexts[1], server_hostname=name
        )
        await until(lambda: len(accepted) == len(served) + len(others) + 1 and accepted[-1].places)
        if accepted[-1].places[0] == 0:
            others.append(writer)
        else:
            served.append(Served(accepted[-1], reader, writer))
    yield served
    for writer in (*others, *(one.writer for one in served)):
        writer.close()
        with contextlib.suppress(ConnectionResetError):
            await writer.wait_closed()
    await until(lambda: all(protocol.told[-1] == "lost" for protocol in accepted))
    server.close()


def test_what_is_written_elsewhere_comes_in_order_and_is_sent_by_the_home(
    loop: rloop.TokioLoop, security: tuple[Any, Any]
) -> None:
    async def main() -> None:
        async with connected(security) as (served,):
            for i in range(PIECES):
                piece = i.to_bytes(4, "big") * (PIECE // 4)
                await asyncio.sleep(0)
                served.protocol.transport.write(piece)
                assert await call_on(served.elsewhere, len, piece) == PIECE
            data = await served.reader.readexactly(PIECES * PIECE)
            for i in range(PIECES):
                assert data[i * PIECE : (i + 1) * PIECE] == i.to_bytes(4, "big") * (PIECE // 4)
            assert served.protocol.places == [served.home.index]

    loop.run_until_complete(main())


def test_a_hub_writes_to_all_connections_from_one_worker(
    loop: rloop.TokioLoop, security: tuple[Any, Any]
) -> None:
    async def main() -> None:
        async with connected(security, 10) as all_served:
            for i in range(PIECES):
                for served in all_served:
                    served.protocol.transport.writelines([b"%06d" % i, b"\n"])
            expected = b"".join(b"%06d\n" % i for i in range(PIECES))
            for served in all_served:
                assert await served.reader.readexactly(len(expected)) == expected

    loop.run_until_complete(main())


def test_flow_control_of_what_is_written_elsewhere_is_told_at_home(
    loop: rloop.TokioLoop, security: tuple[Any, Any]
) -> None:
    async def main() -> None:
        async with connected(security) as (served,):
            await call_on(served.elsewhere, served.protocol.transport.write, bytes(MUCH))
            await until(lambda: "pause" in served.protocol.told)
            assert await served.reader.readexactly(MUCH) == bytes(MUCH)
            await until(lambda: "resume" in served.protocol.told)
            assert served.protocol.told == ["made", "pause", "resume"]
            assert served.protocol.transport.get_write_buffer_size() == 0

    loop.run_until_complete(main())


@pytest.mark.parametrize("method", ["close", "abort"])
def test_a_connection_that_is_ended_elsewhere_is_lost_at_home(
    loop: rloop.TokioLoop, security: tuple[Any, Any], method: str
) -> None:
    async def main() -> None:
        async with connected(security) as (served,):
            await call_on(served.elsewhere, getattr(served.protocol.transport, method))
            assert served.protocol.transport.is_closing()
            await until(lambda: "lost" in served.protocol.told)
            try:
                assert await served.reader.read() == b""
            except ConnectionResetError:
                assert method == "abort"
            assert served.protocol.places == [served.home.index]

    loop.run_until_complete(main())


def test_all_that_was_written_elsewhere_before_the_end_arrives(
    loop: rloop.TokioLoop, security: tuple[Any, Any]
) -> None:
    async def main() -> None:
        async with connected(security) as (served,):

            def write_and_close() -> None:
                transport = served.protocol.transport
                for _ in range(PIECES):
                    transport.write(bytes(PIECE))
                transport.close()

            await call_on(served.elsewhere, write_and_close)
            assert await served.reader.read() == bytes(PIECES * PIECE)

    loop.run_until_complete(main())


def test_reading_is_paused_and_resumed_from_elsewhere(
    loop: rloop.TokioLoop, security: tuple[Any, Any]
) -> None:
    async def main() -> None:
        async with connected(security) as (served,):
            transport = served.protocol.transport
            await call_on(served.elsewhere, transport.pause_reading)
            await call_on(served.home, int)  # it is paused by then, also TLS
            served.writer.write(b"data")
            await asyncio.sleep(0.05)
            assert not served.protocol.received
            await call_on(served.elsewhere, transport.resume_reading)
            await until(lambda: served.protocol.received == b"data")

    loop.run_until_complete(main())


def test_timers_and_tasks_of_a_connection_run_at_its_home(loop: rloop.TokioLoop) -> None:
    class Descending(AtHome):
        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            loop.call_later(0.001, self._tell, "timer")
            loop.call_soon(self._tell, "soon")
            loop.create_task(self.run())

        async def run(self) -> None:
            self._tell("task")
            await asyncio.sleep(0.001)
            self._tell("task again")

    async def main() -> None:
        protocols: list[Descending] = []

        def accept() -> Descending:
            protocols.append(Descending())
            return protocols[-1]

        server = await loop.create_server(accept, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        writers = [(await asyncio.open_connection("127.0.0.1", port))[1] for _ in range(6)]
        for writer in writers:
            writer.write(b"x")
        await until(lambda: sum(len(protocol.told) for protocol in protocols) == 6 * 6)
        assert {protocol.places[0] for protocol in protocols} >= {1, 2}
        assert all(len(protocol.places) == 1 for protocol in protocols)
        for writer in writers:
            writer.close()
            await writer.wait_closed()
        await until(lambda: all(protocol.told[-1] == "lost" for protocol in protocols))
        server.close()

    loop.run_until_complete(main())


class Datagrams(asyncio.DatagramProtocol):
    """Notes where it is told what."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Worker]] = []
        self.received: list[bytes] = []

    def connection_made(self, transport: Any) -> None:
        self.told.append(("made", here()))
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.told.append(("data", here()))
        self.received.append(data)

    def error_received(self, exc: Exception) -> None:
        self.told.append((type(exc).__name__, here()))

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append(("lost", here()))


def test_an_endpoint_is_at_home_where_it_was_made(loop: rloop.TokioLoop) -> None:
    async def main() -> None:
        async def make() -> Datagrams:
            made = await loop.create_datagram_endpoint(Datagrams, local_addr=("127.0.0.1", 0))
            return made[1]  # type: ignore[no-any-return]

        home, elsewhere = crew(loop)[1:]
        endpoint, other = await on(home, make()), await on(elsewhere, make())
        address = endpoint.transport.get_extra_info("sockname")
        for i in range(100):
            other.transport.sendto(b"%d" % i, address)
        await until(lambda: len(endpoint.received) == 100)
        # Longer than any datagram: the error comes at once, and is told at home.
        await call_on(elsewhere, endpoint.transport.sendto, bytes(70_000), address)
        await until(lambda: endpoint.told[-1][0] == "OSError")
        await call_on(elsewhere, endpoint.transport.close)
        await until(lambda: endpoint.told[-1][0] == "lost")
        assert {worker for _, worker in endpoint.told} == {home}
        other.transport.close()
        await until(lambda: other.told[-1][0] == "lost")

    loop.run_until_complete(main())


def test_tls_is_started_at_the_home(loop: rloop.TokioLoop) -> None:
    async def main() -> None:
        async with connected((None, None)) as (served,):

            async def start(context: ssl.SSLContext) -> None:
                await loop.start_tls(
                    served.protocol.transport, served.protocol, context, server_side=True
                )

            await call_on(served.elsewhere, served.protocol.transport.pause_reading)
            task = on(served.elsewhere, start(certificates().server_context()))
            await served.writer.start_tls(
                certificates().client_context(), server_hostname="localhost"
            )
            await task
            served.writer.write(b"question")
            await until(lambda: served.protocol.received == b"question")
            assert served.protocol.places == [served.home.index]

    loop.run_until_complete(main())


def test_a_port_that_is_reused_has_an_endpoint_on_each_worker(loop: rloop.TokioLoop) -> None:
    async def main() -> None:
        made: list[Datagrams] = []

        def make() -> Datagrams:
            made.append(Datagrams())
            return made[-1]

        transport, protocol = await loop.create_datagram_endpoint(
            make, local_addr=("127.0.0.1", 0), reuse_port=True
        )
        assert protocol is made[0]
        assert transport is made[0].transport
        assert {endpoint.told[0][1] for endpoint in made} == set(crew(loop))
        address = transport.get_extra_info("sockname")
        assert {one.transport.get_extra_info("sockname") for one in made} == {address}
        count = 100
        for i in range(count):  # from many ports, so that each worker gets some
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"%d" % i, address)
        await until(lambda: sum(len(one.received) for one in made) == count)
        assert all(one.received for one in made)
        for one in made:
            assert len({worker for _, worker in one.told}) == 1
        transport.close()
        await until(lambda: all(one.told[-1][0] == "lost" for one in made))

    loop.run_until_complete(main())


def test_a_port_that_is_not_reused_has_one_endpoint(loop: rloop.TokioLoop) -> None:
    async def main() -> None:
        made: list[Datagrams] = []

        def make() -> Datagrams:
            made.append(Datagrams())
            return made[-1]

        transport, _ = await loop.create_datagram_endpoint(make, local_addr=("127.0.0.1", 0))
        assert len(made) == 1
        transport.close()
        await until(lambda: made[0].told[-1][0] == "lost")

    loop.run_until_complete(main())
