"""Handshakes of the connections that a server accepts."""

import asyncio
import socket
import ssl

import pytest

from tests.conftest import Loop, LoopFactory
from tests.unit.connections import (
    PATIENCE_SECONDS,
    Recorder,
    Recorders,
    tcp_pair,
    turns,
    until,
    until_lost,
    until_received,
)
from tests.unit.tls.peers import Certificates, TlsPeer, certificates
from tests.unit.tls.servers import ask, serving

SOON_SECONDS = 0.05
MUCH = bytes(range(256)) * 1500  # more than one read takes, and some are more than a batch takes


@pytest.fixture
def known() -> Certificates:
    return certificates()


def test_a_handshake_ends_with_the_program(loop_factory: LoopFactory, known: Certificates) -> None:
    with socket.socket() as peer, socket.create_server(("127.0.0.1", 0)) as listener:

        async def main() -> None:
            protocols = Recorders()
            server = await asyncio.get_running_loop().create_server(
                protocols.make, sock=listener, ssl=known.server_context()
            )
            peer.connect(listener.getsockname())
            await until(lambda: len(protocols) == 1)
            await asyncio.sleep(SOON_SECONDS)
            server.close()

        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(main())
        peer.settimeout(PATIENCE_SECONDS)
        assert peer.recv(1) == b""


async def test_a_handshake_ends_among_much_that_is_received(
    loop: Loop, known: Certificates
) -> None:
    """A loop that has its fill of other data leaves the last step, and reads more before it."""
    ours, far_end = tcp_pair()
    peer = TlsPeer(far_end, known.client_context(), "localhost")
    server = asyncio.ensure_future(
        loop.connect_accepted_socket(Recorder, ours, ssl=known.server_context())
    )
    await peer.handshake_but_for_last()
    last = peer.outgoing.read() + peer.seal(MUCH)
    others = [tcp_pair() for _ in range(8)]
    for near in (ours, *(near for near, _ in others)):
        near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * len(MUCH))
    recorders = [(await loop.create_connection(Recorder, sock=near))[1] for near, _ in others]
    await turns()
    for _, far in others:
        far.setblocking(False)
        far.send(MUCH)
    sent = far_end.send(last)
    await peer.send_ciphertext(last[sent:])
    transport, protocol = await server
    await until_received(protocol, len(MUCH))
    assert protocol.received == MUCH
    for recorder, (_, far) in zip(recorders, others, strict=True):
        recorder.transport.close()
        await until_lost(recorder)
        far.close()
    transport.abort()
    await until_lost(protocol)
    far_end.close()


async def test_a_server_reports_a_failed_handshake_in_debug_mode(
    loop: Loop, known: Certificates
) -> None:
    reports: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, report: reports.append(report))
    loop.set_debug(True)
    async with serving(known.server_context()) as servers:
        with socket.socket() as peer:
            peer.setblocking(False)
            await loop.sock_connect(peer, ("127.0.0.1", servers.port))
            await loop.sock_sendall(peer, b"GET / HTTP/1.0\r\n\r\n")
            await until(lambda: len(reports) > 0)
    report = reports.pop()
    reports.clear()
    assert report["message"] == "Error on transport creation for incoming connection"
    assert isinstance(report["exception"], ssl.SSLError)
    assert report["protocol"] is servers[0]
    del report  # which keeps the connection alive


async def test_connection_made_that_raises_ends_the_connection(
    loop: Loop, known: Certificates
) -> None:
    class Failing(Recorder):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            raise ZeroDivisionError

    reports: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, report: reports.append(report))
    server = await loop.create_server(Failing, "127.0.0.1", 0, ssl=known.server_context())
    _, protocol = await ask(server.sockets[0].getsockname()[1], known.client_context())
    await until_lost(protocol)
    server.close()
    await server.wait_closed()
    report = reports.pop()
    assert report["message"] == "Fatal error: protocol.buffer_updated() call failed."
    assert isinstance(report["exception"], ZeroDivisionError)
    assert not reports
    del report  # which keeps the connection alive
