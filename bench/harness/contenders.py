"""Who is measured: event loops, each in its own environment, and a C server as the floor."""

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from servers import certificate

from harness import aot
from harness.compile import compile_program
from harness.environments import CHECKOUTS, PEERS, Environment, Interpreter, Unavailable, prepare
from harness.failure import CellFailed, tail
from harness.places import BENCH

FLOOR = "c-epoll"
FLOOR_MODES = ("proto", "tls", "unix")
LOOPS = [FLOOR, *PEERS, *CHECKOUTS]
CHILD_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True)
class Contender:
    """An event loop and where it is installed; the floor is installed nowhere."""

    loop: str
    environment: Environment | None

    def command(self, module: str, *arguments: str) -> list[str]:
        assert self.environment is not None, f"{self.loop} runs no Python"
        return [self.environment.python, "-m", module, *arguments]

    def echo_command(self, mode: str) -> list[str]:
        if self.loop == FLOOR:
            return floor_command(mode)
        return self.command("servers.echo", "--loop", self.loop, "--mode", mode)

    def versions(self) -> dict[str, str]:
        return {} if self.environment is None else self.environment.versions()


def floor_command(mode: str) -> list[str]:
    program = str(compile_program("epoll_echo", tls=mode == "tls"))
    if mode != "tls":
        return [program, "unix"] if mode == "unix" else [program]
    certificate.make_certificate()
    return [program, str(certificate.CERTIFICATE), str(certificate.KEY)]


def prepare_contender(
    loop: str, interpreter: Interpreter, wheel: Path | None, say: Callable[[str], None]
) -> Contender:
    """Installs the loop and lets it run once: it does, and the machine's caches are warm then."""
    if loop == FLOOR:
        return Contender(loop, None)
    contender = Contender(loop, prepare(loop, interpreter, wheel, say))
    try:
        run_child(contender.command("startup", loop))
    except CellFailed as failure:
        raise Unavailable(str(failure)) from None
    if loop in CHECKOUTS and not aot.wait_until_trained():
        say("rloop's AOT cache was not made: its starts are slower than a user's would be")
    return contender


def run_child(command: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """Runs a program of this benchmark to its end; returns what it printed."""
    try:
        done = subprocess.run(
            command,
            cwd=BENCH,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            timeout=CHILD_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CellFailed(f"no end after {CHILD_TIMEOUT_SECONDS:.0f} s") from None
    if done.returncode != 0:
        raise CellFailed(f"ended with {done.returncode}\n{tail(done.stderr)}")
    return done.stdout
