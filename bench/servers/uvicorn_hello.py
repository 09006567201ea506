"""uvicorn with httptools, and an ASGI application that answers "Hello, world!"."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import loops
import uvicorn

from servers.launch import run_server
from servers.listening import new_listener

BODY = b"Hello, world!"
HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(BODY))]
STARTED_CHECK_SECONDS = 0.01

Message = dict[str, Any]


async def application(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})


async def serve() -> None:
    listener = new_listener()
    config = uvicorn.Config(
        application,
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener.socket]))
    while not server.started and not serving.done():
        await asyncio.sleep(STARTED_CHECK_SECONDS)
    listener.announce()
    await serving


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loop", choices=loops.MODULES, required=True)
    run_server(parser.parse_args().loop, serve())


if __name__ == "__main__":
    main()
