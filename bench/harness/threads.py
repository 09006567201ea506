"""What each thread of a server spends, and what kind of thread it is.

The figures are the scheduler's own: the first one in /proc/PID/task/TID/schedstat.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

IO_NAME = "rloop I/O"
PYTHON_NAMES = ("rloop worker", "python")  # of further threads that run Python
KINDS = ["python", "io", "other"]


@dataclass(frozen=True)
class Thread:
    id: int
    name: str
    cpu_ns: int


def read_threads(process: int) -> Iterator[Thread]:
    for folder in Path(f"/proc/{process}/task").iterdir():
        name = (folder / "comm").read_text().strip()
        yield Thread(int(folder.name), name, int((folder / "schedstat").read_text().split()[0]))


def by_kind(threads: Iterable[Thread], process: int) -> dict[str, int]:
    """CPU of the threads that run Python, of the I/O threads, and of all others: JIT, collector."""
    spent = dict.fromkeys(KINDS, 0)
    for thread in threads:
        spent[kind(thread, process)] += thread.cpu_ns
    return spent


def kind(thread: Thread, process: int) -> str:
    # The servers' loops run in the main thread.
    if thread.id == process or thread.name.startswith(PYTHON_NAMES):
        return "python"
    return "io" if thread.name.startswith(IO_NAME) else "other"
