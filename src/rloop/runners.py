"""Ways to run a program on rloop in one line."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from .loops.rloop import RLoop
from .loops.tokio import TokioLoop

_T = TypeVar("_T")


def new_event_loop() -> RLoop:
    """A new loop, for ``asyncio.run(…, loop_factory=rloop.new_event_loop)`` and the like."""
    return RLoop()


def new_tokio_event_loop() -> TokioLoop:
    """As ``new_event_loop``, of the loop over several threads."""
    return TokioLoop()


def run(
    main: Coroutine[Any, Any, _T],
    *,
    debug: bool | None = None,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> _T:
    """As ``asyncio.run``, on rloop: an ``RLoop``, unless another factory is given."""
    if asyncio._get_running_loop() is not None:
        main.close()
        raise RuntimeError("rloop.run() cannot be called from a running event loop")
    with asyncio.Runner(debug=debug, loop_factory=loop_factory or new_event_loop) as runner:
        return runner.run(main)
