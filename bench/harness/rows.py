"""The rows of the benchmark, and how a cell (a row with one event loop) is measured."""

import contextlib
import json
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from harness import aot
from harness.contenders import Contender, run_child
from harness.failure import CellFailed
from harness.load import Load, finish_load, loading, run_load
from harness.machine import Cores, pinned
from harness.server import MIB, Memory, Server, running

STARTUP_RUNS = 5
SETTLE_SECONDS = 0.5
WARMUP_TURNS = 4
TURN_WARMUP_SECONDS = 0.1  # connections are made and caches filled again
MEMORY_LOAD_SECONDS = 3.0
MEMORY_SIZE = 1024
MEMORY_CONNECTIONS = 50
# Linux's net.core.rmem_default, and what of it a datagram takes beside its data, at most: in bytes.
DATAGRAM_BUFFER = 212_992
DATAGRAM_OVERHEAD = 2048
# Long enough for any number of requests that a person would wait for.
REQUESTS_TIMEOUT_SECONDS = 3600.0


Sample = dict[str, float]


@dataclass(frozen=True)
class Measurement:
    """What one loop cost in one turn; loops are compared by what they did in the same turn."""

    loop: str
    turn: int
    sample: Sample | CellFailed


class Row(Protocol):
    group: ClassVar[str]

    @property
    def label(self) -> str: ...

    def measure(self, contenders: Sequence[Contender], cores: Cores) -> Iterator[Measurement]: ...


def one_by_one(
    measure: Callable[[Contender, Cores], Sample], contenders: Sequence[Contender], cores: Cores
) -> Iterator[Measurement]:
    for contender in contenders:
        try:
            yield Measurement(contender.loop, 0, measure(contender, cores))
        except CellFailed as failure:
            yield Measurement(contender.loop, 0, failure)


def measure_child(command: Sequence[str], cores: Cores) -> Sample:
    """What a program prints of itself, run on the server's core."""
    with pinned(cores.server):
        sample: Sample = json.loads(run_child(command))
    return sample


@dataclass(frozen=True)
class Window:
    """When a server is loaded, in seconds: the warm-up, then turns that make up the duration."""

    warmup: float
    duration: float
    turn: float

    @property
    def turns(self) -> int:
        return max(1, round(self.duration / self.turn))


class ServerRow(Protocol):
    @property
    def window(self) -> Window: ...

    def command(self, contender: Contender) -> list[str]: ...

    def load(self, warmup: float, duration: float) -> Load: ...

    def warm_up(self, server: Server, cores: Cores) -> None: ...


class WarmedUpByTime:
    """What rows share whose connections last."""

    def warm_up(self: ServerRow, server: Server, cores: Cores) -> None:
        """Connections come and go, as in the turns: a JIT compiles anew what it meets for once."""
        for _ in range(WARMUP_TURNS):
            run_load(server, self.load(0, self.window.warmup / WARMUP_TURNS), cores.load)


def side_by_side(
    row: ServerRow, contenders: Sequence[Contender], cores: Cores
) -> Iterator[Measurement]:
    """All servers run, and are loaded for a turn one after the other, again and again.

    Whatever else the machine does changes slower than turns do, so that it meets all loops alike.
    """
    with contextlib.ExitStack() as stack:
        servers: dict[str, Server] = {}
        for contender in contenders:
            try:
                server = stack.enter_context(running(row.command(contender), *cores.of_server))
                row.warm_up(server, cores)
                servers[contender.loop] = server
            except CellFailed as failure:
                yield Measurement(contender.loop, 0, failure)
        for turn in range(row.window.turns):
            for loop, server in list(servers.items()):
                try:
                    load = row.load(TURN_WARMUP_SECONDS, row.window.turn)
                    yield Measurement(loop, turn, run_load(server, load, cores.load))
                except CellFailed as failure:
                    del servers[loop]
                    yield Measurement(loop, turn, failure)


@dataclass(frozen=True)
class EchoRow(WarmedUpByTime):
    group: ClassVar[str] = "echo"
    mode: str
    size: int
    connections: int
    window: Window

    @property
    def label(self) -> str:
        return f"{self.mode} {format_size(self.size)} x {self.connections}"

    @property
    def is_possible(self) -> bool:
        """Whether all requests fit into a UDP socket's buffer, which drops what doesn't."""
        together = self.connections * (self.size + DATAGRAM_OVERHEAD)
        return self.mode != "udp" or together <= DATAGRAM_BUFFER

    def command(self, contender: Contender) -> list[str]:
        return contender.echo_command(self.mode)

    def load(self, warmup: float, duration: float) -> Load:
        protocol = self.mode if self.mode in {"udp", "tls"} else "echo"
        return Load(protocol, self.size, self.connections, warmup, duration)

    def measure(self, contenders: Sequence[Contender], cores: Cores) -> Iterator[Measurement]:
        return side_by_side(self, contenders, cores)


