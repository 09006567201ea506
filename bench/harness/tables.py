"""The results as tables, one for each group of rows."""

from dataclasses import dataclass, replace

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from harness.life_rows import MARKS, SLICES, at
from harness.load import SATURATED
from harness.results import COMPARISONS, Cell, Comparison, Results
from harness.rows import Row

# Narrower terminals wrap the lines; a file gets them whole.
MINIMUM_WIDTH = 126
# The bar is drawn on the load generator's machine: seldom enough to cost nothing.
REFRESH_PER_SECOND = 2


@dataclass(frozen=True)
class Column:
    heading: str
    metric: str
    digits: int = 0


TITLES = {
    "echo": "Echo: CPU of the server per request (µs), requests per second, latency (µs)",
    "connect": "Connect, echo, close: CPU of the server each (µs), number a second, latency (µs)",
    "http": "HTTP: CPU of the server per request (µs), requests per second, latency (µs)",
    "micro": "Operations of the loop: CPU (ns)",
    "sendfile": "Sending a file of 1 GB: time, CPU of the server (ms)",
    "spawn": "A subprocess that ends at once: time, CPU with the child's (µs)",
    "pipes": "Echo by a child: CPU of this process per message (µs), messages per second",
    "startup": "Start-up of a whole process (ms)",
    "memory": "Memory of the server (MiB); the last columns are RSS over asyncio's",
    "young": "A young server: CPU (s) from its process's start to so many requests",
    "change": "A load that changes after ten seconds: latencies of the seconds that follow (µs)",
    "idle": "Idle connections: RSS of the server (MiB), growth for each connection (KiB)",
    "threads": "By thread: CPU of the server per request (µs), requests per second, latency (µs)",
    "workers": "Threads that run Python: CPU per request by thread (µs), requests per second,"
    " latency (µs)",
    "idle_cpu": "Idle connections: CPU of the server by thread, all together (ms)",
}
LOAD_COLUMNS = [
    Column("user", "user_us", 2),
    Column("kernel", "kernel_us", 2),
    Column("total", "total_us", 2),
    Column("req/s", "requests_per_second"),
    Column("p50", "p50_us"),
    Column("p99", "p99_us"),
]
MEMORY_KINDS = ["rss", "pss", "uss"]
COLUMNS = {
    "echo": LOAD_COLUMNS,
    "connect": [replace(c, heading=c.heading.replace("req", "conn")) for c in LOAD_COLUMNS],
    "http": LOAD_COLUMNS,
    "micro": [Column("CPU", "cpu_ns"), Column("best", "best_ns")],
    "sendfile": [Column("time", "wall_ms"), Column("CPU", "cpu_ms", 1)],
    "spawn": [Column("time", "wall_us"), Column("CPU", "cpu_us")],
    "pipes": [
        Column("user", "user_us", 2),
        Column("kernel", "kernel_us", 2),
        Column("total", "total_us", 2),
        Column("msg/s", "messages_per_second"),
    ],
    "startup": [Column("time", "wall_ms", 1), Column("CPU", "cpu_ms", 1)],
    "memory": [
        *(Column(f"start\n{kind.upper()}", f"start_{kind}", 1) for kind in MEMORY_KINDS),
        *(Column(f"load\n{kind.upper()}", f"load_{kind}", 1) for kind in MEMORY_KINDS),
        Column("after\nRSS", "after_rss", 1),
    ],
    "young": [Column(f"{mark:,}", at(mark), 3) for mark in (0, *MARKS)],
    "change": [
        Column(f"{heading}\n{second}. s", f"{quantile}_{second}")
        for second in range(1, SLICES + 1)
        for heading, quantile in (("p99", "p99_us"), ("p99.9", "p999_us"))
    ],
    "idle": [
        Column("before", "before_rss", 1),
        Column("open", "during_rss", 1),
        Column("KiB each", "connection_kib", 1),
    ],
    "threads": [
        Column("Python", "python_us", 2),
        Column("I/O", "io_us", 2),
        Column("other", "other_us", 2),
        *LOAD_COLUMNS[2:],
    ],
    "workers": [
        Column("Python", "python_us", 2),
        Column("other", "other_us", 2),
        *LOAD_COLUMNS[2:],
    ],
    "idle_cpu": [
        Column("Python", "python_ms", 1),
        Column("I/O", "io_ms", 1),
        Column("other", "other_ms", 1),
        Column("total", "total_ms", 1),
    ],
}
SATURATED_NOTE = (
    f"* the load generator was busy at least {SATURATED:.0%} of the time: the requests per second "
    f"and the latencies are its limit rather than the server's; CPU per request holds."
)
THREADS_NOTE = (
    "With 2 cores the load generator shares one of them: CPU by thread holds, requests per second "
    "and latencies are what server and generator reach together. With 1 core all threads of the "
    "server take turns on it, and the I/O overlaps with nothing."
)


