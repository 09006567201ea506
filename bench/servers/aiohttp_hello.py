"""aiohttp's server, and a handler that answers "Hello, world!"."""

import argparse
import asyncio

import loops
from aiohttp import web

from servers.launch import run_server
from servers.listening import new_listener


async def hello(request: web.Request) -> web.Response:
    return web.Response(text="Hello, world!")


async def serve() -> None:
    listener = new_listener()
    application = web.Application()
    application.router.add_get("/", hello)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.SockSite(runner, listener.socket).start()
    listener.announce()
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loop", choices=loops.MODULES, required=True)
    run_server(parser.parse_args().loop, serve())


if __name__ == "__main__":
    main()
