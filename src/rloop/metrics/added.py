"""Has Java add to loops what tells of them; imported when somebody asks."""

from rloop import _core
from rloop.loops.rloop import RLoop

_core.add_metrics(RLoop)


def check() -> None:
    """Does nothing: the import has done it."""
