"""What happens to Java when the process forks: nothing of it works in the child.

``fork`` copies the memory of the virtual machine but only one of its threads. The first garbage
collection or compilation would wait for threads that are not there, for ever. So in the child
nothing may enter Java: the methods that Java made are replaced by one that raises, which is what a
loop of the parent's does there. A new loop works, as it does for the worker processes of
multiprocessing: it is of a class that has everything back as asyncio does it.

Servers that fork workers start Java in each worker, after the fork: importing rloop doesn't start
it.
"""

from __future__ import annotations

import asyncio
import functools
import os
from asyncio.log import logger
from collections.abc import Iterable
from types import MethodDescriptorType
from typing import Any, NoReturn, TypeVar

_Loop = TypeVar("_Loop", bound=asyncio.SelectorEventLoop)

# As it is now: programs may put something else in its place.
_AsyncioLoop = asyncio.SelectorEventLoop

_entries: list[tuple[object, str]] = []
_is_watching = False
_is_child = False


def watch() -> None:
    """From now on this process has a Java virtual machine that its children won't have."""
    global _is_watching  # noqa: PLW0603
    if not _is_watching:
        os.register_at_fork(after_in_child=_after_in_child)
        _is_watching = True


def forbid_in_children(entries: Iterable[tuple[object, str]]) -> None:
    """Names what enters Java: attributes of classes and of modules."""
    _entries.extend(entries)


def forbid_methods_in_children(*owners: type) -> None:
    """Names those methods of classes that Java made."""
    forbid_in_children(
        (owner, name)
        for owner in owners
        for name, method in vars(owner).items()
        if isinstance(method, MethodDescriptorType)
    )


def check() -> None:
    """Raises where Java cannot work because this process is the child of one that ran it."""
    if _is_child:
        _refuse()


def class_of_new_loop(cls: type[_Loop], ours: type[_Loop]) -> type[_Loop]:
    """The class itself, or in a child of a process with Java one that works without it.

    ``ours`` is the class of ``cls``'s bases up to which everything is given back to asyncio.
    """
    return _without_java(cls, ours) if _is_child else cls


@functools.cache
def _without_java(cls: type[_Loop], ours: type[_Loop]) -> type[_Loop]:
    if cls is not ours:  # what users add in a subclass of their own stays
        return type(cls.__name__, (cls, _without_java(ours, ours)), {})
    logger.warning(
        "rloop's Java was running when this process was forked, and does not survive that: "
        "new loops work as asyncio's do"
    )
    bases = ours.__mro__[: ours.__mro__.index(_AsyncioLoop)]
    names = {name for base in bases for name in vars(base) if not name.startswith("__")}
    given_back = {"__init__", *names} & set(dir(_AsyncioLoop))
    return type(ours.__name__, (ours,), {name: getattr(_AsyncioLoop, name) for name in given_back})


def _after_in_child() -> None:
    global _is_child  # noqa: PLW0603
    _is_child = True
    for owner, name in _entries:
        setattr(owner, name, _refuse)


def _refuse(*_: Any, **__: Any) -> NoReturn:
    raise RuntimeError(
        "this process was forked from one in which rloop's Java was already running, and Java "
        "does not survive a fork: make a loop of the child's own, or start the child by spawn"
    )
