"""Sends a file to whoever connects, by `loop.sendfile`, and closes the connection."""

import argparse
import asyncio
from pathlib import Path
from typing import cast

import loops

from servers.launch import run_server
from servers.listening import Listener, new_listener


async def serve(listener: Listener, path: Path) -> None:
    loop = asyncio.get_running_loop()
    sending = set[asyncio.Task[None]]()  # the loop itself keeps only weak references

    async def send_and_close(transport: asyncio.Transport) -> None:
        with path.open("rb") as file:
            await loop.sendfile(transport, file)
        transport.close()

    class Sender(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            task = loop.create_task(send_and_close(cast(asyncio.Transport, transport)))
            sending.add(task)
            task.add_done_callback(sending.discard)

    server = await loop.create_server(Sender, sock=listener.socket)
    listener.announce()
    await asyncio.Event().wait()
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loop", choices=loops.MODULES, required=True)
    parser.add_argument("--file", type=Path, required=True)
    arguments = parser.parse_args()
    run_server(arguments.loop, serve(new_listener(), arguments.file))


if __name__ == "__main__":
    main()