def new_console() -> Console:
    console = Console(highlight=False)
    if not console.is_terminal and console.width < MINIMUM_WIDTH:
        console = Console(highlight=False, width=MINIMUM_WIDTH)
    return console


def new_progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        refresh_per_second=REFRESH_PER_SECOND,
        transient=True,
    )


def summary(row: Row, loop: str, cell: Cell) -> str:
    """One line for a cell that was just measured, once more perhaps."""
    if not cell.samples:
        return f"{row.label}, {loop}: failed"
    median = cell.median()
    texts = [f"{c.heading} {median[c.metric]:,.{c.digits}f}" for c in COLUMNS[row.group]]
    return f"{row.label}, {loop}: {', '.join(texts)}".replace("\n", " ")


def print_tables(console: Console, results: Results) -> None:
    for group in TITLES:
        rows = list(dict.fromkeys(row for row, _ in results.cells if row.group == group))
        if rows:
            console.print(group_table(group, rows, results))
    for young, loop, requests in results.passings():
        when = "not passed yet" if requests is None else f"passed at {requests:,.0f} requests"
        console.print(f"{young.label}, {loop}: {when}")
    if any(saturated(cell) for cell in results.cells.values()):
        console.print(SATURATED_NOTE)
    if any(row.group == "threads" for row, _ in results.cells):
        console.print(THREADS_NOTE)
    for row, loop, failure in results.failures():
        console.print(f"FAILED {row.label}, {loop}: {failure}", style="red", markup=False)


def group_table(group: str, rows: list[Row], results: Results) -> Table:
    table = Table(title=TITLES[group], title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("row", no_wrap=True)
    table.add_column("loop", no_wrap=True)
    for column in COLUMNS[group]:
        table.add_column(column.heading, justify="right")
    for comparison in COMPARISONS[group]:
        sign = "÷" if comparison.ratio else "-"
        table.add_column(f"{comparison.heading}\n{sign} {comparison.baseline}", justify="right")
    for row in rows:
        label = row.label
        for other, loop in results.cells:
            if other == row:
                table.add_row(label, loop, *cell_texts(results, row, loop))
                label = ""
        table.add_section()
    return table


def cell_texts(results: Results, row: Row, loop: str) -> list[str]:
    cell = results.cells[row, loop]
    if not cell.samples:
        return ["failed"]
    median = cell.median()
    mark = "*" if saturated(cell) else ""
    texts = [
        f"{median[c.metric]:,.{c.digits}f}{mark if c.metric == 'requests_per_second' else ''}"
        for c in COLUMNS[row.group]
    ]
    return texts + [compared_text(results, c, row, loop) for c in COMPARISONS[row.group]]


def compared_text(results: Results, comparison: Comparison, row: Row, loop: str) -> str:
    value = results.compare(comparison, row, loop)
    if value is None:
        return ""
    return f"{value:.2f}" if comparison.ratio else f"{value:+.1f}"


def saturated(cell: Cell) -> bool:
    return bool(cell.samples) and cell.median().get("generator_cpu", 0) >= SATURATED
