"""Runs one module of CPython's or uvloop's tests with rloop as the loop; writes a report."""

import asyncio
import faulthandler
import functools
import importlib
import os
import signal
import sys
import unittest
import warnings
from asyncio import base_events
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from .in_place import LoopsMade, put_in_place
from .report import Report
from .resources import Resources
from .rules import Rules

# Much longer than the longest test; faulthandler then shows where it hangs and ends the process.
TEST_SECONDS = 60


def load_of_cpython(module: str, rules: Rules) -> ModuleType:
    package = "test.test_asyncio"
    importlib.import_module(package)
    log_to_mocks()
    rules.load(package, "utils")
    return rules.load(package, module)


def log_to_mocks() -> None:
    """Has asyncio's logger call what tests put into its place in `asyncio.base_events`.

    Only the standard library's loop looks there for it.
    """
    logger: Any = asyncio.log.logger
    for level in ("debug", "info", "warning", "error", "critical", "exception"):
        setattr(logger, level, functools.partial(_log, logger, level, getattr(logger, level)))


def _log(logger: Any, level: str, original: Callable[..., None], *args: Any, **kw: Any) -> None:
    current = base_events.logger  # type: ignore[attr-defined]
    (original if current is logger else getattr(current, level))(*args, **kw)


def load_of_uvloop(module: str, rules: Rules) -> ModuleType:
    """Loads a module for which the name uvloop stands for rloop (`stand_in`)."""
    base = importlib.import_module("uvloop._testbase").BaseTestCase
    base.is_asyncio_loop = lambda self: True
    importlib.import_module("tests")
    loaded = rules.load("tests", module)
    for cls in vars(loaded).values():
        for name in dir(cls) if isinstance(cls, type) else ():
            if rules.runs_as_asyncio(module, f"{cls.__name__}.{name}"):
                setattr(cls, name, as_asyncio(getattr(cls, name)))
    return loaded


def as_asyncio(test: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(test)
    def run(self: Any) -> None:
        self.implementation = "asyncio"
        test(self)

    return run


LOAD = {"cpython": load_of_cpython, "uvloop": load_of_uvloop}


class Result(unittest.TestResult):
    """Fills the report."""

    def __init__(self) -> None:
        super().__init__()
        self.report = Report()

    def startTest(self, test: unittest.TestCase) -> None:
        super().startTest(test)
        self._made = LoopsMade.ours, LoopsMade.others
        self._bad = self._count_bad()
        faulthandler.dump_traceback_later(TEST_SECONDS, exit=True)

    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        if self._count_bad() > self._bad:
            return
        ours, others = self._made
        if LoopsMade.ours > ours and LoopsMade.others == others:
            self.report.passed.append(name_of(test))
        else:
            self.report.not_counted += 1

    def _count_bad(self) -> int:
        marked = (self.failures, self.errors, self.skipped, self.unexpectedSuccesses)
        return sum(len(tests) for tests in marked)

    def finish(self) -> Report:
        report = self.report
        report.skipped = len(self.skipped)
        report.failed |= {name_of(test): trace.strip() for test, trace in self.failures}
        report.failed |= {name_of(test): trace.strip() for test, trace in self.errors}
        report.failed |= {name_of(test): "unexpected success" for test in self.unexpectedSuccesses}
        report.loops = LoopsMade.ours
        if report.not_counted and not report.loops:
            report.failed["(module)"] = "made no loop of rloop's"
        return report


def name_of(test: unittest.TestCase) -> str:
    """`Class.test`."""
    return ".".join(test.id().split(".")[-2:])


def flatten(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flatten(item)
        else:
            yield item


def run(suite: str, module: str, part: str) -> Report:
    rules = Rules.of(suite, os.environ.get("CONFORMANCE_NAME", "asyncio"))
    put_in_place()
    try:
        loaded = LOAD[suite](module, rules)
    except unittest.SkipTest:
        return Report(skipped=1)
    tests = list(flatten(unittest.defaultTestLoader.loadTestsFromModule(loaded)))
    tests = [test for test in tests if part in f"{module}.{name_of(test)}"]
    chosen = [test for test in tests if not rules.is_left_out(module, name_of(test))]
    result = Result()
    asyncio.new_event_loop().close()  # starts Java
    before = Resources.now()
    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.simplefilter("default")  # as unittest's own runner has them
        unittest.TestSuite(chosen).run(result)
    report = result.finish()
    report.left_out = len(tests) - len(chosen)
    del tests, chosen, result
    faulthandler.cancel_dump_traceback_later()  # which is a thread
    if leaked := Resources.now().leaked_since(before):
        report.failed["(leaks)"] = leaked
    return report


def take_signals_back() -> None:
    """Shells and nohup start what runs in the background with signals ignored that tests send."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


if __name__ == "__main__":
    faulthandler.enable()
    take_signals_back()
    suite, module, part, destination = sys.argv[1:]
    run(suite, module, part).write(Path(destination))
    # Past what waits for the processes and threads that failed tests have left behind.
    os._exit(0)
