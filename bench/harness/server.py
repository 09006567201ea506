"""A server process: started on its core, ready when it says so, stopped for sure."""

import contextlib
import select
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from harness.failure import CellFailed, tail
from harness.machine import pinned
from harness.places import BENCH

READY_SECONDS = 30.0
STOP_SECONDS = 5.0
KIB = 1024
MIB = 1024 * 1024


@dataclass(frozen=True)
class Memory:
    """In MiB. Shared pages count as `resident`, by share as `proportional`, not as `private`."""

    resident: float
    proportional: float
    private: float


@dataclass
class Server:
    process: subprocess.Popen[str]
    addresses: list[str]  # ports, or the path of a Unix socket
    errors: IO[str]

    @property
    def address(self) -> str:
        return self.addresses[0]

    def memory(self) -> Memory:
        fields: dict[str, float] = {}
        for line in Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines()[1:]:
            name, value, _unit = line.split()
            fields[name.rstrip(":")] = int(value) * KIB / MIB
        return Memory(
            fields["Rss"], fields["Pss"], fields["Private_Clean"] + fields["Private_Dirty"]
        )

    def check_alive(self) -> None:
        if self.process.poll() is not None:
            raise CellFailed(died(self.process, self.errors))

    def error_tail(self) -> str:
        return read_tail(self.errors)


def read_tail(errors: IO[str]) -> str:
    errors.seek(0)
    return tail(errors.read())


def died(process: subprocess.Popen[str], errors: IO[str]) -> str:
    return f"the server ended with {process.returncode}\n{read_tail(errors)}"


@contextlib.contextmanager
def running(command: Sequence[str], *cores: int) -> Iterator[Server]:
    """A server made by `command`, which prints LISTENING and its addresses once it can be asked."""
    with tempfile.TemporaryFile("w+") as errors:
        with pinned(*cores):
            process = subprocess.Popen(
                command,
                cwd=BENCH,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        try:
            yield Server(process, wait_until_ready(process, errors), errors)
        finally:
            stop(process)


def wait_until_ready(process: subprocess.Popen[str], errors: IO[str]) -> list[str]:
    assert process.stdout is not None
    deadline = time.monotonic() + READY_SECONDS
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([process.stdout], [], [], left)[0]:
            break
        line = process.stdout.readline()
        if line.startswith("LISTENING "):
            return line.split()[1:]
        if not line:
            process.wait(STOP_SECONDS)
            raise CellFailed(died(process, errors))
    raise CellFailed(f"the server was not ready after {READY_SECONDS:.0f} s\n{read_tail(errors)}")


def stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
