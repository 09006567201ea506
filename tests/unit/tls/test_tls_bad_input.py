"""Whatever a peer sends, it costs no more than its own connection.

Each case is a number: it decides what is sent, where it is cut, which bit is turned and when.
`--tls-cases` sets how many there are; `make test` does with a few, ten thousand take minutes. All
end by what the peer does, not by the clock: timeouts are far longer than a busy machine needs.
"""

import asyncio
import contextlib
import gc
import random
import ssl
from collections.abc import Callable

import pytest

from tests.conftest import Loop
from tests.unit.connections import PATIENCE_SECONDS, Recorder, tcp_pair, turns, until_lost
from tests.unit.tls.peers import TlsConnector, TlsPeer, ViewRecorder, certificates

MESSAGES = 6
LARGEST_MESSAGE = 40_000
AT_ONCE = 20


class Conversation:
    """A connection whose peer says something, with one thing wrong, and hangs up."""

    def __init__(self, case: int) -> None:
        self.random = random.Random(case)
        self.protocol: Recorder | ViewRecorder = self.random.choice([Recorder, ViewRecorder])()
        version = self.random.choice([ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
        self.server_context = certificates().server_context()
        self.server_context.maximum_version = version
        self.client_context = certificates().client_context()
        self.is_server = self.random.random() < 0.5
        self.messages = [
            self.random.randbytes(self.random.randrange(1, LARGEST_MESSAGE))
            for _ in range(MESSAGES)
        ]
        self.plaintext = b"".join(self.messages)

    async def run(self) -> None:
        ours, far_end = tcp_pair()
        loop = asyncio.get_running_loop()
        if self.is_server:
            peer = TlsPeer(far_end, self.client_context, "localhost")
            connecting = loop.connect_accepted_socket(
                lambda: self.protocol,
                ours,
                ssl=self.server_context,
                ssl_handshake_timeout=PATIENCE_SECONDS,
                ssl_shutdown_timeout=PATIENCE_SECONDS,
            )
        else:
            peer = TlsPeer(far_end, self.server_context, None)
            connecting = loop.create_connection(
                lambda: self.protocol,
                sock=ours,
                ssl=self.client_context,
                server_hostname="localhost",
                ssl_handshake_timeout=PATIENCE_SECONDS,
                ssl_shutdown_timeout=PATIENCE_SECONDS,
            )
        if self.random.random() < 0.2:
            await self.spoil_handshake(peer, connecting)
        else:
            (transport, _), _ = await asyncio.gather(connecting, peer.handshake())
            await self.spoil_data(peer, transport)

    async def spoil_handshake(self, peer: TlsPeer, connecting: object) -> None:
        connection = asyncio.ensure_future(connecting)  # type: ignore[call-overload]
        with contextlib.suppress(ssl.SSLError, OSError):
            peer.tls.do_handshake()
        greeting = peer.outgoing.read() or self.random.randbytes(300)
        with contextlib.suppress(OSError):
            await peer.send_ciphertext(self.spoiled(greeting))
        peer.socket.close()
        try:
            _, protocol = await connection
        except (ssl.SSLError, OSError):
            return
        await until_lost(protocol)

    async def spoil_data(self, peer: TlsPeer, transport: asyncio.Transport) -> None:
        sealed = b"".join(map(peer.seal, self.messages))
        if self.random.random() < 0.5:
            sealed += peer.seal_close_notify()
        written = self.random.choice([0, 10, 100_000])
        transport.write(bytes(written))
        ciphertext = self.spoiled(sealed)
        with contextlib.suppress(OSError):
            start = 0
            while start < len(ciphertext):
                end = start + self.random.randrange(1, 30_000)
                await peer.send_ciphertext(ciphertext[start:end])
                start = end
                if self.random.random() < 0.3:
                    await asyncio.sleep(0)
        peer.socket.close()
        await until_lost(self.protocol)
        assert self.plaintext.startswith(self.protocol.received)
        # A peer that hangs up with something unread resets the connection, and then data is lost;
        # asyncio loses what did not fit into a protocol's buffer.
        is_fair = not written and not self.is_server and isinstance(self.protocol, Recorder)
        if ciphertext == sealed and is_fair:
            assert self.protocol.received == self.plaintext

    def spoiled(self, ciphertext: bytes) -> bytes:
        changed = bytearray(ciphertext)
        at = self.random.randrange(len(changed))
        match self.random.randrange(5):
            case 0:
                changed[at] ^= 1 << self.random.randrange(8)
            case 1:
                del changed[at:]
            case 2:
                changed[at:at] = self.random.randbytes(self.random.randrange(1, 100))
            case 3:
                del changed[at : at + self.random.randrange(1, 100)]
        return bytes(changed)


async def test_spoiled_connections_are_lost_and_nothing_else(
    cases: range, caplog: pytest.LogCaptureFixture
) -> None:
    for first in range(0, len(cases), AT_ONCE):
        together = cases[first : first + AT_ONCE]
        await asyncio.gather(*(Conversation(case).run() for case in together))
    assert not [r for r in caplog.records if r.exc_info and "Fatal error" not in r.getMessage()]
    caplog.clear()


async def test_nothing_is_left_of_spoiled_connections(
    loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    before = _alive()
    for case in range(10):
        await Conversation(case).run()
    await turns(5)
    caplog.clear()  # of exceptions, which refer to all there was
    assert _alive() == before


def _alive() -> int:
    gc.collect()
    return sum(isinstance(found, ssl.SSLObject) for found in gc.get_objects())


async def test_garbage_after_the_handshake_has_openssls_reason(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    await connection.peer.send_ciphertext(b"no record of any kind")
    await until_lost(connection.protocol)
    error = connection.protocol.lost_with
    assert isinstance(error, ssl.SSLError)
    assert (error.library, error.reason) == ("SSL", "WRONG_VERSION_NUMBER")
    assert "[SSL: WRONG_VERSION_NUMBER] wrong version number" in str(error)


@pytest.mark.parametrize("protocol", [Recorder, ViewRecorder])
async def test_a_changed_record_has_openssls_reason(
    connect: TlsConnector, protocol: Callable[[], Recorder | ViewRecorder]
) -> None:
    connection = await connect(protocol)
    sealed = bytearray(connection.peer.seal(b"data"))
    sealed[-1] ^= 1
    await connection.peer.send_ciphertext(bytes(sealed))
    await until_lost(connection.protocol)
    error = connection.protocol.lost_with
    assert isinstance(error, ssl.SSLError)
    assert error.reason == "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"
    assert not connection.protocol.received


async def test_what_came_whole_before_a_bad_record_is_delivered(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    await connection.peer.send_ciphertext(connection.peer.seal(b"whole") + b"garbage, not a record")
    await until_lost(connection.protocol)
    assert isinstance(connection.protocol.lost_with, ssl.SSLError)
    assert bytes(connection.protocol.received) in {b"whole", b""}  # asyncio loses it


async def test_writes_to_a_spoiled_connection_are_dropped(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    await connection.peer.send_ciphertext(b"no record of any kind")
    for _ in range(100):
        connection.transport.write(b"x" * 1000)
        await asyncio.sleep(0)
    await until_lost(connection.protocol)
    connection.transport.write(b"too late")
