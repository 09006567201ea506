"""Runs modules of CPython's `test.test_asyncio`, each in a process of its own, and reports."""

import argparse
import contextlib
import importlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .rules import Report, Rules

SUITE = "test.test_asyncio"

# What judges the loop and its streams. The others test the parts of asyncio beside it.
SCOPE = [
    "test_base_events",
    "test_buffered_proto",
    "test_context",
    "test_eager_task_factory",
    "test_events",
    "test_futures",
    "test_futures2",
    "test_locks",
    "test_queues",
    "test_runners",
    "test_sendfile",
    "test_server",
    "test_sock_lowlevel",
    "test_streams",
    "test_taskgroups",
    "test_tasks",
    "test_timeouts",
    "test_waitfor",
]

# What stands for a test where the process of a module died or hung: only its log tells why.
PROCESS = "(process)"

# A module that takes longer hangs where the worker's own watch on each test doesn't see it.
MODULE_SECONDS = 300


def available_modules() -> list[str]:
    """The test modules of this Python; none if it came without its tests, as Debian's does."""
    try:
        path = importlib.import_module(SUITE).__path__
    except ModuleNotFoundError:
        return []
    return sorted(m.name for m in pkgutil.iter_modules(path) if m.name.startswith("test_"))


def run_module(module: str, tests: list[str]) -> Report:
    """Runs one module to its end, or to a crash, which counts as one failure more."""
    with tempfile.TemporaryDirectory() as folder:
        report, log = Path(folder, "report.json"), Path(folder, "log")
        with log.open("wb") as output:  # a pipe would stay open as long as the children of tests
            worker = subprocess.Popen(
                [sys.executable, "-m", "tests.conformance.worker", module, report, *tests],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            ending = f"exit code {worker.wait(timeout=MODULE_SECONDS)}"
        except subprocess.TimeoutExpired:
            ending = f"still running after {MODULE_SECONDS} s"
        finally:
            end_session(worker)
        if report.exists():
            return Report(**json.loads(report.read_text()))
        return Report(failed={PROCESS: f"{log.read_text(errors='replace')}\n{ending}"})


def end_session(worker: "subprocess.Popen[bytes]") -> None:
    """Ends the worker, and the processes that its tests have left behind."""
    with contextlib.suppress(ProcessLookupError):  # nothing is left
        os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("modules", nargs="*", help="default: those about the loop and streams")
    parser.add_argument("--all", action="store_true", help="every module")
    parser.add_argument("-k", metavar="PART", help="only tests with that in Class.test")
    parser.add_argument("-v", action="store_true", help="whole tracebacks")
    options = parser.parse_args()

    available = available_modules()
    if not available:
        print(f"skipped: {sys.executable} has no '{SUITE}' (Pythons built from source have it)")
        return 0
    chosen = options.modules or [name for name in available if options.all or name in SCOPE]
    unknown = set(chosen) - set(available)
    if unknown:
        parser.error(f"this Python has no {', '.join(sorted(unknown))}")
    rules = Rules.read()
    total = Report()
    surprises = 0
    for module in chosen:
        began = time.monotonic()
        report = run_module(module, [options.k] if options.k else [])
        total.add(report)
        print(f"{module:24} {report.line()} {time.monotonic() - began:6.1f} s", flush=True)
        for test, trace in report.failed.items():
            reason = rules.known_failure(module, test)
            surprises += reason is None
            print(f"  {'FAILED' if reason is None else 'known to fail'}: {module}.{test}")
            is_whole = options.v or test == PROCESS
            print(f"    {reason or (trace if is_whole else trace.splitlines()[-1])}")
        for test in report.passed:
            if rules.known_failure(module, test):
                surprises += 1
                print(f"  FAILED: {module}.{test} passes now, take it out of rules.toml")
    if total.other_loops:
        print(f"not counted: {total.other_loops} tests that passed without a loop of rloop's")
    print(f"left out: {total.left_out} tests; rules.toml says why")
    print(f"{len(total.passed)} passed, {len(total.failed)} failed, {total.skipped} skipped")
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
