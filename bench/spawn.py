"""Starts subprocesses that end at once, a few at a time: what one costs, theirs included."""

import argparse
import asyncio
import json
import os
import time

import loops

PROGRAM = "/bin/true"
AT_A_TIME = 4


async def spawn(count: int) -> None:
    for _ in range(count):
        process = await asyncio.create_subprocess_exec(PROGRAM)
        if await process.wait() != 0:
            raise RuntimeError(f"{PROGRAM} failed")


async def spawn_all(count: int) -> None:
    await asyncio.gather(*(spawn(count // AT_A_TIME) for _ in range(AT_A_TIME)))


def cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loop", choices=loops.MODULES, required=True)
    parser.add_argument("--count", type=int, required=True)
    arguments = parser.parse_args()
    loop = loops.new_event_loop(arguments.loop)
    asyncio.set_event_loop(loop)
    loop.run_until_complete(spawn_all(arguments.count // 10))
    cpu_before = cpu_seconds()
    started = time.perf_counter()
    loop.run_until_complete(spawn_all(arguments.count))
    elapsed = time.perf_counter() - started
    spent = cpu_seconds() - cpu_before
    loop.close()
    print(
        json.dumps(
            {
                "wall_us": elapsed / arguments.count * 1e6,
                "cpu_us": spent / arguments.count * 1e6,
            }
        )
    )


if __name__ == "__main__":
    main()
