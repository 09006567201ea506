"""Which loops stand in which row."""

from harness.connection_rows import ConnectRow, IdleRow
from harness.contenders import FLOOR, FLOOR_MODES
from harness.environments import OURS
from harness.process_rows import SendfileRow
from harness.rows import EchoRow, Row, StartupRow


def echo_mode(row: Row) -> str | None:
    """What the row's echo server does, if it has one."""
    if isinstance(row, IdleRow):
        return "tls"
    return row.mode if isinstance(row, EchoRow | ConnectRow) else None


def applies(row: Row, loop: str) -> bool:
    """Whether there is something to measure."""
    if isinstance(row, SendfileRow):  # none of the others has it
        return loop in (FLOOR, "asyncio", OURS)
    if loop == "aiofastnet":  # TLS is what it is known for
        return echo_mode(row) == "tls"
    if loop == "rloop-rust" and echo_mode(row) in ("unix", "tls"):  # which it doesn't implement
        return False
    if loop == FLOOR:  # an echo server without protocols stands beside the leanest of the rows
        return echo_mode(row) in FLOOR_MODES
    if isinstance(row, StartupRow) and not row.aot_cache:
        return loop in ("asyncio", OURS)
    return True
