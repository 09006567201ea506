"""Clients that send data and check that its digest comes back: a process of their own.

``python -m tests.hazards.libraries.load PORT SECONDS [http]`` prints, as JSON, how many answers
each worker has given; a wrong one ends it with an error.
"""

import asyncio
import hashlib
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable

HOST = "127.0.0.1"
CONNECTIONS = 16
SHORTEST = 8  # so that no two ask the same
LONGEST = 2_000
ANSWERS_WITHIN_SECONDS = 60

_Ask = Callable[[asyncio.StreamReader, asyncio.StreamWriter, bytes], Awaitable[str]]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def ask_in_a_line(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes
) -> str:
    writer.write(data.hex().encode() + b"\n")
    return (await reader.readuntil(b"\n")).decode().strip()


async def ask_by_http(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes
) -> str:
    head = f"POST / HTTP/1.1\r\nhost: {HOST}\r\ncontent-length: {len(data)}\r\n\r\n"
    writer.write(head.encode() + data)
    answer = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    if not answer.startswith("http/1.1 200 "):
        raise ValueError(f"200 expected, got {answer!r}")
    lines = answer.splitlines()
    [length] = [line for line in lines if line.startswith("content-length:")]
    said = (await reader.readexactly(int(length.partition(":")[2]))).decode()
    if "connection: close" in lines:
        writer.close()
    return said


async def client(ask: _Ask, port: int, until: float, seen: Counter[str]) -> None:
    """Asks one thing after the other, on one connection as long as the server likes."""
    reader, writer = await asyncio.open_connection(HOST, port)
    while time.monotonic() < until:
        if writer.is_closing():
            reader, writer = await asyncio.open_connection(HOST, port)
        data = random.randbytes(random.randint(SHORTEST, LONGEST))
        async with asyncio.timeout(ANSWERS_WITHIN_SECONDS):
            worker, _, answer = (await ask(reader, writer, data)).partition(" ")
        if answer != digest(data):
            raise ValueError(f"{digest(data)} expected, got {answer!r} from worker {worker}")
        seen[worker] += 1
    writer.close()
    await writer.wait_closed()


async def main(ask: _Ask, port: int, seconds: float) -> Counter[str]:
    until = time.monotonic() + seconds
    seen: Counter[str] = Counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(CONNECTIONS):
            group.create_task(client(ask, port, until, seen))
    return seen


if __name__ == "__main__":
    ask = ask_by_http if "http" in sys.argv else ask_in_a_line
    print(json.dumps(asyncio.run(main(ask, int(sys.argv[1]), float(sys.argv[2])))))
