"""An ``ssl.SSLObject`` whose ``SSL`` another thread may be working with.

While a ``TokioLoop`` runs Python, a thread of Java's encrypts and decrypts. What a program asks of
the object that ``get_extra_info("ssl_object")`` gave it, on whichever thread, waits until that is
over, and keeps it from going on meanwhile.
"""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable
from typing import Any


class GuardedSSLObject(ssl.SSLObject):
    """Has what ``ssl.SSLObject`` has."""

    _hold_io: Callable[[bool], None]


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(self: GuardedSSLObject, *args: Any, **kwargs: Any) -> Any:
        self._hold_io(True)
        try:
            return function(self, *args, **kwargs)
        finally:
            self._hold_io(False)

    return call


def _guard_all() -> None:
    for name, value in vars(ssl.SSLObject).items():
        if name.startswith("_"):
            continue
        if isinstance(value, property):
            read, write = (
                None if access is None else _guarded(access) for access in (value.fget, value.fset)
            )
            setattr(GuardedSSLObject, name, property(read, write, None, value.__doc__))
        elif callable(value):
            setattr(GuardedSSLObject, name, _guarded(value))


_guard_all()


def guard(ssl_object: ssl.SSLObject, hold_io: Callable[[bool], None]) -> None:
    """Makes an object of the standard library's own class one that is guarded."""
    if type(ssl_object) is ssl.SSLObject:
        ssl_object.__class__ = GuardedSSLObject
        ssl_object._hold_io = hold_io  # type: ignore[attr-defined]
