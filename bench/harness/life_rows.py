"""The rows about a process's life: when it is young, and when its load changes."""

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from harness.contenders import Contender
from harness.failure import CellFailed
from harness.load import Load, load_to_end
from harness.machine import Cores
from harness.rows import (
    REQUESTS_TIMEOUT_SECONDS,
    EchoRow,
    HttpRow,
    Measurement,
    Sample,
    Window,
    one_by_one,
)
from harness.server import Server, running

CONNECTIONS = 50
MESSAGE_BYTES = 1024
YOUNG_RUNS = 3
# Numbers of requests: where the CPU is read.
MARKS = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
NANOS = 1e9
SLICE_SECONDS = 1
SLICES = 3
AS_LONG_AS_IT_TAKES = Window(0, 0, 1)


@dataclass(frozen=True)
class YoungRow:
    """CPU of a server since its process was started, after so many requests."""

    group: ClassVar[str] = "young"
    server: EchoRow | HttpRow

    @property
    def label(self) -> str:
        return self.server.label

    def measure(self, contenders: Sequence[Contender], cores: Cores) -> Iterator[Measurement]:
        for run in range(YOUNG_RUNS):
            for measured in one_by_one(self.measure_one, contenders, cores):
                yield Measurement(measured.loop, run, measured.sample)

    def measure_one(self, contender: Contender, cores: Cores) -> Sample:
        load = self.server.load(0, REQUESTS_TIMEOUT_SECONDS)
        with running(self.server.command(contender), cores.server) as server:
            sample = {at(0): cpu_seconds(server)}
            result = load_to_end(server, load, cores.load, marks=MARKS)
        for mark, spent in zip(MARKS, result["marks_cpu_ns"], strict=True):
            sample[at(mark)] = spent / NANOS
        return sample


def young_rows() -> list[YoungRow]:
    return [
        YoungRow(EchoRow("proto", MESSAGE_BYTES, CONNECTIONS, AS_LONG_AS_IT_TAKES)),
        YoungRow(HttpRow("uvicorn", CONNECTIONS, AS_LONG_AS_IT_TAKES)),
    ]


def at(requests: int) -> str:
    return f"at_{requests}"


def cpu_seconds(server: Server) -> float:
    """All threads' since the start: the clock of clock_getcpuclockid(3), which Python lacks."""
    return time.clock_gettime(~server.process.pid << 3 | 2)


def passed_at(ours: Sample, other: Sample) -> float | None:
    """The number of requests from which ours has spent less than the other, to the last mark."""
    marks = [0, *MARKS]
    leads = [other[at(mark)] - ours[at(mark)] for mark in marks]
    if leads[-1] <= 0:
        return None
    for index in range(len(marks) - 1, 0, -1):
        if leads[index - 1] <= 0:
            share = -leads[index - 1] / (leads[index] - leads[index - 1])
            return marks[index - 1] + share * (marks[index] - marks[index - 1])
    return 0


@dataclass(frozen=True)
class Phase:
    """Who comes, and for how long."""

    name: str
    seconds: int
    tls: bool = False
    short: bool = False


EVEN = Phase("even load", 10)
CHANGES = [
    Phase("others replace all", SLICES),
    Phase("TLS clients", SLICES, tls=True),
    Phase("short connections", SLICES, short=True),
]


@dataclass(frozen=True)
class ChangeRow:
    """Even load, and then in turn all that changes, up to one; latencies of each second of that."""

    group: ClassVar[str] = "change"
    last: Phase

    @property
    def label(self) -> str:
        return self.last.name

    def measure(self, contenders: Sequence[Contender], cores: Cores) -> Iterator[Measurement]:
        return one_by_one(self.measure_one, contenders, cores)

    def measure_one(self, contender: Contender, cores: Cores) -> Sample:
        command = contender.command("servers.changing", "--loop", contender.loop)
        with running(command, cores.server) as server:
            for phase in [EVEN, *CHANGES[: CHANGES.index(self.last) + 1]]:
                slices = run_phase(server, phase, cores)
        sample = {
            f"{quantile}_{second}": part[quantile]
            for second, part in enumerate(slices, 1)
            for quantile in ("p99_us", "p999_us")
        }
        sample["p99_us"] = statistics.fmean(part["p99_us"] for part in slices)
        return sample


def run_phase(server: Server, phase: Phase, cores: Cores) -> list[dict[str, float]]:
    load = Load(
        "tls" if phase.tls else "echo",
        MESSAGE_BYTES,
        CONNECTIONS,
        0,
        phase.seconds,
        reconnect=phase.short,
        listener=1 if phase.tls else 0,
    )
    slices: list[dict[str, float]] = load_to_end(
        server, load, cores.load, slice_seconds=SLICE_SECONDS
    )["slices"]
    if not all(part["requests"] for part in slices):
        raise CellFailed(f"a second without an answer\n{server.error_tail()}")
    return slices
