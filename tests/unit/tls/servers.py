"""A TLS server that notes its connections, and a client of it."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.unit.connections import Recorder, Recorders


class Servers(Recorders):
    """The protocols of a server's connections."""

    port: int


@asynccontextmanager
async def serving(context: ssl.SSLContext) -> AsyncIterator[Servers]:
    protocols = Servers()
    server = await asyncio.get_running_loop().create_server(
        protocols.make, "127.0.0.1", 0, ssl=context
    )
    protocols.port = server.sockets[0].getsockname()[1]
    async with server:
        yield protocols


async def ask(
    port: int, context: ssl.SSLContext, name: str | None = "localhost"
) -> tuple[asyncio.Transport, Recorder]:
    return await asyncio.get_running_loop().create_connection(
        Recorder, "127.0.0.1", port, ssl=context, server_hostname=name
    )
