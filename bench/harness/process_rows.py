"""The rows about whole files and whole processes."""

import contextlib
import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from harness.compile import compile_program
from harness.contenders import FLOOR, Contender
from harness.failure import CellFailed, tail
from harness.machine import Cores, pinned
from harness.places import BUILD
from harness.rows import Measurement, Sample, format_size, measure_child, one_by_one
from harness.server import MIB, Server, running

FILE_BYTES = 1024 * MIB
WARMUP_DOWNLOADS = 3  # a JIT compiles meanwhile
DOWNLOAD_TURNS = 5
SPAWN_COUNT = 1000
PIPE_REPEATS = 6
FETCH_TIMEOUT_SECONDS = 120.0


@dataclass(frozen=True)
class SendfileRow:
    """Servers stand side by side and send the same file in turn."""

    group: ClassVar[str] = "sendfile"

    @property
    def label(self) -> str:
        return "sendfile 1 GB"

    def command(self, contender: Contender, file: Path) -> list[str]:
        if contender.loop == FLOOR:
            return [str(compile_program("sendfile_server")), str(file)]
        return contender.command("servers.sendfile", "--loop", contender.loop, "--file", str(file))

    def measure(self, contenders: Sequence[Contender], cores: Cores) -> Iterator[Measurement]:
        with contextlib.ExitStack() as stack:
            file = Path(stack.enter_context(tempfile.NamedTemporaryFile(dir=BUILD)).name)
            write_file(file)
            servers: dict[str, Server] = {}
            for contender in contenders:
                try:
                    command = self.command(contender, file)
                    server = stack.enter_context(running(command, cores.server))
                    fetch(server, WARMUP_DOWNLOADS, cores)
                    servers[contender.loop] = server
                except CellFailed as failure:
                    yield Measurement(contender.loop, 0, failure)
            for turn in range(DOWNLOAD_TURNS):
                for loop, server in list(servers.items()):
                    try:
                        yield Measurement(loop, turn, fetch(server, 1, cores))
                    except CellFailed as failure:
                        del servers[loop]
                        yield Measurement(loop, turn, failure)


def write_file(path: Path) -> None:
    block = bytes(MIB)
    with path.open("wb") as file:
        for _ in range(FILE_BYTES // MIB):
            file.write(block)


def fetch(server: Server, times: int, cores: Cores) -> Sample:
    command = [
        str(compile_program("fetch")),
        f"--port={server.address}",
        f"--size={FILE_BYTES}",
        f"--times={times}",
        f"--server-pid={server.process.pid}",
    ]
    with pinned(cores.load):
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=FETCH_TIMEOUT_SECONDS, check=False
        )
    if done.returncode != 0:
        raise CellFailed(f"{tail(done.stderr)}\n{server.error_tail()}")
    result = json.loads(done.stdout)
    return {"wall_ms": result["seconds"] * 1e3, "cpu_ms": result["server_cpu_s"] * 1e3}


@dataclass(frozen=True)
class SpawnRow:
    """Subprocesses that end at once."""

    group: ClassVar[str] = "spawn"

    @property
    def label(self) -> str:
        return f"{SPAWN_COUNT:,} subprocesses"

    def measure(self, contenders: Sequence[Contender], cores: Cores) -> Iterator[Measurement]:
        return one_by_one(self.measure_one, contenders, cores)

    def measure_one(self, contender: Contender, cores: Cores) -> Sample:
        command = contender.command("spawn", "--loop", contender.loop, f"--count={SPAWN_COUNT}")
        return measure_child(command, cores)


@dataclass(frozen=True)
class PipesRow:
    """Messages to children, which echo them; the children have the load generator's core."""

    group: ClassVar[str] = "pipes"
    size: int
    children: int

    @property
    def label(self) -> str:
        return f"cat {format_size(self.size)} x {self.children}"

    def measure(self, contenders: Sequence[Contender], cores: Cores) -> Iterator[Measurement]:
        return one_by_one(self.measure_one, contenders, cores)

    def measure_one(self, contender: Contender, cores: Cores) -> Sample:
        command = contender.command(
            "pipes",
            f"--loop={contender.loop}",
            f"--child-core={cores.load}",
            f"--children={self.children}",
            f"--size={self.size}",
            f"--repeats={PIPE_REPEATS}",
        )
        return measure_child(command, cores)
