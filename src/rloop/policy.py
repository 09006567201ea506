"""Event loop policies, which asyncio has up to 3.15; deprecated there since 3.14."""

from __future__ import annotations

import asyncio
import warnings
from typing import TYPE_CHECKING, Any

from .runners import new_event_loop, new_tokio_event_loop

if TYPE_CHECKING:
    from .loops.rloop import RLoop

_BasePolicy: Any
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    _BasePolicy = getattr(asyncio, "DefaultEventLoopPolicy", object)


class EventLoopPolicy(_BasePolicy):  # type: ignore[misc]
    """A policy whose loops are rloop's."""

    def _loop_factory(self) -> RLoop:
        return new_event_loop()


class TokioEventLoopPolicy(EventLoopPolicy):
    """A policy whose loops are ``TokioLoop``s."""

    def _loop_factory(self) -> RLoop:
        return new_tokio_event_loop()


def install() -> None:
    """Makes rloop what ``asyncio.run`` and ``asyncio.new_event_loop`` use in this process.

    By a policy, so below Python 3.16; where there are none it raises a ``RuntimeError``.
    """
    if _BasePolicy is object:
        raise RuntimeError(
            "rloop.install() needs event loop policies, which asyncio has no more: use "
            "rloop.run(main()), asyncio.run(main(), loop_factory=rloop.new_event_loop), or "
            "python -m rloop run for a program that is not to be changed"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        asyncio.set_event_loop_policy(EventLoopPolicy())
