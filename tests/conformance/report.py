"""The outcome of a module or of a suite, and the lines that show it."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

# What stands for a test where a process died or hung: only its log tells why.
PROCESS = "(process)"


@dataclass
class Report:
    """Which tests passed, which failed with which traceback, and how many did neither."""

    passed: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: int = 0
    not_counted: int = 0  # passed without a loop of ours, or failed on asyncio as well
    left_out: int = 0
    loops: int = 0
    seconds: float = 0

    @classmethod
    def read(cls, path: Path) -> "Report":
        return cls(**json.loads(path.read_text()))

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self)))

    def add(self, module: str, other: "Report") -> None:
        self.passed += [f"{module}.{test}" for test in other.passed]
        self.failed |= {f"{module}.{test}": trace for test, trace in other.failed.items()}
        self.skipped += other.skipped
        self.not_counted += other.not_counted
        self.left_out += other.left_out
        self.loops += other.loops
        self.seconds += other.seconds

    def line(self) -> str:
        return (
            f"{len(self.passed):5} passed {len(self.failed):3} failed {self.skipped:4} skipped "
            f"{self.not_counted:4} not counted {self.left_out:4} left out {self.seconds:6.1f} s"
        )
