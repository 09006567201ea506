"""What can go wrong before a loop exists."""

from __future__ import annotations


class JavaNotFoundError(ImportError):
    """No Java that can run rloop was found; the message lists every place that was tried."""


class JavaStartError(RuntimeError):
    """Java was found, but its virtual machine refused to start or failed while starting."""


class UnknownLibsslError(Exception):
    """Python's OpenSSL, or what ``ssl`` makes of it, is not as Java would have to rely on."""
