"""For tests of programs that wait: time that passes only when nothing else happens."""

from .virtual_clock import VirtualClock

__all__ = ["VirtualClock"]
