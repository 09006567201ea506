"""Echo with work for Python before each answer, on several threads, where there is no GIL.

On a TokioLoop they are its workers; with other loops each thread has one of its own, which accepts
from the same listening socket.
"""

import argparse
import asyncio
import json
import threading
from collections.abc import Callable
from typing import cast

import loops

from servers.launch import raise_mmap_threshold
from servers.listening import Listener, new_listener

# Some 150 µs to read and write.
DOCUMENT = json.dumps({"rows": [{"id": n, "name": f"row {n}", "value": n / 3} for n in range(60)]})


def no_work() -> None:
    pass


def json_work() -> None:
    json.dumps(json.loads(DOCUMENT))


WORK: dict[str, Callable[[], None]] = {"echo": no_work, "json": json_work}


class WorkingEcho(asyncio.Protocol):
    def __init__(self, work: Callable[[], None]) -> None:
        self.work = work

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.work()
        self.transport.write(data)


async def serve(work: Callable[[], None], listener: Listener, ready: threading.Barrier) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: WorkingEcho(work), sock=listener.socket)
    if ready.wait() == 0:
        listener.announce()
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loop", choices=loops.MODULES, required=True)
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--work", choices=WORK, required=True)
    arguments = parser.parse_args()
    raise_mmap_threshold()
    listener = new_listener()
    work = WORK[arguments.work]
    is_one_loop = arguments.loop == "tokio"
    threads = 1 if is_one_loop else arguments.workers
    ready = threading.Barrier(threads)

    def new_loop() -> asyncio.AbstractEventLoop:
        if is_one_loop:
            import rloop  # noqa: PLC0415  # only in its environment

            return rloop.TokioLoop(workers=arguments.workers)
        return loops.new_event_loop(arguments.loop)

    def run() -> None:
        own = Listener(listener.socket.dup(), listener.address)
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(serve(work, own, ready))

    for number in range(1, threads):
        threading.Thread(target=run, name=f"python {number}", daemon=True).start()
    run()


if __name__ == "__main__":
    main()
