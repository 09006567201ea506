"""Measures event loops side by side: CPU per request, throughput, latency, start-up, memory.

    python bench/run.py                                             everything (long)
    python bench/run.py --proto --msize 1024 --concurrency 50       one row
    python bench/run.py --loop uvloop --loop rloop --micro chain    one operation, two loops

The servers of a row run side by side and are loaded in turn, half a second each, so that what the
machine does meanwhile meets all of them. All of it again in every round, with new processes.
Figures are medians over all turns; ratios are medians of each turn's ratio.
"""

import argparse
import contextlib
import datetime
import sys
from collections.abc import Sequence
from pathlib import Path

import micro
from harness import aot
from harness.compile import CompileError, compile_program
from harness.connection_rows import ConnectRow, IdleRow
from harness.contenders import LOOPS, Contender, prepare_contender
from harness.environments import Interpreter, Unavailable
from harness.failure import CellFailed
from harness.life_rows import CHANGES, ChangeRow, young_rows
from harness.machine import BUSY_LIMIT, Cores, busy_share, choose_cores, describe
from harness.places import BUILD, CHECKOUT
from harness.plot import draw_young
from harness.process_rows import PipesRow, SendfileRow, SpawnRow
from harness.results import Results, write_json
from harness.rows import EchoRow, HttpRow, MemoryRow, MicroRow, Row, StartupRow, Window
from harness.selection import applies
from harness.tables import new_console, new_progress, print_tables, summary
from harness.thread_rows import thread_rows
from harness.worker_rows import worker_rows
from rich.console import Console
from servers.echo import MODES

HTTP_SERVERS = ["uvicorn", "aiohttp"]
OTHER_ROWS = [
    "young",
    "change",
    "connect",
    "tls_connect",
    "sendfile",
    "spawn",
    "pipes",
    "startup",
    "memory",
    "idle",
    "threads",
    "workers",
]
KIB = 1024


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    rows = parser.add_argument_group("rows (all of them, if none is named)")
    for mode in MODES:
        rows.add_argument(f"--{mode}", action="store_true", help=f"echo by way of {mode}")
    for server in HTTP_SERVERS:
        rows.add_argument(f"--{server}", action="store_true", help=f"HTTP, a small {server} server")
    rows.add_argument(
        "--micro",
        nargs="*",
        choices=list(micro.OPERATIONS),
        metavar="OPERATION",
        help=f"operations of the loop; without a name, all: {', '.join(micro.OPERATIONS)}",
    )
    rows.add_argument("--young", action="store_true", help="CPU from start to the Nth request")
    rows.add_argument("--change", action="store_true", help="latencies after a change of load")
    rows.add_argument("--connect", action="store_true", help="connect, echo, close")
    rows.add_argument("--tls-connect", action="store_true", help="the same with a TLS handshake")
    rows.add_argument("--idle", action="store_true", help="memory of 1,000 TLS connections")
    rows.add_argument("--sendfile", action="store_true", help="a file of 1 GB")
    rows.add_argument("--spawn", action="store_true", help="1,000 subprocesses")
    rows.add_argument("--pipes", action="store_true", help="echo by children")
    rows.add_argument("--startup", action="store_true", help="import, first loop and exit")
    rows.add_argument("--memory", action="store_true", help="at start, under load and after it")
    rows.add_argument("--threads", action="store_true", help="CPU by thread, on one core and two")
    rows.add_argument(
        "--workers", action="store_true", help="one and two threads of Python's, without a GIL"
    )

    how = parser.add_argument_group("how")
    how.add_argument("--loop", action="append", choices=LOOPS, help="repeatable; all, if none")
    how.add_argument("--python", default=sys.executable, help="the CPython to measure with")
    how.add_argument("--wheel", type=Path, help="measure this rloop; else the checkout's is built")
    how.add_argument("--msize", type=int, nargs="+", default=[KIB, 10 * KIB, 100 * KIB])
    how.add_argument("--concurrency", type=int, nargs="+", default=[1, 50, 500])
    how.add_argument("--duration", type=float, default=3.0, help="seconds that are measured")
    how.add_argument("--warmup", type=float, default=12.0, help="seconds before that")
    how.add_argument("--turn", type=float, default=0.5, help="seconds until the next loop's turn")
    how.add_argument("--rounds", type=int, default=2)
    how.add_argument("--memory-requests", type=int, default=1_000_000)
    how.add_argument("--server-core", type=int, help="the first one, if not said")
    how.add_argument("--load-core", type=int, help="the second one, if not said")
    how.add_argument("--plot", type=Path, help="an SVG of what --young has found")
    how.add_argument("--output", type=Path, help="build/bench/results-….json, if not said")
    how.add_argument(
        "--setup-only", action="store_true", help="install everything, measure nothing"
    )
    return parser.parse_args(arguments)


