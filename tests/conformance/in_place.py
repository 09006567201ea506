"""Makes rloop what the ways to get a loop lead to that a test may take, and counts the loops.

CONFORMANCE_LOOP is the name of the loop's class.
"""

import asyncio
import os
import sys
from asyncio import base_events
from typing import Any

import rloop

_Base: Any = getattr(rloop, os.environ["CONFORMANCE_LOOP"])


class Loop(_Base):  # type: ignore[misc]  # one of several
    """Takes the place of asyncio's loop; the selector that a test gives has no meaning here."""

    def __init__(self, selector: object = None) -> None:
        super().__init__()


class LoopsMade:
    """How many loops there were so far: rloop's, and asyncio's own beside them."""

    ours = 0
    others = 0


def put_in_place() -> None:
    unix: Any = asyncio.unix_events
    policy = (
        unix._DefaultEventLoopPolicy if sys.version_info >= (3, 14) else unix.DefaultEventLoopPolicy
    )
    policy._loop_factory = Loop
    for name in {"SelectorEventLoop", "EventLoop"} & vars(asyncio).keys():
        setattr(asyncio, name, Loop)
    _count_loops()


def _count_loops() -> None:
    base: Any = base_events.BaseEventLoop
    make = base.__init__

    def made(loop: Any, *args: Any, **kwargs: Any) -> None:
        make(loop, *args, **kwargs)
        if isinstance(loop, rloop.RLoop):
            LoopsMade.ours += 1
        else:
            LoopsMade.others += 1

    base.__init__ = made
