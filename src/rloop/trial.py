"""Tries rloop out, in a process that may die of it: what ``python -m rloop doctor`` starts."""

from __future__ import annotations

import asyncio
import json
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable

from .java import paths
from .loops.rloop import RLoop

_BYTES_PER_KIB = 1024
_KIB_PER_MIB = 1024
_LIMIT_SECONDS = 60
_LINES_OF_JAVA = 5  # of what it said before it ended

_PROGRAM = "from rloop import trial; trial.main()"

_WAYS_OUT = (
    "try RLOOP_AOT=off (then empty the cache's folder), unset RLOOP_JAVA_OPTIONS, or choose "
    "another Java by RLOOP_JAVA_HOME; and report it, with all that stands here"
)

_FIRST_LOOP = "first loop"
_MESSAGE = b"hello"


def results() -> dict[str, tuple[str, bool]]:
    """What was tried, what came out, and whether that is as it should be."""
    try:
        process = subprocess.run(
            paths.command(_PROGRAM),
            capture_output=True,
            timeout=_LIMIT_SECONDS,
            check=False,
            errors="replace",
        )
    except subprocess.TimeoutExpired:
        return _failed(f"Java or the loop did not come to an end in {_LIMIT_SECONDS} s")
    except OSError as error:
        return _failed(f"{sys.executable!r} cannot be started: {error}")
    told: dict[str, tuple[str, bool]] = {}
    for line in process.stdout.splitlines():
        try:
            subject, finding, is_right = json.loads(line)
        except ValueError:
            continue  # Java, or a module that is imported at each start, speaks as well
        told[subject] = (finding, is_right)
    if process.returncode:
        last = " / ".join(process.stderr.split("\n")[-_LINES_OF_JAVA:]).strip(" /")
        ended = f"the process that tried it ended with {_ending(process.returncode)}"
        return {**told, **_failed(f"{ended}: {last}" if last else ended)}
    return told


def main() -> None:
    """Prints a line for each thing as soon as it was tried: the next may be the end."""
    for subject, attempt in _ATTEMPTS.items():
        try:
            finding, is_right = attempt(), True
        except Exception as error:  # whatever it is, it is what there is to tell
            finding, is_right = describe(error), False
        print(json.dumps([subject, finding, is_right]), flush=True)
        if not is_right and subject == _FIRST_LOOP:
            return  # nor will the others be


def describe(error: Exception) -> str:
    """What an exception says."""
    return f"{type(error).__name__}: {error}"


def _failed(why: str) -> dict[str, tuple[str, bool]]:
    return {"trial": (f"{why}: {_WAYS_OUT}", False)}


def _ending(returncode: int) -> str:
    if returncode > 0:
        return f"exit code {returncode}"
    try:
        return signal.Signals(-returncode).name
    except ValueError:
        return f"signal {-returncode}"


def _first_loop() -> str:
    before, started = _peak_memory(), time.perf_counter()
    RLoop().close()
    milliseconds = (time.perf_counter() - started) * 1000
    return f"{milliseconds:.0f} ms and {_peak_memory() - before:.0f} MiB"


def _tls() -> str:
    import ssl  # noqa: PLC0415  # not every Python has it

    from .transports import libssl  # noqa: PLC0415  # needs Java, which the first loop has started

    refusal = libssl.refusal()
    how = "ours" if refusal is None else f"the standard library's ({refusal})"
    return f"{how}, {ssl.OPENSSL_VERSION}"


def _connection() -> str:
    with asyncio.Runner(loop_factory=RLoop) as runner:
        return runner.run(_ask_itself())


async def _ask_itself() -> str:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(len(_MESSAGE)))
        writer.close()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(_MESSAGE)
        answer = await reader.read()
        writer.close()
    if answer != _MESSAGE:
        raise RuntimeError(f"{_MESSAGE!r} came back as {answer!r}")
    return "a message came back"


def _peak_memory() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if sys.platform == "darwin":  # which counts bytes
        peak //= _BYTES_PER_KIB
    return peak / _KIB_PER_MIB


_ATTEMPTS: dict[str, Callable[[], str]] = {
    _FIRST_LOOP: _first_loop,
    "TLS": _tls,
    "connection": _connection,
}
