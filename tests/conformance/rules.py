"""What is left out and what is known to fail (rules.toml), and the result of a module."""

import sys
import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path


@dataclass(frozen=True)
class Rule:
    """An entry of the file, for tests whose `Class.test` matches one of the patterns."""

    module: str
    tests: list[str]
    reason: str
    since: str = "3.0"
    until: str = "3.99"

    def applies(self) -> bool:
        return _version(self.since) <= sys.version_info[:2] <= _version(self.until)

    def matches(self, module: str, test: str) -> bool:
        return module == self.module and any(fnmatchcase(test, pattern) for pattern in self.tests)


def _version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


@dataclass(frozen=True)
class Rules:
    """The entries that are for the running Python."""

    left_out: list[Rule]
    fails: list[Rule]

    @classmethod
    def read(cls) -> "Rules":
        tables = tomllib.loads(Path(__file__).with_name("rules.toml").read_text())
        rules = {name: [Rule(**entry) for entry in table] for name, table in tables.items()}
        return cls(**{name: [r for r in table if r.applies()] for name, table in rules.items()})

    def is_left_out(self, module: str, test: str) -> bool:
        return any(rule.matches(module, test) for rule in self.left_out)

    def known_failure(self, module: str, test: str) -> str | None:
        return next((rule.reason for rule in self.fails if rule.matches(module, test)), None)


@dataclass
class Report:
    """Which tests passed, which failed with which traceback, and how many did neither."""

    passed: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: int = 0
    left_out: int = 0
    other_loops: int = 0

    def add(self, other: "Report") -> None:
        self.passed += other.passed
        self.failed |= {f"{len(self.failed)} {test}": text for test, text in other.failed.items()}
        self.skipped += other.skipped
        self.left_out += other.left_out
        self.other_loops += other.other_loops

    def line(self) -> str:
        return (
            f"{len(self.passed):5} passed {len(self.failed):3} failed {self.skipped:3} skipped "
            f"{self.other_loops:4} not counted {self.left_out:4} left out"
        )
