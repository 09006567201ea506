"""An echo server for clients of all kinds: it has a port for plain connections and one for TLS."""

import argparse
import asyncio

import loops

from servers.certificate import server_context
from servers.echo import Echo
from servers.launch import run_server
from servers.listening import Listener, announce, new_listener


async def serve(plain: Listener, tls: Listener) -> None:
    loop = asyncio.get_running_loop()
    servers = [
        await loop.create_server(Echo, sock=plain.socket),
        await loop.create_server(Echo, sock=tls.socket, ssl=server_context()),
    ]
    announce(plain, tls)
    await asyncio.Event().wait()
    for server in servers:
        server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loop", choices=loops.MODULES, required=True)
    run_server(parser.parse_args().loop, serve(new_listener(), new_listener()))


if __name__ == "__main__":
    main()
