"""The modules of rloop that Java was started from; they stay those of the process.

Java has their classes, and a process has one Java. But programs take modules out of
``sys.modules``: a test that patches it has the old ones back afterwards, without those that were
imported meanwhile; others delete them, to import them anew. So the package is kept where nobody
clears up, in the dictionary that an interpreter has for its extensions, and finds its modules
again by itself: each is an attribute of its parent.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

_KEY = "rloop"

_package = sys.modules[_KEY]  # which imports this


def core() -> ModuleType | None:
    """What Java has made for this process, whichever import of rloop started it."""
    package = _interpreter_dictionary().get(_KEY)
    return None if package is None else package._core


def keep(core: ModuleType) -> None:
    """Java has started from these modules: they are the ones."""
    _package._core = core  # type: ignore[attr-defined]
    _interpreter_dictionary()[_KEY] = _package
    restore()


def restore() -> None:
    """Puts the modules that Java was started from, or will be, where imports find them."""
    for module in _with_submodules(_interpreter_dictionary().get(_KEY, _package)):
        sys.modules[module.__name__] = module


def _with_submodules(module: ModuleType) -> Iterator[ModuleType]:
    yield module
    if hasattr(module, "__path__"):  # a package
        prefix = f"{module.__name__}."
        for name, value in vars(module).items():
            if isinstance(value, ModuleType) and value.__name__ == prefix + name:
                yield from _with_submodules(value)


def _interpreter_dictionary() -> dict[str, Any]:
    api = ctypes.pythonapi
    api.PyInterpreterState_Get.restype = api.PyInterpreterState_GetDict.restype = ctypes.c_void_p
    address = api.PyInterpreterState_GetDict(ctypes.c_void_p(api.PyInterpreterState_Get()))
    dictionary: dict[str, Any] = ctypes.cast(address, ctypes.py_object).value
    return dictionary
