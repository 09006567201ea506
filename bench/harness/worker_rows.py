"""The rows about several threads that run Python: what a second one adds, for each loop."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from harness.contenders import Contender
from harness.load import Load
from harness.machine import Cores
from harness.rows import EchoRow, Measurement, WarmedUpByTime, Window, side_by_side
from harness.server import KIB

CONNECTIONS = 50
WORKERS = (1, 2)
# Where the loop is the whole work the generator needs as much of a core as the server.
WORK = ("json", "echo")


@dataclass(frozen=True)
class WorkersRow(WarmedUpByTime):
    """Echo by so many threads, with work before each answer or without."""

    group: ClassVar[str] = "workers"
    work: str
    workers: int
    window: Window

    @property
    def label(self) -> str:
        return f"{self.work} x {CONNECTIONS}, {self.workers} of Python's threads"

    def command(self, contender: Contender) -> list[str]:
        options = ["--loop", contender.loop, "--workers", str(self.workers), "--work", self.work]
        return contender.command("servers.workers", *options)

    def load(self, warmup: float, duration: float) -> Load:
        echo = EchoRow("proto", KIB, CONNECTIONS, self.window)
        return replace(echo.load(warmup, duration), threads=True)

    def measure(self, contenders: Sequence[Contender], cores: Cores) -> Iterator[Measurement]:
        return side_by_side(self, contenders, replace(cores, spread=True))


def worker_rows(window: Window) -> list[WorkersRow]:
    return [WorkersRow(work, workers, window) for work in WORK for workers in WORKERS]
