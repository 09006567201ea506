"""``python -m rloop run``: a program that knows nothing of rloop, on its loops.

Wherever asyncio makes a loop (``asyncio.run``, ``asyncio.Runner``, ``asyncio.new_event_loop``, any
policy) it makes an ``asyncio.SelectorEventLoop``, and so do servers that want asyncio's loop. So
that class is the one place to change: its ``__new__`` makes an object of ours. Who derives from it,
or gives it a selector, wants that very class, and gets it.

The processes that ``multiprocessing`` spawns are told with what they have to prepare anyway.
"""

from __future__ import annotations

import asyncio
import functools
import importlib.metadata
import importlib.util
import sys
from contextlib import suppress
from multiprocessing import spawn
from types import ModuleType
from typing import Any

from . import policy, runners
from .loops.rloop import RLoop
from .loops.tokio import TokioLoop
from .program import Program

LOOPS: dict[str, type[RLoop]] = {"rloop": RLoop, "tokio": TokioLoop}

_POLICIES = {RLoop: policy.EventLoopPolicy, TokioLoop: policy.TokioEventLoopPolicy}

_AsyncioLoop = asyncio.SelectorEventLoop
_get_preparation_data = spawn.get_preparation_data


def main(program: Program, loop: str) -> None:
    """Runs the program on loops of that name."""
    use(loop)
    program.run()


def use(name: str) -> None:
    """From now on asyncio's new loops are ours, here and in the processes that are spawned."""
    loop_class = LOOPS[name]

    def new(cls: type[_AsyncioLoop], *args: Any, **kwargs: Any) -> Any:
        is_asyncios = cls is _AsyncioLoop and not (args or kwargs)
        return object.__new__(loop_class if is_asyncios else cls)

    def get_preparation_data(*args: Any, **kwargs: Any) -> dict[str, Any]:
        return {**_get_preparation_data(*args, **kwargs), "rloop": _Use(name)}

    _AsyncioLoop.__new__ = new  # type: ignore[method-assign,assignment]
    spawn.get_preparation_data = get_preparation_data
    if "uvloop" in sys.modules or importlib.util.find_spec("uvloop"):
        sys.modules["uvloop"] = _stand_in_for_uvloop(loop_class)


class _Use:
    """Does it where it is unpickled."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __reduce__(self) -> tuple[Any, ...]:
        return use, (self._name,)


def _stand_in_for_uvloop(loop_class: type[RLoop]) -> ModuleType:
    """Programs use uvloop where they find it; who runs them on rloop has another wish."""
    module: Any = ModuleType("uvloop", "rloop, by the names of uvloop: see rloop.launch.")
    with suppress(importlib.metadata.PackageNotFoundError):
        module.__version__ = importlib.metadata.version("uvloop")
    module.Loop = module.new_event_loop = loop_class
    module.run = functools.partial(runners.run, loop_factory=loop_class)
    module.install = _do_nothing
    module.EventLoopPolicy = _POLICIES[loop_class]
    return module  # type: ignore[no-any-return]


def _do_nothing() -> None:
    """It is installed."""
