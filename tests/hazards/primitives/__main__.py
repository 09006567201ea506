"""Runs one of them: ``python -m tests.hazards.primitives NAME WORKERS OPERATIONS [stock]``.

With ``stock`` asyncio's primitives stay as they are: then it fails, or somebody waits for ever.
"""

import asyncio
import faulthandler
import sys
from typing import Any

import rloop

from . import NAMES, futures, locks, queues, streams

PROGRAMS = {
    name: program
    for module in (locks, queues, futures, streams)
    for name, program in vars(module).items()
    if name in NAMES
}


def main(name: str, workers: int, operations: int, seconds: float, is_stock: bool = False) -> None:
    faulthandler.dump_traceback_later(seconds, exit=True)
    if is_stock:
        from rloop.loops import guarded_classes  # noqa: PLC0415

        guarded_classes.install_for = lambda _: lambda: None  # type: ignore[assignment]
    reported: list[Any] = []
    loop = rloop.TokioLoop(workers=workers)
    loop.set_exception_handler(lambda _, context: reported.append(context))
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(PROGRAMS[name](loop, operations))
    assert not reported, reported


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), 60, "stock" in sys.argv[4:])
