"""What every server does to run: the loop that was asked for, in a process like a grown-up one."""

import asyncio
from collections.abc import Coroutine

import loops

BIG_BLOCK_BYTES = 1 << 20


def run_server(loop_name: str, server: Coroutine[None, None, None]) -> None:
    raise_mmap_threshold()
    loop = loops.new_event_loop(loop_name)
    asyncio.set_event_loop(loop)
    loop.run_until_complete(server)


def raise_mmap_threshold() -> None:
    """Frees one big block, as any program does sooner or later.

    Until then glibc's malloc takes every block of 128 KiB or more from the kernel and gives it back
    when it is freed. asyncio reads into a new block of 256 KiB each time, which then costs it three
    times the CPU. That is so in a server that does nothing else, in a real one it is not, and no
    loop should look good by it.
    """
    block = bytes(BIG_BLOCK_BYTES)
    del block
