"""A child process that may hang, die, or leave others behind."""

import contextlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path


def heed_interrupts() -> None:
    """Gives Ctrl-C its effect in children, which tests rely on; a shell's `&` takes it away."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def run(
    command: Sequence[str | Path], cwd: Path, environment: Mapping[str, str], seconds: float
) -> tuple[str, str]:
    """Runs the command in a session of its own and ends all of it; returns its ending and log."""
    with tempfile.TemporaryFile() as log:  # a pipe would stay open as long as the children of tests
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            ending = f"exit code {process.wait(timeout=seconds)}"
        except subprocess.TimeoutExpired:
            ending = f"still running after {seconds} s"
        finally:
            with contextlib.suppress(ProcessLookupError):  # nothing is left
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.seek(0)
        return ending, log.read().decode(errors="replace")
