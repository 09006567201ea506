"""``rloop.monitor``: how long callbacks take, how late they start, and how late the loop is."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from struct import unpack
from types import TracebackType
from typing import TYPE_CHECKING

from rloop.java import fork

from . import histogram, slow_calls
from .histogram import Histogram
from .slow_calls import SlowCall

if TYPE_CHECKING:
    from typing import Self

    from rloop.loops.rloop import RLoop

_NANOSECONDS = 1e9  # in a second
_NEVER = (1 << 63) - 1  # in nanoseconds
_BYTES_A_VALUE = 8
_FINEST_RESOLUTION = 1e-6  # seconds


_lock = threading.RLock()  # a signal handler may make or close one as well


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a monitor has seen, up to one moment."""

    callback_duration: Histogram
    """How long calls took: callbacks, and steps of tasks."""

    scheduling_delay: Histogram
    """From when calls were ready until they started.

    A timer's is ready at its deadline, another call when it was scheduled, or when the loop had
    received what it is about.
    """

    loop_delay: Histogram
    """How long what happens at any moment has to wait until the loop asks for it.

    Told for one that comes every ``resolution`` while the loop runs: 0 while that waits, else how
    long it went on to work. So the median is what half of all clients meet at most.
    """


class Monitor:
    """Measures the calls of a loop from when it is made until ``close()``.

    A context manager. While a loop has a monitor, it reads the clock when a callback gets ready,
    when it starts and when it ends; without one it doesn't, and costs nothing. A loop may have
    several.

    Its methods may be called on any thread at any time.
    """

    def __init__(
        self,
        loop: RLoop,
        *,
        threshold: float | None = 0.1,
        on_slow: Callable[[SlowCall], object] | None = None,
        resolution: float = 0.01,
    ) -> None:
        from . import added  # noqa: PLC0415  # it needs the module that Java makes

        added.check()
        if threshold is not None and not threshold >= 0:
            raise ValueError(f"a threshold is a number of seconds or None, not {threshold!r}")
        if not _FINEST_RESOLUTION <= resolution < math.inf:
            raise ValueError(f"a resolution is a number of seconds, not {resolution!r}")
        self._loop = loop
        self._threshold = math.inf if threshold is None else threshold
        self._on_slow = slow_calls.log if on_slow is None else on_slow
        nanoseconds = min(self._threshold * _NANOSECONDS, _NEVER)
        self._last: list[bytes] | None = None
        with _lock:  # so it has the same number on each worker
            numbers = loop._on_each_worker(
                loop._add_monitor, int(nanoseconds), int(resolution * _NANOSECONDS)
            )
            self._number = numbers[0]
            loop._monitors = (*loop._monitors, self)

    @property
    def callback_duration(self) -> Histogram:
        """How long calls took: callbacks, and steps of tasks."""
        return self.snapshot().callback_duration

    @property
    def scheduling_delay(self) -> Histogram:
        """From when calls were ready until they started; see ``Snapshot``."""
        return self.snapshot().scheduling_delay

    @property
    def loop_delay(self) -> Histogram:
        """How long what happens waits until the loop asks for it; see ``Snapshot``."""
        return self.snapshot().loop_delay

    def snapshot(self) -> Snapshot:
        """All histograms at one moment."""
        written = self._last
        if written is None:
            fork.check()  # the lock may be held there for ever
            with _lock:
                written = self._read() if self._last is None else self._last
        workers = [list(_histograms(each)) for each in written]
        return Snapshot(*(histogram.merged(each) for each in zip(*workers, strict=True)))

    def _read(self) -> list[bytes]:
        return self._loop._on_each_worker(self._loop._read_monitor, self._number)

    def reset(self) -> None:
        """Forgets what was measured so far."""
        if self._last is None:
            fork.check()
            with _lock:
                if self._last is None:
                    self._loop._on_each_worker(self._loop._reset_monitor, self._number)

    def close(self) -> None:
        """Ends the measuring; what was measured stays."""
        if fork.is_child():
            return  # it is the parent's affair
        with _lock:
            if self._last is not None:
                return
            loop = self._loop
            self._last = self._read()
            loop._monitors = tuple(other for other in loop._monitors if other is not self)
            loop._on_each_worker(loop._remove_monitor, self._number)

    def is_slow(self, seconds: float) -> bool:
        """Whether a call that took so long is to be told of."""
        return seconds >= self._threshold

    def tell(self, slow: SlowCall) -> None:
        """Tells of a slow call, on the loop's thread."""
        self._on_slow(slow)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _histograms(written: bytes) -> Iterator[Histogram]:
    """The three that Java has written of a worker."""
    values: Iterator[int] = iter(unpack(f"={len(written) // _BYTES_A_VALUE}q", written))
    for _ in fields(Snapshot):
        yield histogram.read(values)
