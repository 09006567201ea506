"""A plugin of pytest: chooses the loop by CONFORMANCE_LOOP, writes outcomes to CONFORMANCE_OUTCOMES.

Each outcome is written at once, a JSON list a line, so that those before a crash are known.
"""

import json
import os
from pathlib import Path

import pytest

if os.environ["CONFORMANCE_LOOP"] == "rloop":
    # Before any other module takes a loop's class from asyncio.
    from .in_place import LoopsMade, put_in_place

    put_in_place()

_outcomes = Path(os.environ["CONFORMANCE_OUTCOMES"]).open("a", buffering=1, encoding="utf-8")
_bad: set[str] = set()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.outcome != "passed":
        _bad.add(report.nodeid)
        _write(report.nodeid, report.outcome, report.longreprtext)
    elif report.when == "teardown" and report.nodeid not in _bad:
        _write(report.nodeid, "passed", "")


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.outcome == "failed":
        _write(report.nodeid, "failed", report.longreprtext)


def pytest_sessionfinish() -> None:
    if os.environ["CONFORMANCE_LOOP"] == "rloop":
        _write("", "loops", str(LoopsMade.ours))


def _write(test: str, outcome: str, text: str) -> None:
    print(json.dumps([test, outcome, text]), file=_outcomes)