@dataclass(frozen=True)
class HttpRow(WarmedUpByTime):
    group: ClassVar[str] = "http"
    server: str
    connections: int
    window: Window

    @property
    def label(self) -> str:
        return f"{self.server} x {self.connections}"

    def command(self, contender: Contender) -> list[str]:
        return contender.command(f"servers.{self.server}_hello", "--loop", contender.loop)

    def load(self, warmup: float, duration: float) -> Load:
        return Load("http", 1, self.connections, warmup, duration)

    def measure(self, contenders: Sequence[Contender], cores: Cores) -> Iterator[Measurement]:
        return side_by_side(self, contenders, cores)


@dataclass(frozen=True)
class MicroRow:
    group: ClassVar[str] = "micro"
    operation: str

    @property
    def label(self) -> str:
        return self.operation

    def measure(self, contenders: Sequence[Contender], cores: Cores) -> Iterator[Measurement]:
        return one_by_one(self.measure_one, contenders, cores)

    def measure_one(self, contender: Contender, cores: Cores) -> Sample:
        command = contender.command("micro", "--loop", contender.loop, self.operation)
        return measure_child(command, cores)


@dataclass(frozen=True)
class StartupRow:
    group: ClassVar[str] = "startup"
    aot_cache: bool = True

    @property
    def label(self) -> str:
        return f"import, first loop, exit{'' if self.aot_cache else '; no AOT cache'}"

    def measure(self, contenders: Sequence[Contender], cores: Cores) -> Iterator[Measurement]:
        return one_by_one(self.measure_one, contenders, cores)

    def measure_one(self, contender: Contender, cores: Cores) -> Sample:
        wall_ms, cpu_ms = [], []
        for _ in range(STARTUP_RUNS):
            cpu_before = children_cpu()
            started = time.perf_counter()
            run_child(
                contender.command("startup", contender.loop),
                {} if self.aot_cache else aot.WITHOUT,
            )
            wall_ms.append((time.perf_counter() - started) * 1e3)
            cpu_ms.append((children_cpu() - cpu_before) * 1e3)
        return {"wall_ms": statistics.median(wall_ms), "cpu_ms": statistics.median(cpu_ms)}


@dataclass(frozen=True)
class MemoryRow:
    group: ClassVar[str] = "memory"
    requests: int

    @property
    def label(self) -> str:
        return f"proto {format_size(MEMORY_SIZE)} x {MEMORY_CONNECTIONS}"

    def measure(self, contenders: Sequence[Contender], cores: Cores) -> Iterator[Measurement]:
        return one_by_one(self.measure_one, contenders, cores)

    def measure_one(self, contender: Contender, cores: Cores) -> Sample:
        command = contender.echo_command("proto")
        with running(command, cores.server) as server:
            time.sleep(SETTLE_SECONDS)
            at_start = server.memory()
            under_load = self.memory_under_load(server, cores)
            many = Load(
                "echo",
                MEMORY_SIZE,
                MEMORY_CONNECTIONS,
                warmup=0,
                duration=REQUESTS_TIMEOUT_SECONDS,
                requests=self.requests,
            )
            run_load(server, many, cores.load)
            time.sleep(SETTLE_SECONDS)
            after = server.memory()
        return {
            **as_metrics("start", at_start),
            **as_metrics("load", under_load),
            **as_metrics("after", after),
        }

    def memory_under_load(self, server: Server, cores: Cores) -> Memory:
        load = Load("echo", MEMORY_SIZE, MEMORY_CONNECTIONS, 0, MEMORY_LOAD_SECONDS)
        with loading(server, load, cores.load) as process:
            time.sleep(MEMORY_LOAD_SECONDS - SETTLE_SECONDS)
            server.check_alive()
            memory = server.memory()
            finish_load(process, server, load)
        return memory


def as_metrics(moment: str, memory: Memory) -> Sample:
    return {
        f"{moment}_rss": memory.resident,
        f"{moment}_pss": memory.proportional,
        f"{moment}_uss": memory.private,
    }


def children_cpu() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def format_size(size: int) -> str:
    kib = 1024
    if size % MIB == 0:
        return f"{size // MIB} MB"
    return f"{size // kib} KB" if size % kib == 0 else f"{size} B"
