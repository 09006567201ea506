"""The machine: its cores, and what a reader of the results must know of it."""

import contextlib
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BUSY_SAMPLE_SECONDS = 0.5
# More than this and the figures are of what else runs, too.
BUSY_LIMIT = 0.1
IDLE_FIELD, IOWAIT_FIELD = 3, 4  # of a core's line in /proc/stat


@dataclass(frozen=True)
class Cores:
    """The server has a core to itself, and so has the load generator: neither has to wait."""

    server: int
    load: int
    spread: bool = False  # the server may use the load generator's core, too

    @property
    def shared(self) -> bool:
        return self.server == self.load

    @property
    def of_server(self) -> set[int]:
        return {self.server, self.load} if self.spread else {self.server}


def choose_cores(server: int | None = None, load: int | None = None) -> Cores:
    available = sorted(os.sched_getaffinity(0))
    return Cores(
        server=available[0] if server is None else server,
        load=available[min(1, len(available) - 1)] if load is None else load,
    )


@contextlib.contextmanager
def pinned(*cores: int) -> Iterator[None]:
    """Processes that are started in this block run on `cores`, with every thread they start."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def busy_share(core: int) -> float:
    """How much of a core's time goes elsewhere, before anything is measured on it."""
    before = core_times(core)
    time.sleep(BUSY_SAMPLE_SECONDS)
    spent = [after - earlier for earlier, after in zip(before, core_times(core), strict=True)]
    idle = spent[IDLE_FIELD] + spent[IOWAIT_FIELD]
    return 1 - idle / max(sum(spent), 1)


def core_times(core: int) -> list[int]:
    for line in Path("/proc/stat").read_text().splitlines():
        name, *times = line.split()
        if name == f"cpu{core}":
            return [int(ticks) for ticks in times]
    raise ValueError(f"no core {core} in /proc/stat")


def describe() -> dict[str, str | int]:
    return {
        "system": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "processor": processor(),
        "cores": os.cpu_count() or 1,
    }


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor() or "unknown"
