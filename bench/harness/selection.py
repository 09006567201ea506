"""Which loops stand in which row."""

from harness.connection_rows import ConnectRow, IdleRow
from harness.contenders import FLOOR, FLOOR_MODES
from harness.environments import OURS, TOKIO, WITH_AIOFASTNET
from harness.life_rows import ChangeRow, YoungRow
from harness.process_rows import SendfileRow
from harness.rows import EchoRow, HttpRow, Row, StartupRow
from harness.thread_rows import IdleThreadsRow, ThreadsRow
from harness.worker_rows import WorkersRow

# TLS is what aiofastnet is known for, and aiohttp what uses it.
_BY_AIOFASTNET = {"aiofastnet": ("tls",), WITH_AIOFASTNET: ("proto", "tls", "aiohttp")}

# A table by thread is about the loop with several and those that it has to beat.
_BY_THREAD = ("uvloop", "zuvloop", OURS, TOKIO)
_ONLY: dict[type[Row], tuple[str, ...]] = {
    SendfileRow: (FLOOR, "asyncio", OURS, TOKIO),  # none of the others has it
    ThreadsRow: _BY_THREAD,
    IdleThreadsRow: _BY_THREAD,
    WorkersRow: ("asyncio", *_BY_THREAD),
}


def echo_mode(row: Row) -> str | None:
    """What the row's echo server does, if it has one."""
    if isinstance(row, IdleRow | ChangeRow):
        return "tls"
    if isinstance(row, YoungRow):
        return echo_mode(row.server)
    return row.mode if isinstance(row, EchoRow | ConnectRow) else None


def _row_of_aiofastnet(row: Row) -> str | None:
    return row.server if isinstance(row, HttpRow) else echo_mode(row)


def applies(row: Row, loop: str) -> bool:
    """Whether there is something to measure."""
    if (only := _ONLY.get(type(row))) is not None:
        return loop in only
    if loop in _BY_AIOFASTNET:
        return _row_of_aiofastnet(row) in _BY_AIOFASTNET[loop]
    if loop == "rloop-rust" and echo_mode(row) in ("unix", "tls"):  # which it doesn't implement
        return False
    if loop == FLOOR:  # an echo server without protocols stands beside the leanest of the rows
        return echo_mode(row) in FLOOR_MODES and not isinstance(row, ChangeRow)
    if isinstance(row, StartupRow) and not row.aot_cache:
        return loop in ("asyncio", OURS)
    return True
