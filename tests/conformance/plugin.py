"""A plugin of pytest: CONFORMANCE_LOOP is the loop, CONFORMANCE_OUTCOMES where to report.

Each outcome is written at once, a JSON list a line, so that those before a crash are known.
"""

import gc
import json
import os

import pytest

if "CONFORMANCE_LOOP" in os.environ:
    # Before any other module takes a loop's class from asyncio.
    from .in_place import LoopsMade, put_in_place

    put_in_place()

_outcomes = os.open(os.environ["CONFORMANCE_OUTCOMES"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
_bad: set[str] = set()


def pytest_collection_finish() -> None:
    """What pytest keeps of thousands of tests is not gone through after each of aiohttp's."""
    gc.collect()
    gc.freeze()


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
    if "CONFORMANCE_LOOP" in os.environ:
        _write("", "loops", str(LoopsMade.ours))


def _write(test: str, outcome: str, text: str) -> None:
    os.write(_outcomes, f"{json.dumps([test, outcome, text])}\n".encode())
