"""Everything at once, on one loop: messages both ways, connections that end badly, threads.

    python -m tests.hazards.traffic rloop:TokioLoop SEED TIMES

Nothing may be lost, doubled, changed or out of order, everybody is told of the end once, and
afterwards nothing is left. TIMES says how much of it: ten thousand messages each.
"""

import asyncio
import faulthandler
import importlib
import logging
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

from tests.conformance.resources import Resources
from tests.conftest import Loop
from tests.unit.connections import tcp_pair
from tests.unit.tls.peers import certificates

from .bystanders import Callers, Victim, be_left, collecting, come_and_go
from .ends import LONGEST_PAUSE, converse

MESSAGES = 10_000  # for each of the TIMES, in both directions together
CONVERSATIONS = 10
OVER_TLS = 3  # of them
BADLY_ENDED = 100
COME_AND_GO = 100
AT_ONCE = 20
THREADS = 16
CALLS = 500  # of each thread

HANGS_AFTER_SECONDS = 60  # for each of the TIMES


async def talk(seed: int) -> None:
    contexts = {
        "client": certificates().client_context(),
        "server": certificates().server_context(),
    }
    each = MESSAGES // CONVERSATIONS // 2
    await asyncio.gather(
        *(
            converse(
                *(tcp_pair() if number % 2 else socket.socketpair()),
                seed + 2 * number,
                each,
                **(contexts if number < OVER_TLS else {}),
            )
            for number in range(CONVERSATIONS)
        )
    )


async def end_badly(seed: int) -> None:
    context = certificates().server_context()

    async def several(first: int) -> None:
        for number in range(first, BADLY_ENDED, AT_ONCE):
            await be_left(seed + number, context if number % 2 else None)

    await asyncio.gather(*map(several, range(AT_ONCE)))


async def open_and_drop(seed: int) -> None:
    loop = asyncio.get_running_loop()
    ends: list[asyncio.Future[None]] = []

    def victim() -> Victim:
        ends.append(loop.create_future())
        return Victim(ends[-1], seed + len(ends))

    async def several(first: int) -> None:
        for number in range(first, COME_AND_GO, AT_ONCE):
            await come_and_go(address, seed + number)

    server = await loop.create_server(victim, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    await asyncio.gather(*map(several, range(AT_ONCE)))
    server.close()
    await server.wait_closed()
    await asyncio.gather(*ends)


async def everything(seed: int) -> None:
    callers = Callers(THREADS, CALLS)
    await asyncio.gather(talk(seed), end_badly(seed), open_and_drop(seed), callers.run())
    await asyncio.sleep(2 * LONGEST_PAUSE)  # whoever resumes after the end has a timer


def main(new_loop: Callable[[], Loop], seed: int, times: int) -> None:
    faulthandler.dump_traceback_later(HANGS_AFTER_SECONDS * (times + 1), exit=True)
    logging.disable()
    loop = new_loop()
    core = sys.modules.get("rloop._core")
    reported: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: reported.append(context))
    loop.run_until_complete(everything(seed))  # until all is warm
    before = Resources.now()
    began = time.monotonic()
    with collecting(core.collect_java_garbage if core else None):
        for number in range(times):
            loop.run_until_complete(everything(seed + 1000 * number))
    seconds = time.monotonic() - began
    assert not reported, reported
    leaked = Resources.now().leaked_since(before)
    assert not leaked, leaked
    loop.close()
    print(f"{times * MESSAGES} messages in {seconds:.1f} s")


if __name__ == "__main__":
    module, _, factory = sys.argv[1].partition(":")
    main(getattr(importlib.import_module(module), factory), int(sys.argv[2]), int(sys.argv[3]))
