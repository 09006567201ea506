"""How often which length of time was met: what a monitor's histograms are at one moment."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# As rloop.loop.Histogram of Java has it.
_BUCKETS_BITS = 6
_BUCKETS = 1 << _BUCKETS_BITS  # between a power of two and the next

_SECONDS = 1e-9  # in a nanosecond
_ALL = 100  # percent


@dataclass(frozen=True, slots=True)
class Histogram:
    """Lengths of time, in seconds, each known to a sixtieth of itself or better."""

    count: int
    """How many there are."""

    total: float
    """Their sum, exactly."""

    min: float
    """The shortest, exactly; 0 if there is none."""

    max: float
    """The longest, exactly; 0 if there is none."""

    buckets: tuple[tuple[float, int], ...]
    """Pairs, in order: an upper bound, and how many are not above it but above the one before."""

    @property
    def mean(self) -> float:
        """The mean, in seconds, exactly; 0 if there is none."""
        return self.total / self.count if self.count else 0.0

    @property
    def stddev(self) -> float:
        """The standard deviation, in seconds; 0 if there is none."""
        if not self.count:
            return 0.0
        # Of the bounds, which all are above what they stand for.
        mean = sum(n * bound for bound, n in self.buckets) / self.count
        return math.sqrt(sum(n * (bound - mean) ** 2 for bound, n in self.buckets) / self.count)

    def percentile(self, percent: float) -> float:
        """The time, in seconds, that so many percent of all take at most; 0 if there is none.

        ``percentile(50)`` is the median. ``ValueError`` if it isn't a number from 0 to 100.
        """
        if not 0 <= percent <= _ALL:
            raise ValueError(f"a percentile is a number from 0 to 100, not {percent!r}")
        wanted = self.count * percent / _ALL
        seen = 0
        for bound, n in self.buckets:
            seen += n
            if seen >= wanted:
                return min(max(bound, self.min), self.max)
        return self.max

    def count_up_to(self, seconds: float) -> int:
        """How many take so long at most; buckets that hold longer ones as well are not in it."""
        return sum(n for bound, n in self.buckets if bound <= seconds)


def merged(histograms: Sequence[Histogram]) -> Histogram:
    """All that several have."""
    met = [histogram for histogram in histograms if histogram.count]
    if len(met) <= 1:
        return met[0] if met else histograms[0]
    counts: Counter[float] = Counter()
    for histogram in met:
        counts.update(dict(histogram.buckets))
    return Histogram(
        count=sum(histogram.count for histogram in met),
        total=sum(histogram.total for histogram in met),
        min=min(histogram.min for histogram in met),
        max=max(histogram.max for histogram in met),
        buckets=tuple(sorted(counts.items())),
    )


def read(values: Iterator[int]) -> Histogram:
    """Makes a histogram of what Java's ``Histogram.snapshot`` has written."""
    count, total, least, most, used = (next(values) for _ in range(5))
    buckets = tuple((_bound(next(values)) * _SECONDS, next(values)) for _ in range(used))
    return Histogram(count, total * _SECONDS, least * _SECONDS, most * _SECONDS, buckets)


def _bound(bucket: int) -> int:
    """The greatest value of a bucket, in nanoseconds."""
    shift = (bucket >> _BUCKETS_BITS) - 1
    if shift < 0:
        return bucket
    return (((bucket & (_BUCKETS - 1)) + _BUCKETS + 1) << shift) - 1
