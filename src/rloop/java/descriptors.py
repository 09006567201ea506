"""Files that Java opens while it starts, and would leave to every program that this one becomes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_OPEN_FILES = "/dev/fd"


@contextmanager
def closed_on_exec(*paths: str) -> Iterator[None]:
    """What is opened of these files meanwhile is closed by ``exec``.

    By their names, since other threads may open files of their own, and close them meanwhile.
    """
    before = _open_files()
    try:
        yield
    finally:
        files = {_identity(path) for path in paths if os.path.exists(path)}
        for descriptor in _open_files() - before:
            with suppress(OSError):  # closed meanwhile
                if _identity(descriptor) in files:
                    os.set_inheritable(descriptor, False)


def _open_files() -> set[int]:
    try:
        # By which the folder is read: the lowest number that is free.
        own = os.open(_OPEN_FILES, os.O_RDONLY | os.O_DIRECTORY)
        os.close(own)
        return {int(name) for name in os.listdir(_OPEN_FILES)} - {own}
    except OSError:  # there is no /proc: nothing is known, nothing done
        return set()


def _identity(path_or_descriptor: str | int) -> tuple[int, int]:
    status = os.stat(path_or_descriptor)
    return status.st_dev, status.st_ino
