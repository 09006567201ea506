"""Makes the AOT cache: the program that ``AotCache.train_in_background`` starts.

It runs a loop for a moment as servers and clients do, so that Java learns which classes that
takes; when its Java ends, Java writes down what it has learnt.
"""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
import subprocess
from collections.abc import Awaitable
from contextlib import suppress

from .java import java_home, jvm, paths
from .java.aot_cache import AotCache
from .java.paths import JAR
from .loops.rloop import RLoop

_LOWEST_PRIORITY = 19
_FIRST_TO_BE_KILLED = 1000
_LIMIT_SECONDS = 120

_TRIAL = """
from rloop.java import jvm
jvm.start("-XX:AOTMode=on", "-XX:AOTCache=" + sys.argv[2])
"""

_ROUNDS = 100
_MESSAGE = bytes(1024)


def main() -> None:
    """Makes the cache that fits the environment of this process."""
    os.nice(_LOWEST_PRIORITY)
    _be_killed_first()
    signal.alarm(_LIMIT_SECONDS)
    cache = AotCache(java_home.find(), JAR, jvm.options())
    try:
        # By a name without a path, which Java would take for text.
        folder, name = os.path.split(cache.temporary())
        os.chdir(folder)
        _train(name)
        _try(name)
        cache.publish()
    finally:
        with suppress(FileNotFoundError):
            os.unlink(cache.temporary())
    os._exit(0)  # Java is gone: Python's finalisation should not meet what it made


def _be_killed_first() -> None:
    """Where memory runs out, the kernel is to take this process and not the program it serves."""
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        print(_FIRST_TO_BE_KILLED, file=file)


def _train(output: str) -> None:
    vm = jvm.start(f"-XX:AOTCacheOutput={output}")
    with asyncio.Runner(loop_factory=RLoop) as runner:
        runner.run(_serve_and_ask())
    vm.destroy()


def _try(cache: str) -> None:
    """Starts Java with the cache, in a process that may die of it."""
    subprocess.run(paths.command(_TRIAL, cache), check=True)


async def _serve_and_ask() -> None:
    """Streams, a protocol, TLS, timers: what a program meets in its first second."""
    loop = asyncio.get_running_loop()
    await _serve(asyncio.start_server(_echo_stream, "127.0.0.1", 0))
    await _serve(loop.create_server(_EchoProtocol, "127.0.0.1", 0))
    from .transports import libssl  # noqa: PLC0415  # derives from what Java makes

    if libssl.refusal() is None:
        with suppress(ssl.SSLError, ConnectionError):  # some OpenSSL insist on certificates
            server, client = _anonymous_tls()
            await _serve(loop.create_server(_EchoProtocol, "127.0.0.1", 0, ssl=server), client)
    loop.call_later(1, int).cancel()
    await loop.run_in_executor(None, int)


def _anonymous_tls() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's and a client's, who don't say who they are: so there is no certificate to make."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    for context in (server, client):
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # later ones always have certificates
        context.set_ciphers("aNULL:@SECLEVEL=0")
    return server, client


async def _serve(
    make_server: Awaitable[asyncio.Server], client_context: ssl.SSLContext | None = None
) -> None:
    server = await make_server
    async with server:
        await _ask(server.sockets[0].getsockname(), client_context)


async def _ask(address: tuple[str, int], tls: ssl.SSLContext | None) -> None:
    reader, writer = await asyncio.open_connection(*address, ssl=tls)
    for _ in range(_ROUNDS):
        writer.write(_MESSAGE)
        await asyncio.wait_for(reader.readexactly(len(_MESSAGE)), timeout=1)
        await asyncio.sleep(0)
    writer.close()
    await writer.wait_closed()


async def _echo_stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(len(_MESSAGE)):
        writer.write(data)
        await writer.drain()
    writer.close()


class _EchoProtocol(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)
