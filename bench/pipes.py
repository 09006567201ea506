"""Echo through children: what a message to `cat` and back costs this process alone."""

import argparse
import asyncio
import json
import os
import time
from asyncio.subprocess import PIPE, Process

import loops

PROGRAM = "/bin/cat"
WARM_UP_SECONDS = 3.0
REPEAT_SECONDS = 0.5


async def start(core: int) -> Process:
    process = await asyncio.create_subprocess_exec(PROGRAM, stdin=PIPE, stdout=PIPE)
    os.sched_setaffinity(process.pid, {core})
    return process


async def echo(process: Process, message: bytes, until: float) -> int:
    """One message after the other; returns how many."""
    assert process.stdin is not None
    assert process.stdout is not None
    count = 0
    while time.perf_counter() < until:
        process.stdin.write(message)
        await process.stdin.drain()
        if await process.stdout.readexactly(len(message)) != message:
            raise RuntimeError(f"{PROGRAM} gave something else back")
        count += 1
    return count


async def echo_all(processes: list[Process], message: bytes, seconds: float) -> int:
    until = time.perf_counter() + seconds
    return sum(await asyncio.gather(*(echo(process, message, until) for process in processes)))


async def measure(core: int, children: int, size: int, repeats: int) -> dict[str, float]:
    processes = [await start(core) for _ in range(children)]
    message = os.urandom(size)
    await echo_all(processes, message, WARM_UP_SECONDS)
    count = 0
    before, cpu_before = os.times(), time.process_time()
    for _ in range(repeats):
        count += await echo_all(processes, message, REPEAT_SECONDS)
    cpu, after = time.process_time() - cpu_before, os.times()
    for process in processes:
        await process.communicate(b"")
    return {
        "user_us": (after.user - before.user) / count * 1e6,
        "kernel_us": (after.system - before.system) / count * 1e6,
        "total_us": cpu / count * 1e6,
        "messages_per_second": count / (after.elapsed - before.elapsed),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loop", choices=loops.MODULES, required=True)
    parser.add_argument("--child-core", type=int, required=True)
    parser.add_argument("--children", type=int, required=True)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--repeats", type=int, required=True)
    arguments = parser.parse_args()
    loop = loops.new_event_loop(arguments.loop)
    asyncio.set_event_loop(loop)
    work = measure(arguments.child_core, arguments.children, arguments.size, arguments.repeats)
    print(json.dumps(loop.run_until_complete(work)))
    loop.close()


if __name__ == "__main__":
    main()
