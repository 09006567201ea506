"""The machine: its cores, and what a reader of the results must know of it."""

import contextlib
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cores:
    """The server has a core to itself, and so has the load generator: neither has to wait."""

    server: int
    load: int

    @property
    def shared(self) -> bool:
        return self.server == self.load


def choose_cores(server: int | None = None, load: int | None = None) -> Cores:
    available = sorted(os.sched_getaffinity(0))
    return Cores(
        server=available[0] if server is None else server,
        load=available[min(1, len(available) - 1)] if load is None else load,
    )


@contextlib.contextmanager
def pinned(core: int) -> Iterator[None]:
    """Processes that are started in this block run on `core`, with every thread they start."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


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
