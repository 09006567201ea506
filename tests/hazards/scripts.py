"""Runs a script in a Python process of its own.

What a hazard test looks for is the end of the process: a crash takes the test runner with it
when it happens inside, so each script gets a process that may die.
"""

import signal
import subprocess
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.conformance.loops import CLASSES, SETTINGS

NEW_LOOP = {"asyncio": "from asyncio import SelectorEventLoop as new_loop\n"} | {
    name: f"import os; os.environ.update({SETTINGS.get(name, {})})\n"
    f"from rloop import {cls} as new_loop\n"
    for name, cls in CLASSES.items()
}


# Parts of scripts. The first is `main()`: one echo over streams.
ECHO_ONCE = """
    async def echo(reader, writer):
        writer.write(await reader.read(5))
        writer.close()

    async def main():
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello")
        assert await reader.read() == b"hello"
        writer.close()
        server.close()
"""
# `echo` is a server's callback, and `ask(address)` sends it a hundred requests over one connection.
ECHOES = """
    async def echo(reader, writer):
        while data := await reader.read(4096):
            writer.write(data)
        writer.close()

    async def ask(address):
        reader, writer = await asyncio.open_connection(*address)
        for _ in range(100):
            writer.write(bytes(1024))
            await reader.readexactly(1024)
        writer.close()
"""


def run_script(
    source: str,
    *args: str,
    timeout: float = 60,
    env: Mapping[str, str] | None = None,
    python_options: Sequence[str] = (),
    cwd: Path | None = None,
) -> "CompletedProcess[str]":
    """Runs the source with this Python and gives what it printed and how it ended.

    A script that is still running after `timeout` seconds is killed, and the test fails.
    """
    command = [sys.executable, *python_options, "-c", textwrap.dedent(source), *args]
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=timeout, env=env, cwd=cwd, check=False
        )
    except subprocess.TimeoutExpired as expired:
        pytest.fail(
            f"the script was still running after {timeout} s"
            f"\n--- stdout\n{_text(expired.stdout)}\n--- stderr\n{_text(expired.stderr)}"
        )


def on_loop(loop_name: str, *parts: str) -> str:
    """One script of the parts, with the name `new_loop`: the factory of the loop to be tested."""
    return NEW_LOOP[loop_name] + "".join(map(textwrap.dedent, parts))


def assert_clean(result: "CompletedProcess[str]") -> None:
    """Fails with all that the script printed unless it ended with exit code 0."""
    if result.returncode != 0:
        pytest.fail(
            f"the script ended with {_ending(result.returncode)}"
            f"\n--- stdout\n{result.stdout}\n--- stderr\n{result.stderr}"
        )


def _ending(returncode: int) -> str:
    if returncode >= 0:
        return f"exit code {returncode}"
    try:
        return f"signal {signal.Signals(-returncode).name}"
    except ValueError:
        return f"signal {-returncode}"


def _text(output: bytes | str | None) -> str:
    # TimeoutExpired carries bytes even where the process was opened in text mode.
    return output.decode(errors="replace") if isinstance(output, bytes) else output or ""
