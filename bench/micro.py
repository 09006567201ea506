"""CPU time of one operation of an event loop: `python micro.py --loop uvloop chain`.

It is the whole process's: other threads' share, a just-in-time compiler's too, is in it.
"""

import argparse
import asyncio
import json
import statistics
import threading
import time
from collections.abc import Callable

import loops

BURST = 1000
WARM_UP_SECONDS = 1.0
REPEAT_SECONDS = 0.1
REPEATS = 7
TIMER_FAR_SECONDS = 60.0
TIMER_STEP_SECONDS = 5e-6  # a burst of timers falls due over five milliseconds
GATHERED = 100

Loop = asyncio.AbstractEventLoop


def nothing() -> None:
    pass


async def nothing_async() -> None:
    pass


def run_bursts(loop: Loop, count: int, schedule_burst: Callable[[], None]) -> None:
    """Schedules `count` callbacks in bursts, from inside the loop; each runs before the next."""
    bursts = count // BURST

    def next_burst() -> None:
        nonlocal bursts
        schedule_burst()
        bursts -= 1
        loop.call_soon(next_burst if bursts else loop.stop)

    loop.call_soon(next_burst)
    loop.run_forever()


def call_soon(loop: Loop, count: int) -> None:
    def schedule_burst() -> None:
        for _ in range(BURST):
            loop.call_soon(nothing)

    run_bursts(loop, count, schedule_burst)


def threadsafe_same(loop: Loop, count: int) -> None:
    def schedule_burst() -> None:
        for _ in range(BURST):
            loop.call_soon_threadsafe(nothing)

    run_bursts(loop, count, schedule_burst)


def timers_cancelled(loop: Loop, count: int) -> None:
    def schedule_burst() -> None:
        for _ in range(BURST):
            loop.call_later(TIMER_FAR_SECONDS, nothing).cancel()

    run_bursts(loop, count, schedule_burst)


def timers_zero(loop: Loop, count: int) -> None:
    def schedule_burst() -> None:
        for _ in range(BURST):
            loop.call_later(0, nothing)

    run_bursts(loop, count, schedule_burst)


def chain(loop: Loop, count: int) -> None:
    left = count

    def step() -> None:
        nonlocal left
        left -= 1
        loop.call_soon(step if left else loop.stop)

    loop.call_soon(step)
    loop.run_forever()


def threadsafe_other(loop: Loop, count: int) -> None:
    def schedule() -> None:
        for _ in range(count):
            loop.call_soon_threadsafe(nothing)
        loop.call_soon_threadsafe(loop.stop)

    thread = threading.Thread(target=schedule)
    loop.call_soon(thread.start)
    loop.run_forever()
    thread.join()


def timers_fired(loop: Loop, count: int) -> None:
    """Real timers: a burst is set, all of it falls due and runs, then the next is set."""
    left = count
    pending = 0

    def fired() -> None:
        nonlocal pending
        pending -= 1
        if pending == 0:
            burst()

    def burst() -> None:
        nonlocal left, pending
        if left <= 0:
            loop.stop()
            return
        left -= BURST
        pending = BURST
        for index in range(BURST):
            loop.call_later(index * TIMER_STEP_SECONDS, fired)

    loop.call_soon(burst)
    loop.run_forever()


def sleep_zero(loop: Loop, count: int) -> None:
    async def main() -> None:
        for _ in range(count):
            await asyncio.sleep(0)

    loop.run_until_complete(main())


def spawn(loop: Loop, count: int) -> None:
    async def main() -> None:
        for _ in range(count):
            await loop.create_task(nothing_async())

    loop.run_until_complete(main())


def gather(loop: Loop, count: int) -> None:
    async def main() -> None:
        for _ in range(count // GATHERED):
            await asyncio.gather(*[nothing_async() for _ in range(GATHERED)])

    loop.run_until_complete(main())


def run_until_complete(loop: Loop, count: int) -> None:
    for _ in range(count):
        loop.run_until_complete(nothing_async())


OPERATIONS: dict[str, Callable[[Loop, int], None]] = {
    "call_soon": call_soon,
    "chain": chain,
    "threadsafe_same": threadsafe_same,
    "threadsafe_other": threadsafe_other,
    "timers_cancelled": timers_cancelled,
    "timers_zero": timers_zero,
    "timers_fired": timers_fired,
    "sleep_zero": sleep_zero,
    "spawn": spawn,
    "gather": gather,
    "run_until_complete": run_until_complete,
}


def measure(loop: Loop, operation: Callable[[Loop, int], None]) -> dict[str, float]:
    count = BURST
    end = time.perf_counter() + WARM_UP_SECONDS
    while time.perf_counter() < end:
        started = time.process_time()
        operation(loop, count)
        if time.process_time() - started < REPEAT_SECONDS:
            count *= 2
    cpu = []
    for _ in range(REPEATS):
        started_ns = time.process_time_ns()
        operation(loop, count)
        cpu.append((time.process_time_ns() - started_ns) / count)
    return {"cpu_ns": statistics.median(cpu), "best_ns": min(cpu)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loop", choices=loops.MODULES, required=True)
    parser.add_argument("operation", choices=OPERATIONS)
    arguments = parser.parse_args()
    loop = loops.new_event_loop(arguments.loop)
    asyncio.set_event_loop(loop)
    print(json.dumps(measure(loop, OPERATIONS[arguments.operation])))
    loop.close()


if __name__ == "__main__":
    main()
