"""Runs the load generator against a server and divides what both spent by the requests answered."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from harness.compile import compile_program
from harness.failure import CellFailed, tail
from harness.machine import pinned
from harness.server import Server
from harness.threads import Thread, by_kind

GRACE_SECONDS = 20.0
MICROSECOND_NS = 1000
# A generator as busy as this may be what limits the requests per second.
SATURATED = 0.95


@dataclass(frozen=True)
class Load:
    protocol: str  # "echo", "udp", "http" or "tls", which is "echo" over TLS
    size: int
    connections: int
    warmup: float
    duration: float
    requests: int = 0
    reconnect: bool = False  # a connection for each request
    threads: bool = False  # the server's CPU by thread, too
    listener: int = 0  # which of the server's addresses

    def command(self, server: Server) -> list[str]:
        address = server.addresses[self.listener]
        options = {
            "unix" if address.startswith("/") else "port": address,
            "size": self.size,
            "connections": self.connections,
            "warmup": self.warmup,
            "duration": self.duration,
            "requests": self.requests,
            "server-pid": server.process.pid,
        }
        flags = [f"--{name}={value}" for name, value in options.items()]
        if self.reconnect:
            flags.append("--reconnect")
        if self.threads:
            flags.append("--threads")
        if self.protocol == "tls":
            return [str(compile_program("load", tls=True)), "echo", "--tls", *flags]
        return [str(compile_program("load")), self.protocol, *flags]


@contextmanager
def loading(
    server: Server, load: Load, core: int, *further: str
) -> Iterator[subprocess.Popen[str]]:
    with pinned(core):
        process = subprocess.Popen(
            [*load.command(server), *further],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    with process:
        try:
            yield process
        finally:
            process.kill()


def run_load(server: Server, load: Load, core: int) -> dict[str, float]:
    with loading(server, load, core) as process:
        return finish_load(process, server, load)


def load_to_end(
    server: Server,
    load: Load,
    core: int,
    *,
    marks: Sequence[int] = (),
    slice_seconds: float = 0,
) -> dict[str, Any]:
    """What the generator tells, with the CPU at numbers of requests or with latencies by time."""
    further = []
    if marks:
        further.append(f"--marks={','.join(map(str, marks))}")
    if slice_seconds:
        further.append(f"--slice={slice_seconds}")
    with loading(server, load, core, *further) as process:
        return await_result(process, server, load)


def finish_load(process: subprocess.Popen[str], server: Server, load: Load) -> dict[str, float]:
    return per_request(await_result(process, server, load), server)


def await_result(process: subprocess.Popen[str], server: Server, load: Load) -> dict[str, Any]:
    try:
        output, complaints = process.communicate(
            timeout=load.warmup + load.duration + GRACE_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise CellFailed(f"the load did not end\n{server.error_tail()}") from None
    server.check_alive()
    if process.returncode != 0:
        raise CellFailed(f"{tail(complaints)}\n{server.error_tail()}")
    result: dict[str, Any] = json.loads(output)
    return result


def per_request(result: dict[str, Any], server: Server) -> dict[str, float]:
    requests = result["requests"]
    if requests == 0:
        raise CellFailed(f"no request was answered\n{server.error_tail()}")
    total = result["server_cpu_ns"] / requests / MICROSECOND_NS
    ticks = result["server_user_ticks"] + result["server_kernel_ticks"]
    user = total * result["server_user_ticks"] / ticks if ticks else total
    threads = [Thread(**thread) for thread in result["threads"]]
    spent_by = by_kind(threads, server.process.pid) if threads else {}
    by_thread = {f"{kind}_us": ns / requests / MICROSECOND_NS for kind, ns in spent_by.items()}
    return {
        **by_thread,
        "user_us": user,
        "kernel_us": total - user,
        "total_us": total,
        "requests_per_second": result["requests_per_second"],
        "p50_us": result["p50_us"],
        "p99_us": result["p99_us"],
        "max_us": result["max_us"],
        "requests": requests,
        "generator_cpu": result["generator_cpu"],
    }
