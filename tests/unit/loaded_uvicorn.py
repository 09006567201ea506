"""A uvicorn in the loop of a test, and clients of it that know what they have asked for."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
BODY = b"Hello, world!"

Message = dict[str, Any]


async def _application(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    headers = [(b"content-length", b"%d" % len(BODY))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})


class LoadedUvicorn:
    """Serves as many requests as its clients make."""

    def __init__(self) -> None:
        config = uvicorn.Config(
            _application, port=0, lifespan="off", log_level="warning", http="httptools", ws="none"
        )
        self._server = uvicorn.Server(config)
        self.requests = 0

    async def __aenter__(self) -> "LoadedUvicorn":
        self._serving = asyncio.ensure_future(self._server._serve())
        while not self._server.started:
            await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.should_exit = True
        await self._serving

    async def load(self, clients: int, requests: int) -> None:
        """So many clients make so many requests each, and end."""
        address = self._server.servers[0].sockets[0].getsockname()
        await asyncio.gather(*[self._ask(address, requests) for _ in range(clients)])

    async def _ask(self, address: tuple[str, int], requests: int) -> None:
        reader, writer = await asyncio.open_connection(*address)
        for _ in range(requests):
            writer.write(REQUEST)
            answer = await reader.readuntil(BODY)
            assert answer.startswith(b"HTTP/1.1 200 OK")
            self.requests += 1
        writer.close()
        await writer.wait_closed()
