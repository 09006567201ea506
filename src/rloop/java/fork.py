"""What happens to Java when the process forks: nothing of it works in the child.

``fork`` copies the memory of the virtual machine but only one of its threads. The first garbage
collection or compilation would wait for threads that are not there, for ever. So in the child
nothing may enter Java: what Java made is replaced by one function that raises, and so are the
methods of the parent's loops. A new loop works, as it does for the worker processes of
multiprocessing: its class has everything back as asyncio does it.

Servers that fork workers start Java in each worker, after the fork: importing rloop doesn't start
it.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
import weakref
from asyncio.log import logger
from collections.abc import Iterable
from types import BuiltinFunctionType, MethodDescriptorType, ModuleType
from typing import Any, NoReturn

# As it is now: programs may put something else in its place.
_AsyncioLoop = asyncio.SelectorEventLoop

_loops: weakref.WeakSet[asyncio.SelectorEventLoop] = weakref.WeakSet()
_loop_classes: list[type[asyncio.SelectorEventLoop]] = []
_entries: list[tuple[object, str]] = []
_modules: list[ModuleType] = []
_deallocators: list[int] = []
_is_watching = False
_is_child = False
_has_warned = False


def watch() -> None:
    """From now on this process has a Java virtual machine that its children won't have."""
    global _is_watching  # noqa: PLW0603
    if not _is_watching:
        os.register_at_fork(before=_send_what_was_written, after_in_child=_after_in_child)
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


def forbid_functions_in_children(module: ModuleType) -> None:
    """Names a module whose functions Java makes, some of them for who asks."""
    _modules.append(module)


def free_without_java_in_children(deallocator: int) -> None:
    """Names, by its address, a ``tp_dealloc`` that enters Java, of objects that hold nothing."""
    _deallocators.append(deallocator)


def is_child() -> bool:
    """Whether Java cannot work because this process is the child of one that ran it."""
    return _is_child


def check() -> None:
    """Raises in such a child."""
    if _is_child:
        _refuse()


def give_back_in_children(loop_class: type[asyncio.SelectorEventLoop]) -> None:
    """Names the class of loops that does with Java what asyncio's loop does without."""
    _loop_classes.append(loop_class)


def register(loop: asyncio.SelectorEventLoop) -> None:
    """Makes a loop known as one of this process, to be refused in its children."""
    _loops.add(loop)


def loops() -> list[asyncio.SelectorEventLoop]:
    """The loops of this process."""
    return list(_loops)


def _send_what_was_written() -> None:
    """The parent may end at once (``os._exit``), and the child can't send it."""
    loop: Any = asyncio._get_running_loop()
    if loop is not None and loop in _loops:
        loop._flush()


def _after_in_child() -> None:
    global _is_child  # noqa: PLW0603
    _is_child = True
    free = ctypes.cast(ctypes.pythonapi.PyObject_Free, ctypes.c_void_p)
    for deallocator in _deallocators:
        ctypes.c_void_p.from_address(deallocator).value = free.value
    for owner, name in _entries:
        setattr(owner, name, _refuse)
    for module in _modules:
        for name, function in list(vars(module).items()):
            if isinstance(function, BuiltinFunctionType):
                setattr(module, name, _lack)
    for loop_class in _loop_classes:
        _refuse_loops(loop_class)
        _give_back(loop_class)


def _refuse_loops(loop_class: type) -> None:
    """Has the loops that there are raise, whatever is asked of them."""
    refusing = {name: _refuse for base in _own_bases(loop_class) for name in _methods(base)}
    for loop in _loops:
        cls = type(loop)
        own = {"__slots__": (), "__del__": _die_in_silence, **refusing}
        loop.__class__ = type(cls.__name__, (cls,), own)


def _give_back(loop_class: type) -> None:
    for base in _own_bases(loop_class):
        for name in _methods(base):
            setattr(base, name, getattr(_AsyncioLoop, name, _lack))
    loop_class.__init__ = _init_without_java  # type: ignore[misc]


def _own_bases(loop_class: type) -> tuple[type, ...]:
    """The class and its bases, up to asyncio's."""
    return loop_class.__mro__[: loop_class.__mro__.index(_AsyncioLoop)]


def _methods(cls: type) -> list[str]:
    return [name for name, value in vars(cls).items() if callable(value) and name[:2] != "__"]


def _init_without_java(self: asyncio.SelectorEventLoop) -> None:
    global _has_warned  # noqa: PLW0603
    if not _has_warned:
        _has_warned = True
        logger.warning(
            "rloop's Java was running when this process was forked, and does not survive that: "
            "new loops work as asyncio's do"
        )
    _AsyncioLoop.__init__(self)


def _die_in_silence(_: asyncio.SelectorEventLoop) -> None:
    """That it wasn't closed is the parent's affair, and so is what it would close."""


def _lack(*_: Any, **__: Any) -> NoReturn:
    raise RuntimeError(
        "this process was forked from one in which rloop's Java was already running: its loops "
        "work as asyncio's, and have neither figures nor monitors nor recordings; who wants "
        "those starts it by spawn"
    )


def _refuse(*args: Any, **_: Any) -> NoReturn:
    ending = sys.exc_info()[1]
    # A task that ends by one schedules its callbacks, with itself, before it raises.
    for ended in (argument for argument in args if isinstance(argument, asyncio.Future)):
        if ended.done() and not ended.cancelled():
            ending = ended.exception()
    if isinstance(ending, (SystemExit, KeyboardInterrupt)):
        raise ending  # the child is on its way out, through what tidies up after the loop
    raise RuntimeError(
        "this process was forked from one in which rloop's Java was already running, and Java "
        "does not survive a fork: make a loop of the child's own, or start the child by spawn"
    )
