"""The rows about threads: which of a server's threads spends what, under load and without any."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from harness.connection_rows import FIRST_CONNECTIONS, IDLE_CONNECTIONS, connected
from harness.contenders import Contender
from harness.load import Load
from harness.machine import Cores
from harness.rows import (
    SETTLE_SECONDS,
    EchoRow,
    HttpRow,
    Measurement,
    Sample,
    Window,
    one_by_one,
    side_by_side,
)
from harness.server import KIB, Server, running
from harness.threads import by_kind, read_threads

CONCURRENCY = 50
IDLE_SECONDS = 10.0
MILLISECOND_NS = 1_000_000


@dataclass(frozen=True)
class ThreadsRow:
    """Another row with its CPU by thread, where the server has one core or two."""

    group: ClassVar[str] = "threads"
    row: EchoRow | HttpRow
    spread: bool

    @property
    def label(self) -> str:
        return f"{self.row.label}, {'2 cores' if self.spread else '1 core'}"

    @property
    def window(self) -> Window:
        return self.row.window

    def command(self, contender: Contender) -> list[str]:
        return self.row.command(contender)

    def load(self, warmup: float, duration: float) -> Load:
        return replace(self.row.load(warmup, duration), threads=True)

    def warm_up(self, server: Server, cores: Cores) -> None:
        self.row.warm_up(server, cores)

    def measure(self, contenders: Sequence[Contender], cores: Cores) -> Iterator[Measurement]:
        return side_by_side(self, contenders, replace(cores, spread=self.spread))


@dataclass(frozen=True)
class IdleThreadsRow:
    """CPU that open connections take while nothing happens on them."""

    group: ClassVar[str] = "idle_cpu"

    @property
    def label(self) -> str:
        return f"proto x {IDLE_CONNECTIONS:,}, idle for {IDLE_SECONDS:.0f} s"

    def measure(self, contenders: Sequence[Contender], cores: Cores) -> Iterator[Measurement]:
        return one_by_one(self.measure_one, contenders, replace(cores, spread=True))

    def measure_one(self, contender: Contender, cores: Cores) -> Sample:
        with running(contender.echo_command("proto"), *cores.of_server) as server:
            with connected(server, FIRST_CONNECTIONS, tls=False):
                pass
            with connected(server, IDLE_CONNECTIONS, tls=False):
                time.sleep(SETTLE_SECONDS)
                before = spent_by_kind(server)
                time.sleep(IDLE_SECONDS)
                server.check_alive()
                after = spent_by_kind(server)
        spent = {f"{kind}_ms": (after[kind] - before[kind]) / MILLISECOND_NS for kind in after}
        return {**spent, "total_ms": sum(spent.values())}


def spent_by_kind(server: Server) -> dict[str, int]:
    return by_kind(read_threads(server.process.pid), server.process.pid)


def thread_rows(window: Window) -> list[ThreadsRow | IdleThreadsRow]:
    loaded: list[EchoRow | HttpRow] = [
        EchoRow("proto", KIB, CONCURRENCY, window),
        EchoRow("proto", 64 * KIB, CONCURRENCY, window),
        EchoRow("tls", KIB, CONCURRENCY, window),
        EchoRow("streams", KIB, CONCURRENCY, window),
        HttpRow("uvicorn", CONCURRENCY, window),
        EchoRow("proto", KIB, 1, window),
    ]
    rows = [ThreadsRow(row, spread) for spread in (True, False) for row in loaded]
    return [*rows, IdleThreadsRow()]
