"""What happens to Java when the process forks: nothing of it works in the child.

``fork`` copies the memory of the virtual machine but only one of its threads. The first garbage
collection or compilation would wait for threads that are not there, for ever. So in the child
nothing may enter Java: the methods that Java made are replaced by one that raises, and no loop can
be made. Whoever forks and never touches a loop, as multiprocessing does, notices nothing.

Servers that fork workers start Java in each worker, after the fork: importing rloop doesn't start
it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from types import MethodDescriptorType
from typing import Any, NoReturn

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


def _after_in_child() -> None:
    global _is_child  # noqa: PLW0603
    _is_child = True
    for owner, name in _entries:
        setattr(owner, name, _refuse)


def _refuse(*_: Any, **__: Any) -> NoReturn:
    raise RuntimeError(
        "this process was forked from one in which rloop's Java was already running, and Java "
        "does not survive a fork: make the loop after the fork, or start the child by spawn"
    )
