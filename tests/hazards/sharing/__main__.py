"""Three threads use one loop at once, for a while, and then another loop.

    python -m tests.hazards.sharing SEED SECONDS [CLASS]

Methods may raise, and data may be lost. But the process must not die of it, Java must not be
surprised (which is a SystemError), and a loop that is told to stop must stop.
"""

import asyncio
import contextlib
import faulthandler
import gc
import itertools
import logging
import os
import random
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from rloop.java import jvm

from .actions import ACTIONS
from .objects import Shared, new_loop, serve

MISUSERS = 3
SECONDS_A_LOOP = 0.5
LONGEST_STOP = 30.0  # seconds: somebody else may have the processor

done = threading.Event()
loops: list[Shared] = []
succeeded: Counter[Callable[[Shared], None]] = Counter()
surprises: list[BaseException] = []


def look_at(exc: BaseException | None) -> None:
    """Keeps what may not be raised."""
    if isinstance(exc, SystemError):
        surprises.append(exc)


@contextlib.contextmanager
def raising() -> Iterator[None]:
    """Goes on after what may be raised."""
    try:
        yield
    except (Exception, asyncio.CancelledError) as exc:
        look_at(exc)


def misuse(seed: int) -> None:
    chosen = random.Random(seed)
    actions, weights = list(ACTIONS), list(ACTIONS.values())
    while not done.is_set():
        action = chosen.choices(actions, weights)[0]
        with raising():
            action(loops[-1])
            succeeded[action] += 1


def collect() -> None:
    for number in itertools.count():
        if done.wait(0.001):
            return
        gc.collect()
        if number % 20 == 0:
            jvm.core().collect_java_garbage()


def run_loop(name: str) -> None:
    shared = Shared(new_loop(name))
    shared.loop.set_exception_handler(lambda loop, context: look_at(context.get("exception")))
    loops.append(shared)
    stopped = threading.Event()
    stopper = threading.Thread(target=stop, args=(shared.loop, stopped))
    stopper.start()
    with raising():
        shared.loop.run_until_complete(serve(shared))
    while shared.loop.is_running():  # on another thread, which came first
        time.sleep(0.01)
    stopped.set()
    stopper.join()
    with raising():
        shared.loop.close()
    for end in shared.sockets:
        end.close()


def stop(loop: Any, stopped: threading.Event) -> None:
    end = time.monotonic() + SECONDS_A_LOOP + LONGEST_STOP
    stopped.wait(SECONDS_A_LOOP)
    while not stopped.wait(0.01):
        with contextlib.suppress(Exception):
            loop.call_soon_threadsafe(loop.stop)
        if time.monotonic() > end:
            print("the loop does not stop", file=sys.stderr)
            faulthandler.dump_traceback(all_threads=True)
            os._exit(1)


def never() -> list[str]:
    """What nobody has done yet."""
    return [action.__name__ for action in ACTIONS if not succeeded[action]]


def main(seed: int, seconds: float, name: str = "RLoop") -> None:
    faulthandler.enable()
    faulthandler.dump_traceback_later(seconds + 3 * LONGEST_STOP, exit=True)
    warnings.simplefilter("ignore")
    logging.disable()
    sys.unraisablehook = lambda unraisable: look_at(unraisable.exc_value)
    random.seed(seed)
    end = time.monotonic() + seconds
    run_loop(name)
    threads = [threading.Thread(target=misuse, args=(seed + i,)) for i in range(MISUSERS)]
    threads.append(threading.Thread(target=collect))
    for thread in threads:
        thread.start()
    count = 0
    while time.monotonic() < end or (never() and time.monotonic() < end + LONGEST_STOP):
        run_loop(name)
        del loops[:-3]
        count += 1
    done.set()
    for thread in threads:
        thread.join()
    print(f"{count} loops;", *(f"{succeeded[action]} {action.__name__}" for action in ACTIONS))
    if surprises:
        sys.exit(f"{len(surprises)} surprises of Java's, the first: {surprises[0]}")
    if never():
        sys.exit(f"never succeeded: {', '.join(never())}")


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), *sys.argv[3:])
