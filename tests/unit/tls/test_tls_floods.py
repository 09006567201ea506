"""Peers that have much to say and none of it data: renegotiations, new keys, and empty handshakes.

`openssl s_client` does it: between lines to send, it takes letters as commands.
"""

import asyncio
import contextlib
import shutil
import subprocess
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import pytest

from tests.unit.connections import PATIENCE_SECONDS, Recorder, until, until_lost
from tests.unit.tls.peers import ViewRecorder, certificates

pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="the command openssl is not installed here"
)

OP_ALLOW_CLIENT_RENEGOTIATION = 1 << 8  # of OpenSSL 3, for which Python has no name
MANY = 100
AT_ONCE = 8

RENEGOTIATE: Final = ("R", "RENEGOTIATING")
NEW_KEYS: Final = ("k", "KEYUPDATE")
NEW_KEYS_OF_BOTH: Final = ("K", "KEYUPDATE")


class Client:
    """`openssl s_client`, in a thread beside the loop."""

    def __init__(self, port: int, version: str) -> None:
        self.process = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", version],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.input, self.output = self.process.stdin, self.process.stdout
        self.patience = threading.Timer(PATIENCE_SECONDS, self.process.kill)
        self.patience.start()

    def say(self, line: str, answer: str) -> None:
        """What it reads at once is one command or data: so each waits for the answer to the last.

        Raises ConnectionError if the client ends instead.
        """
        self.input.write(f"{line}\n".encode())
        self.input.flush()
        while read := self.output.readline():
            if answer in read.decode(errors="replace"):
                return
        raise ConnectionResetError("the client has ended")

    def end(self) -> None:
        self.patience.cancel()
        self.process.kill()
        with contextlib.suppress(BrokenPipeError):
            self.input.close()
        self.output.close()
        self.process.wait()


class Echo(Recorder):
    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self.transport.write(data)  # type: ignore[attr-defined]


class BufferedEcho(ViewRecorder):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        super().connection_made(transport)

    def buffer_updated(self, nbytes: int) -> None:
        super().buffer_updated(nbytes)
        self.transport.write(self.buffer[:nbytes])  # type: ignore[attr-defined]


PROTOCOLS = [Echo, BufferedEcho]


class Server(list[Echo | BufferedEcho]):
    """The protocols of its connections."""

    port: int


@asynccontextmanager
async def echoing(
    make_protocol: Callable[[], Echo | BufferedEcho], options: int = 0
) -> AsyncIterator[Server]:
    protocols = Server()

    def make() -> Echo | BufferedEcho:
        protocols.append(make_protocol())
        return protocols[-1]

    context = certificates().server_context()
    context.options |= options
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0, ssl=context)
    protocols.port = server.sockets[0].getsockname()[1]
    async with server:
        yield protocols


async def beside_the_loop(work: Callable[..., None], *arguments: object) -> None:
    await asyncio.get_running_loop().run_in_executor(None, work, *arguments)


def flood(port: int, version: str, command: tuple[str, str], *, with_data: bool) -> None:
    client = Client(port, version)
    try:
        for number in range(MANY):
            client.say(*command)
            if with_data or number == MANY - 1:
                client.say(f"line {number}", f"line {number}")
    finally:
        client.end()


async def survive_flood(
    server: Server, version: str, command: tuple[str, str], *, with_data: bool
) -> None:
    def work() -> None:
        flood(server.port, version, command, with_data=with_data)

    await beside_the_loop(work)
    (protocol,) = server
    await until_lost(protocol)
    assert protocol.received.count(b"line") == (MANY if with_data else 1)


@pytest.mark.parametrize("make_protocol", PROTOCOLS)
@pytest.mark.parametrize("with_data", [False, True])
@pytest.mark.parametrize("command", [NEW_KEYS, NEW_KEYS_OF_BOTH])
async def test_new_keys_again_and_again(
    make_protocol: Callable[[], Echo | BufferedEcho], command: tuple[str, str], with_data: bool
) -> None:
    async with echoing(make_protocol) as server:
        await survive_flood(server, "-tls1_3", command, with_data=with_data)


@pytest.mark.parametrize("make_protocol", PROTOCOLS)
@pytest.mark.parametrize("with_data", [False, True])
async def test_renegotiations_again_and_again(
    make_protocol: Callable[[], Echo | BufferedEcho], with_data: bool
) -> None:
    async with echoing(make_protocol, OP_ALLOW_CLIENT_RENEGOTIATION) as server:
        await survive_flood(server, "-tls1_2", RENEGOTIATE, with_data=with_data)


@pytest.mark.parametrize("make_protocol", PROTOCOLS)
async def test_renegotiations_are_refused_by_default(
    make_protocol: Callable[[], Echo | BufferedEcho],
) -> None:
    """By an alert, at which this client gives up."""
    async with echoing(make_protocol) as server:

        def work() -> None:
            client = Client(server.port, "-tls1_2")
            try:
                client.say("before", "before")
                with contextlib.suppress(ConnectionError):
                    client.say(*RENEGOTIATE)
                    client.say("after", "after")
            finally:
                client.end()

        await asyncio.gather(*(beside_the_loop(work) for _ in range(AT_ONCE)))
        await until(lambda: all(protocol.is_lost for protocol in server))
        assert len(server) == AT_ONCE
        assert all(protocol.received == b"before\n" for protocol in server)
