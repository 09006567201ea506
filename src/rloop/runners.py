"""Ways to run a program on rloop in one line."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from .loops.rloop import RLoop

_T = TypeVar("_T")


def new_event_loop() -> RLoop:
    """A new loop, for ``asyncio.run(…, loop_factory=rloop.new_event_loop)`` and the like."""
    return RLoop()


def run(main: Coroutine[Any, Any, _T], *, debug: bool | None = None) -> _T:
    """As ``asyncio.run``, on rloop."""
    if asyncio._get_running_loop() is not None:
        main.close()
        raise RuntimeError("rloop.run() cannot be called from a running event loop")
    with asyncio.Runner(debug=debug, loop_factory=new_event_loop) as runner:
        return runner.run(main)
