"""Clients of the hub (``hubs``): ``python -m tests.hazards.libraries.hub_clients PORT SECONDS``.

Each says something when it has heard what it said before, and holds what it hears against what
each of them says: everything once, in order. Prints the hub's workers, as ``load`` does.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter

from .load import ANSWERS_WITHIN_SECONDS, HOST, digest

CLIENTS = 8
WELCOME = "welcome"  # what the hub says when it has listed a connection


class Listener:
    """What a client knows of what the others say."""

    def __init__(self) -> None:
        self._heard: Counter[str] = Counter()

    def hear(self, message: str) -> tuple[str, str]:
        """Returns the worker that sent it, and who said it."""
        worker, speaker, number, data, answer = message.split(" ")
        if int(number) != self._heard[speaker]:
            raise ValueError(f"{speaker} said {number} after {self._heard[speaker] - 1}")
        if answer != digest(f"{speaker} {number} {data}".encode()):
            raise ValueError(f"a wrong digest: {message!r}")
        self._heard[speaker] += 1
        return worker, speaker


async def client(
    port: int, name: str, barrier: asyncio.Barrier, until: float, seen: Counter[str]
) -> None:
    from websockets.asyncio.client import connect  # noqa: PLC0415  # the hub may do without

    listener = Listener()
    ended = 0
    async with connect(f"ws://{HOST}:{port}/") as connection:
        assert await connection.recv() == WELCOME
        await barrier.wait()  # all listen
        number = 0
        await connection.send(f"{name} {number} {random.randbytes(100).hex()}")
        while ended < CLIENTS:
            async with asyncio.timeout(ANSWERS_WITHIN_SECONDS):
                message = str(await connection.recv())
            worker, speaker = listener.hear(message)
            ended += message.split(" ")[3] == "end"
            if speaker == name and message.split(" ")[3] != "end":
                seen[worker] += 1
                number += 1
                is_over = time.monotonic() > until
                data = "end" if is_over else random.randbytes(random.randint(1, 1000)).hex()
                await connection.send(f"{name} {number} {data}")
        await barrier.wait()  # nobody leaves while others listen


async def main(port: int, seconds: float) -> Counter[str]:
    seen: Counter[str] = Counter()
    barrier = asyncio.Barrier(CLIENTS)
    until = time.monotonic() + seconds
    async with asyncio.TaskGroup() as group:
        for number in range(CLIENTS):
            group.create_task(client(port, f"c{number}", barrier, until, seen))
    return seen


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))))
