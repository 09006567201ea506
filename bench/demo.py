"""A real HTTP server on asyncio, then on rloop: the same code, the same load, side by side.

    python bench/demo.py --seconds 5

The server is uvicorn with httptools and the small application of servers/uvicorn_hello.py.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness import aot
from harness.compile import CompileError, compile_program
from harness.contenders import Contender, run_child
from harness.environments import Environment
from harness.failure import CellFailed
from harness.load import Load, finish_load, loading
from harness.machine import Cores, choose_cores
from harness.server import Server, running

CONNECTIONS = 50
WARMUP_SECONDS = 2.0
TICK_SECONDS = 0.1
NO_DIGITS_FROM = 1000
BAR_WIDTH = 30
LABEL_WIDTH = 34
VALUE_WIDTH = 14
BASELINE, OURS = "asyncio", "rloop"


@dataclass(frozen=True)
class Line:
    label: str
    text: Callable[[float], str]
    metric: str
    compare: Callable[[float, float], str]


def ratio(ours: float, baseline: float) -> str:
    return f"{ours / baseline:.2f} x"


def difference(ours: float, baseline: float) -> str:
    return f"{ours - baseline:+.0f} MiB"


def microseconds(value: float) -> str:
    return f"{value:,.0f} µs" if value >= NO_DIGITS_FROM else f"{value:,.1f} µs"


LINES = [
    Line("requests per second", lambda value: f"{value:,.0f}", "requests_per_second", ratio),
    Line("CPU per request", microseconds, "total_us", ratio),
    Line("  of it user: Python and the loop", microseconds, "user_us", ratio),
    Line("  of it kernel: the network", microseconds, "kernel_us", ratio),
    Line("latency, half are faster", microseconds, "p50_us", ratio),
    Line("latency, 99 % are faster", microseconds, "p99_us", ratio),
    Line("memory under load", lambda value: f"{value:.0f} MiB", "memory", difference),
]


def watch(process: subprocess.Popen[str], server: Server, title: str, seconds: float) -> float:
    """Shows how far the load is; returns the server's memory shortly before its end, in MiB."""
    started = time.monotonic()
    memory = 0.0
    while process.poll() is None and (spent := time.monotonic() - started) < seconds:
        if spent > seconds / 2 and not memory:
            server.check_alive()
            memory = server.memory().resident
        show_progress(title, spent / seconds)
        time.sleep(TICK_SECONDS)
    show_progress(title, 1)
    return memory


def show_progress(title: str, done: float) -> None:
    if sys.stdout.isatty():
        bar = "█" * round(done * BAR_WIDTH)
        print(f"\r  {title:<10} {bar:·<{BAR_WIDTH}}", end="\n" if done == 1 else "", flush=True)


def measure(loop: str, seconds: float, cores: Cores) -> dict[str, float]:
    if not sys.stdout.isatty():
        print(f"  {loop} …", flush=True)
    contender = Contender(loop, Environment(Path(sys.prefix)))
    load = Load("http", 1, CONNECTIONS, WARMUP_SECONDS, seconds)
    with (
        running(contender.command("servers.uvicorn_hello", "--loop", loop), cores.server) as server,
        loading(server, load, cores.load) as process,
    ):
        memory = watch(process, server, loop, WARMUP_SECONDS + seconds)
        return {**finish_load(process, server, load), "memory": memory}


def prepare() -> None:
    compile_program("load")
    aot.use_own_folder()
    print(
        "Starting rloop once; on its very first start it makes a cache for faster ones.", flush=True
    )
    run_child(Contender(OURS, Environment(Path(sys.prefix))).command("startup", OURS))
    aot.wait_until_trained()


def print_table(baseline: dict[str, float], ours: dict[str, float]) -> None:
    titles = (BASELINE, OURS, "compared")
    print(f"\n{'':{LABEL_WIDTH}}" + "".join(f"{title:>{VALUE_WIDTH}}" for title in titles))
    for line in LINES:
        before, after = baseline[line.metric], ours[line.metric]
        texts = (line.text(before), line.text(after), line.compare(after, before))
        print(f"{line.label:{LABEL_WIDTH}}" + "".join(f"{t:>{VALUE_WIDTH}}" for t in texts))
    faster = ours["requests_per_second"] / baseline["requests_per_second"]
    print(f"\nThe same server answers {faster:.1f} times as many requests a second on rloop.")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seconds", "--duration", type=float, default=5.0, help="measured on each loop"
    )
    seconds = parser.parse_args().seconds
    cores = choose_cores()
    try:
        prepare()
        print(
            f"\nuvicorn + httptools on Python {sys.version.split()[0]}, {CONNECTIONS} connections, "
            f"server on core {cores.server}, load on core {cores.load}:"
        )
        results = {loop: measure(loop, seconds, cores) for loop in (BASELINE, OURS)}
    except (CellFailed, CompileError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    print_table(results[BASELINE], results[OURS])
    return 0


if __name__ == "__main__":
    sys.exit(main())
