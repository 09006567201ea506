"""Runs one of them: ``python -m tests.hazards.primitives NAME WORKERS OPERATIONS [SECONDS]``.

With seconds asyncio's primitives stay as they are, and it runs again and again for so long: it
fails before, or somebody waits for ever.
"""

import asyncio
import faulthandler
import sys
import time
from typing import Any

import rloop

from . import NAMES, futures, locks, queues, streams

PROGRAMS = {
    name: program
    for module in (locks, queues, futures, streams)
    for name, program in vars(module).items()
    if name in NAMES
}


def main(name: str, workers: int, operations: int, patience: float) -> None:
    """Ends the process, with all threads' tracebacks, if it takes longer than the patience."""
    faulthandler.dump_traceback_later(patience, exit=True)
    reported: list[Any] = []
    loop = rloop.TokioLoop(workers=workers)
    loop.set_exception_handler(lambda _, context: reported.append(context))
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(PROGRAMS[name](loop, operations))
    faulthandler.cancel_dump_traceback_later()
    assert not reported, reported


def main_without_guards(name: str, operations: int, seconds: float, patience: float) -> None:
    from rloop.workers import guarded_classes  # noqa: PLC0415

    guarded_classes.install_for = lambda _: lambda: None  # type: ignore[assignment]
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        main(name, 2, operations, patience)


if __name__ == "__main__":
    if len(sys.argv) > 4:
        main_without_guards(sys.argv[1], int(sys.argv[3]), float(sys.argv[4]), 60)
    else:
        main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), 600)
