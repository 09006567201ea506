"""What can go wrong before a loop exists."""

from __future__ import annotations


class JavaNotFoundError(ImportError):
    """No Java that can run rloop was found; the message lists every place that was tried."""


class JavaStartError(RuntimeError):
    """Java was found, but cannot start here: what is missing, or what it said while it failed."""


class SettingError(ValueError):
    """A variable of rloop's own, ``RLOOP_...``, has a value that means nothing."""


class UnknownLibsslError(Exception):
    """Python's OpenSSL, or what ``ssl`` makes of it, is not as Java would have to rely on."""
