"""Samples of every cell, their medians and how they compare; kept as JSON."""

import json
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.contenders import FLOOR
from harness.environments import OURS
from harness.life_rows import YoungRow, at, passed_at
from harness.rows import Row, Sample

Turn = tuple[int, int]  # the round, the turn in it


@dataclass(frozen=True)
class Comparison:
    """A loop's metric against the same metric of the baseline, in the same turn."""

    heading: str
    metric: str
    baseline: str
    ratio: bool  # or the difference

    @property
    def name(self) -> str:
        return f"{self.metric} {'over' if self.ratio else 'minus'} {self.baseline}"

    def of(self, sample: Sample, baseline: Sample) -> float:
        if self.ratio:
            return sample[self.metric] / baseline[self.metric]
        return sample[self.metric] - baseline[self.metric]


COMPARISONS: dict[str, list[Comparison]] = {
    "echo": [
        Comparison("total", "total_us", "uvloop", ratio=True),
        Comparison("user", "user_us", "uvloop", ratio=True),
    ],
    "connect": [
        Comparison("total", "total_us", "uvloop", ratio=True),
        Comparison("user", "user_us", "uvloop", ratio=True),
    ],
    "http": [
        Comparison("total", "total_us", "uvloop", ratio=True),
        Comparison("user", "user_us", "uvloop", ratio=True),
    ],
    "micro": [Comparison("CPU", "cpu_ns", "uvloop", ratio=True)],
    "sendfile": [Comparison("CPU", "cpu_ms", FLOOR, ratio=True)],
    "spawn": [
        Comparison("time", "wall_us", "uvloop", ratio=True),
        Comparison("CPU", "cpu_us", "uvloop", ratio=True),
    ],
    "pipes": [
        Comparison("total", "total_us", "uvloop", ratio=True),
        Comparison("user", "user_us", "uvloop", ratio=True),
    ],
    "startup": [
        Comparison("time", "wall_ms", "asyncio", ratio=False),
        Comparison("CPU", "cpu_ms", "asyncio", ratio=False),
    ],
    "memory": [
        Comparison("start", "start_rss", "asyncio", ratio=False),
        Comparison("load", "load_rss", "asyncio", ratio=False),
        Comparison("after", "after_rss", "asyncio", ratio=False),
    ],
    "young": [
        Comparison(f"{requests:,}", at(requests), baseline, ratio=True)
        for requests in (10_000, 100_000)
        for baseline in ("asyncio", "uvloop")
    ],
    "change": [Comparison("p99", "p99_us", loop, ratio=True) for loop in ("uvloop", "zuvloop")],
    "idle": [Comparison("KiB", "connection_kib", "asyncio", ratio=True)],
    "threads": [
        Comparison("Python", "python_us", OURS, ratio=True),
        Comparison("total", "total_us", OURS, ratio=True),
        Comparison("p50", "p50_us", OURS, ratio=True),
    ],
    "workers": [
        Comparison("total", "total_us", "asyncio", ratio=True),
        Comparison("req/s", "requests_per_second", "asyncio", ratio=True),
    ],
    "idle_cpu": [Comparison("total", "total_ms", OURS, ratio=False)],
}


@dataclass
class Cell:
    """One row with one loop. A failure is kept beside the turns that succeeded."""

    samples: dict[Turn, Sample] = field(default_factory=dict)
    failure: str | None = None

    def median(self) -> Sample:
        samples = list(self.samples.values())
        return {name: statistics.median(s[name] for s in samples) for name in samples[0]}


@dataclass
class Results:
    cells: dict[tuple[Row, str], Cell] = field(default_factory=dict)

    def cell(self, row: Row, loop: str) -> Cell:
        return self.cells.setdefault((row, loop), Cell())

    def compare(self, comparison: Comparison, row: Row, loop: str) -> float | None:
        """The median, over the turns in which both were measured, of the comparison in each."""
        baseline = self.cells.get((row, comparison.baseline), Cell()).samples
        values = [
            comparison.of(sample, baseline[turn])
            for turn, sample in self.cells[row, loop].samples.items()
            if turn in baseline and not (comparison.ratio and not baseline[turn][comparison.metric])
        ]
        return statistics.median(values) if values else None

    def passings(self) -> Iterator[tuple[YoungRow, str, float | None]]:
        """From which request on rloop has spent less than each other loop, by the medians."""
        for (row, loop), cell in self.cells.items():
            ours = self.cells.get((row, OURS))
            if (
                isinstance(row, YoungRow)
                and ours
                and ours.samples
                and cell.samples
                and cell != ours
            ):
                yield row, loop, passed_at(ours.median(), cell.median())

    def failures(self) -> list[tuple[Row, str, str]]:
        return [
            (row, loop, cell.failure)
            for (row, loop), cell in self.cells.items()
            if cell.failure is not None
        ]

    def as_records(self) -> list[dict[str, Any]]:
        return [self.record(row, loop, cell) for (row, loop), cell in self.cells.items()]

    def record(self, row: Row, loop: str, cell: Cell) -> dict[str, Any]:
        compared = {
            comparison.name: value
            for comparison in COMPARISONS[row.group]
            if (value := self.compare(comparison, row, loop)) is not None
        }
        return {
            "group": row.group,
            "row": row.label,
            "loop": loop,
            "median": cell.median() if cell.samples else None,
            "compared": compared,
            "turns": list(cell.samples.values()),
            "failure": cell.failure,
        }


def write_json(path: Path, about: dict[str, Any], results: Results) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps(
            {
                **about,
                "cells": results.as_records(),
                "passed": [
                    {"row": row.label, "loop": loop, "requests": requests}
                    for row, loop, requests in results.passings()
                ],
            },
            indent=2,
        )
        + "\n"
    )