def choose_rows(options: argparse.Namespace) -> list[Row]:
    """The rows that were named, or all of them."""
    named = [getattr(options, name) for name in [*MODES, *HTTP_SERVERS, *OTHER_ROWS]]
    every = not any(named) and options.micro is None
    window = Window(options.warmup, options.duration, options.turn)
    rows: list[Row] = [
        row
        for mode in MODES
        if every or getattr(options, mode)
        for size in options.msize
        for connections in options.concurrency
        if (row := EchoRow(mode, size, connections, window)).is_possible
    ]
    rows += [
        HttpRow(server, connections, window)
        for server in HTTP_SERVERS
        if every or getattr(options, server)
        for connections in options.concurrency
    ]
    if every or options.micro is not None:
        rows += [MicroRow(operation) for operation in options.micro or micro.OPERATIONS]
    if every or options.young:
        rows += young_rows()
    if every or options.change:
        rows += [ChangeRow(change) for change in CHANGES]
    if every or options.connect:
        rows.append(ConnectRow("proto", window))
    if every or options.tls_connect:
        rows.append(ConnectRow("tls", window))
    if every or options.sendfile:
        rows.append(SendfileRow())
    if every or options.spawn:
        rows.append(SpawnRow())
    if every or options.pipes:
        rows += [PipesRow(KIB, 10), PipesRow(64 * KIB, 1)]
    return [*rows, *choose_process_rows(options, every, window)]


def choose_process_rows(options: argparse.Namespace, every: bool, window: Window) -> list[Row]:
    """Those about whole processes and their threads."""
    rows: list[Row] = []
    if every or options.startup:
        rows += [StartupRow(), StartupRow(aot_cache=False)]
    if every or options.memory:
        rows.append(MemoryRow(options.memory_requests))
    if every or options.idle:
        rows.append(IdleRow())
    if every or options.threads:
        rows += thread_rows(window)
    if options.workers or (every and Interpreter(options.python).is_free_threaded):
        rows += worker_rows(window)
    return rows


def choose_contenders(options: argparse.Namespace, console: Console) -> list[Contender]:
    """The loops that can be had here; the others are named with the reason."""
    interpreter = Interpreter(options.python)
    contenders = []
    for loop in options.loop or LOOPS:
        try:
            contenders.append(prepare_contender(loop, interpreter, options.wheel, console.print))
        except Unavailable as reason:
            console.print(f"without {loop}: {reason}", style="yellow", markup=False)
    return contenders


def measure_all(
    rows: Sequence[Row],
    contenders: Sequence[Contender],
    rounds: int,
    cores: Cores,
    console: Console,
) -> Results:
    results = Results()
    cells = sum(applies(row, contender.loop) for row in rows for contender in contenders)
    with new_progress(console) as progress, contextlib.suppress(KeyboardInterrupt):
        task = progress.add_task("", total=cells * rounds)
        for number in range(rounds):
            for row in rows:
                competing = [c for c in contenders if applies(row, c.loop)]
                progress.update(task, description=f"round {number + 1} · {row.label}")
                for measured in row.measure(competing, cores):
                    cell = results.cell(row, measured.loop)
                    if isinstance(measured.sample, CellFailed):
                        cell.failure = str(measured.sample)
                    else:
                        cell.samples[number, measured.turn] = measured.sample
                for contender in competing:
                    cell = results.cell(row, contender.loop)
                    progress.console.print(summary(row, contender.loop, cell))
                progress.advance(task, len(competing))
    return results


def warn_of_disturbances(cores: Cores, console: Console) -> None:
    if cores.shared:
        console.print("One core for server and load: they wait for each other.", style="yellow")
    for core in {cores.server, cores.load}:
        if (busy := busy_share(core)) > BUSY_LIMIT:
            console.print(
                f"Core {core} is {busy:.0%} busy with something else: these figures will be off.",
                style="yellow",
            )


def output_path(
    options: argparse.Namespace, interpreter: Interpreter, now: datetime.datetime
) -> Path:
    if options.output is not None:
        return Path(options.output)
    return BUILD / f"results-{interpreter.tag}-{now:%Y%m%d-%H%M%S}.json"


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_arguments(arguments)
    console = new_console()
    interpreter = Interpreter(options.python)
    cores = choose_cores(options.server_core, options.load_core)
    aot.use_own_folder()
    try:
        compile_program("load")
        contenders = choose_contenders(options, console)
    except (CompileError, Unavailable) as error:
        console.print(str(error), style="red", markup=False)
        return 1
    if options.setup_only or not contenders:
        return 0 if contenders else 1
    warn_of_disturbances(cores, console)

    now = datetime.datetime.now(datetime.UTC)
    results = measure_all(choose_rows(options), contenders, options.rounds, cores, console)
    about = {
        "date": now.isoformat(timespec="seconds"),
        "machine": {**describe(), "server_core": cores.server, "load_core": cores.load},
        "options": {name: str(value) for name, value in vars(options).items()},
        "versions": {contender.loop: contender.versions() for contender in contenders},
    }
    path = output_path(options, interpreter, now)
    write_json(path, about, results)
    if options.plot is not None:
        draw_young(options.plot, results)
    print_tables(console, results)
    console.print(f"{path.relative_to(CHECKOUT) if path.is_relative_to(CHECKOUT) else path}")
    return 1 if results.failures() else 0


if __name__ == "__main__":
    sys.exit(main())
