"""TLS connections to test: one end is a transport of the loop, the other TLS in memory, by hand.

The far end's ciphertext can be had, cut and changed before it is sent.
"""

import asyncio
import contextlib
import datetime
import functools
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic

import trustme

from tests.unit.connections import BufferedRecorder, ProtocolT_co, tcp_pair

_PIECE = 64 * 1024


@dataclass(frozen=True)
class Certificates:
    """An authority and what it has signed."""

    authority: trustme.CA
    server: trustme.LeafCert
    client: trustme.LeafCert
    expired: trustme.LeafCert

    def server_context(self, certificate: trustme.LeafCert | None = None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        (certificate or self.server).configure_cert(context)
        return context

    def client_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.authority.configure_trust(context)
        return context


@functools.cache
def certificates() -> Certificates:
    authority = trustme.CA()
    yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    return Certificates(
        authority,
        authority.issue_cert("localhost"),
        authority.issue_cert("client@localhost"),
        authority.issue_cert(
            "localhost", not_before=yesterday - datetime.timedelta(days=1), not_after=yesterday
        ),
    )


class ViewRecorder(BufferedRecorder):
    """Gives a view of its buffer, as asyncio's TLS needs it."""

    def get_buffer(self, sizehint: int) -> memoryview:  # type: ignore[override]
        return memoryview(self.buffer)


class TlsPeer:
    """The far end: a socket, and TLS in memory above it."""

    def __init__(
        self, far_end: socket.socket, context: ssl.SSLContext, server_hostname: str | None
    ) -> None:
        far_end.setblocking(False)
        self.socket = far_end
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(
            self.incoming,
            self.outgoing,
            server_side=server_hostname is None,
            server_hostname=server_hostname,
        )

    async def handshake(self) -> None:
        await self.handshake_but_for_last()
        await self.send_ciphertext(self.outgoing.read())

    async def handshake_but_for_last(self) -> None:
        """What is to be sent at the end stays in ``outgoing``."""
        await self._until_done(self.tls.do_handshake)

    async def _until_done(self, step: Callable[[], object]) -> None:
        while True:
            try:
                step()
            except ssl.SSLWantReadError:
                await self.send_ciphertext(self.outgoing.read())
                await self.receive_ciphertext()
            else:
                return

    def seal(self, data: bytes) -> bytes:
        """The records that carry the data."""
        self.tls.write(data)
        return self.outgoing.read()

    def seal_close_notify(self) -> bytes:
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.unwrap()
        return self.outgoing.read()

    async def send(self, data: bytes) -> None:
        await self.send_ciphertext(self.seal(data))

    async def send_ciphertext(self, ciphertext: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self.socket, ciphertext)

    async def receive_ciphertext(self) -> bytes:
        """Takes in what comes next."""
        data = await asyncio.get_running_loop().sock_recv(self.socket, _PIECE)
        if data:
            self.incoming.write(data)
        else:
            self.incoming.write_eof()
        return data

    async def receive(self, size: int) -> bytes:
        """Waits for exactly so many bytes of plaintext, or fewer at the end of the stream."""
        received = bytearray()
        while len(received) < size:
            try:
                piece = self.tls.read(size - len(received))
            except ssl.SSLWantReadError:
                await self.receive_ciphertext()
                continue
            except ssl.SSLEOFError:
                break
            if not piece:
                break
            received += piece
        return bytes(received)

    async def receive_end(self) -> bool:
        """Waits for the end of the stream; whether a close_notify told it."""
        while True:
            try:
                if not self.tls.read(_PIECE):
                    return True
            except ssl.SSLWantReadError:
                await self.receive_ciphertext()
            except ssl.SSLEOFError:
                return False


@dataclass
class TlsConnection(Generic[ProtocolT_co]):
    """Both ends of a connection."""

    transport: asyncio.Transport
    protocol: ProtocolT_co
    peer: TlsPeer


class TlsConnector:
    """Makes connections on the running loop, and ends them after the test."""

    def __init__(self) -> None:
        self._connections: list[TlsConnection[asyncio.BaseProtocol]] = []

    async def __call__(
        self,
        make_protocol: Callable[[], ProtocolT_co],
        *,
        server_side: bool = False,
        version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    ) -> TlsConnection[ProtocolT_co]:
        """Connects a transport that is the server or the client."""
        server_context = certificates().server_context()
        client_context = certificates().client_context()
        server_context.maximum_version = version
        ours, far_end = tcp_pair()
        loop = asyncio.get_running_loop()
        if server_side:
            peer = TlsPeer(far_end, client_context, "localhost")
            connecting = loop.connect_accepted_socket(make_protocol, ours, ssl=server_context)
        else:
            peer = TlsPeer(far_end, server_context, None)
            connecting = loop.create_connection(
                make_protocol, sock=ours, ssl=client_context, server_hostname="localhost"
            )
        (transport, protocol), _ = await asyncio.gather(connecting, peer.handshake())
        connection = TlsConnection(transport, protocol, peer)
        self._connections.append(connection)
        return connection

    async def end(self) -> None:
        while self._connections:
            connection = self._connections.pop()
            connection.transport.abort()
            connection.peer.socket.close()
        for _ in range(5):
            await asyncio.sleep(0)
