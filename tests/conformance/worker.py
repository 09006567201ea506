"""Runs one module of CPython's tests of asyncio with rloop as the loop; writes a report."""

import asyncio
import dataclasses
import faulthandler
import importlib
import json
import os
import sys
import unittest
from asyncio import base_events
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import rloop.loop

from .rules import Report, Rules

# Much longer than the longest test; faulthandler then shows where it hangs and ends the process.
TEST_SECONDS = 60


class CountedLoop(rloop.RLoop):
    """Takes the place of asyncio's loop; the selector that a test gives has no meaning here."""

    made = 0

    def __init__(self, selector: object = None) -> None:
        CountedLoop.made += 1
        super().__init__()


class CurrentLogger:
    """Tests of what is logged put a mock in the place of the logger of `asyncio.base_events`."""

    def __getattr__(self, name: str) -> Any:
        return getattr(base_events.logger, name)  # type: ignore[attr-defined]


def put_in_place() -> None:
    """Makes the loop what each of the tests' ways to get one leads to."""
    unix: Any = asyncio.unix_events
    policy = (
        unix._DefaultEventLoopPolicy if sys.version_info >= (3, 14) else unix.DefaultEventLoopPolicy
    )
    policy._loop_factory = CountedLoop
    for name in ("SelectorEventLoop", "EventLoop", "BaseEventLoop"):
        setattr(asyncio, name, CountedLoop)
    vars(rloop.loop)["logger"] = CurrentLogger()
    utils: Any = importlib.import_module("test.test_asyncio.utils")
    fake = utils.TestLoop
    # The fake has a clock to set; without one, any loop will do.
    utils.TestLoop = lambda clock=None: fake(clock) if clock else CountedLoop()


class Result(unittest.TestResult):
    """Fills the report."""

    def __init__(self) -> None:
        super().__init__()
        self.report = Report()

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._made = CountedLoop.made
        self._bad = len(self.failures) + len(self.errors) + len(self.skipped)
        faulthandler.dump_traceback_later(TEST_SECONDS, exit=True)

    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        if len(self.failures) + len(self.errors) + len(self.skipped) > self._bad:
            return
        if CountedLoop.made > self._made:
            self.report.passed.append(name_of(test))
        else:
            self.report.other_loops += 1

    def finish(self) -> Report:
        self.report.skipped = len(self.skipped)
        for test, trace in self.failures + self.errors:
            self.report.failed[name_of(test)] = trace.strip()
        for test in self.unexpectedSuccesses:
            self.report.failed[name_of(test)] = "unexpected success"
        return self.report


def name_of(test: unittest.TestCase) -> str:
    """`Class.test`."""
    return ".".join(test.id().split(".")[-2:])


def flatten(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flatten(item)
        else:
            yield item


def run(module: str, part: str) -> Report:
    put_in_place()
    result = Result()
    rules = Rules.read()
    try:
        loaded = importlib.import_module(f"test.test_asyncio.{module}")
    except unittest.SkipTest:
        return Report(skipped=1)
    tests = list(flatten(unittest.defaultTestLoader.loadTestsFromModule(loaded)))
    chosen = [test for test in tests if not rules.is_left_out(module, name_of(test))]
    unittest.TestSuite(test for test in chosen if part in name_of(test)).run(result)
    report = result.finish()
    report.left_out = len(tests) - len(chosen)
    return report


if __name__ == "__main__":
    faulthandler.enable()
    module, destination, *part = sys.argv[1:]
    report = run(module, *(part or [""]))
    Path(destination).write_text(json.dumps(dataclasses.asdict(report)))
    # Past what waits for the processes and threads that failed tests have left behind.
    os._exit(0)
