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

    Until then glibc's malloc gets every block of 128 KiB or more from the kernel and gives it back
    at once. asyncio reads into a new one of 256 KiB each time, so it takes three times the CPU in a
    process that has never freed a big block: true, but of a server with more in it than an echo
    it is not, and no loop should look good for it.
    """
    block = bytes(BIG_BLOCK_BYTES)
    del block
