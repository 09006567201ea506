"""Suites under pytest, run on asyncio, then on loops of ours. What asyncio fails doesn't count."""

import json
import os
import shutil
import sysconfig
import tempfile
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from . import processes
from .environments import fetch_sources, make_environment, with_paths
from .loops import ASYNCIO
from .report import PROCESS, Report

SUITE_SECONDS = 1800

# Some tests ask what a file system refuses to all but root. Root keeps its other rights.
AS_ANYBODY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--"]

# What hasn't declared that it does without the GIL, as Brotli, would switch it on, with a warning.
WITHOUT_GIL = {"PYTHON_GIL": "0"} if sysconfig.get_config_var("Py_GIL_DISABLED") else {}

Outcomes = dict[str, tuple[str, str]]  # of each test: how it ended, and the traceback


@dataclass(frozen=True)
class Project:
    """An entry of projects.toml."""

    name: str
    version: str
    requires: list[str]
    options: list[str]
    sources: list[str] = field(default_factory=list)
    fails: list[dict[str, str]] = field(default_factory=list)

    @classmethod
    def named(cls, name: str) -> "Project":
        tables = tomllib.loads(Path(__file__).with_name("projects.toml").read_text())
        return cls(name=name, **tables[name])

    def known_failure(self, test: str) -> str | None:
        return next((f["reason"] for f in self.fails if fnmatchcase(test, f["test"])), None)

    def run(self, part: str, loops: dict[str, dict[str, str]]) -> dict[str, Report]:
        """One report for each loop."""
        requires = [f"{self.name}=={self.version}", *self.requires]
        python = make_environment(self.name, requires)
        on_asyncio, trouble = self._run_on(ASYNCIO, python, part)
        if not on_asyncio:
            return {name: Report(failed={PROCESS: trouble}) for name in loops}
        reports = {}
        for name, loop in loops.items():
            began = time.monotonic()
            reports[name] = compare(on_asyncio, *self._run_on(loop, python, part))
            reports[name].seconds = time.monotonic() - began
        return reports

    def _run_on(self, loop: Mapping[str, str], python: Path, part: str) -> tuple[Outcomes, str]:
        """The outcomes, and the end of the log if pytest didn't come to its own."""
        with tempfile.TemporaryDirectory() as scratch:
            folder, outcomes = Path(scratch), Path(scratch, "outcomes")
            if self.sources:
                folder = fetch_sources(self.name, self.version, self.sources)
            environment = with_paths(CONFORMANCE_OUTCOMES=str(outcomes), **WITHOUT_GIL, **loop)
            command: list[str | Path] = [
                *(AS_ANYBODY if os.geteuid() == 0 and shutil.which(AS_ANYBODY[0]) else []),
                *(python, "-m", "pytest", "-p", "conformance.plugin", "-p", "no:cacheprovider"),
                *("-q", "--tb=short", *self.options, *(["-k", part] if part else [])),
            ]
            ending, log = processes.run(command, folder, environment, SUITE_SECONDS)
            lines = outcomes.read_text().splitlines() if outcomes.exists() else []
        ran_to_its_end = lines and ending in {"exit code 0", "exit code 1"}
        read: Outcomes = {}
        for line in lines:
            test, outcome, text = json.loads(line)
            read[test] = (outcome, text)
        return read, "" if ran_to_its_end else f"{log[-10_000:]}\n{ending}"


def compare(on_asyncio: Outcomes, on_ours: Outcomes, trouble: str) -> Report:
    """Judges a loop of ours by the tests that passed on asyncio."""
    report = Report(loops=int(on_ours.pop("", ("", "0"))[1]))
    for test, (expected, _) in on_asyncio.items():
        outcome, text = on_ours.get(test, ("failed", "did not come to its end"))
        if expected == "failed" or (expected == "skipped" and outcome == "failed"):
            report.not_counted += 1
        elif outcome == "passed":
            report.passed.append(test)
        elif outcome == "failed":
            report.failed[test] = text
        else:
            report.skipped += 1
    if trouble:
        report.failed[PROCESS] = trouble
    if not report.loops:
        report.failed["(suite)"] = "made no loop of rloop's"
    return report
