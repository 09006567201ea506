"""Runs the suites and prints what failed, and at the end a table."""

import argparse
import sys
from collections.abc import Callable

from . import processes
from .loops import OURS
from .projects import Project
from .report import PROCESS, Report
from .rules import Rules
from .unittest_suites import Suite, cpython, uvloop

UNITTEST_SUITES: dict[str, Callable[[], Suite | None]] = {"cpython": cpython, "uvloop": uvloop}
PROJECTS = ["aiohttp", "uvicorn", "tornado", "anyio"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    known = [*UNITTEST_SUITES, *PROJECTS]
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"of {', '.join(known)}")
    parser.add_argument(
        "--loops",
        metavar="LOOPS",
        default="rloop",
        help=f"of {', '.join(OURS)}, with commas between them (default: %(default)s)",
    )
    parser.add_argument("--modules", metavar="A,B", help="only these of CPython's or uvloop's")
    parser.add_argument("-k", metavar="PART", default="", help="only tests with that in their name")
    parser.add_argument("-v", action="store_true", help="whole tracebacks")
    options = parser.parse_args()
    if unknown := set(options.suites) - set(known):
        parser.error(f"no such suite: {', '.join(sorted(unknown))}")
    if unknown := set(options.loops.split(",")) - set(OURS):
        parser.error(f"no such loop: {', '.join(sorted(unknown))}")
    loops = {name: OURS[name] for name in options.loops.split(",")}
    processes.heed_interrupts()
    table = []
    surprises = 0
    for name in options.suites or known:
        if name in UNITTEST_SUITES:
            suite = UNITTEST_SUITES[name]()
            if suite is None:
                continue
            reports = {}
            for loop in loops:
                reports[loop], bad = run_modules(suite, loop, options)
                surprises += bad
        else:
            project = Project.named(name)
            reports = project.run(options.k, loops)
            for report in reports.values():
                surprises += show(report, project.known_failure, options.v)
        table += [f"{name:8} on {loop:8} {report.line()}" for loop, report in reports.items()]
    print(f"\nCPython {sys.version.split()[0]}", *table, sep="\n")
    return 1 if surprises else 0


def run_modules(suite: Suite, loop: str, options: argparse.Namespace) -> tuple[Report, int]:
    """All of them together, and in how many tests they were not what the rules say."""
    rules = Rules.of(suite.name, loop)
    wanted = options.modules.split(",") if options.modules else suite.modules
    total = Report()
    surprises = 0
    for module in suite.modules:
        if module not in wanted or rules.is_left_out(module):
            continue
        report = suite.run(module, options.k, OURS[loop])
        print(f"{module:24} {loop:8} {report.line()}", flush=True)
        one = Report()
        one.add(module, report)
        surprises += show(one, rules.known_failure, options.v)
        total.add(module, report)
    return total, surprises


def show(report: Report, reason_of: Callable[[str], str | None], whole: bool) -> int:
    """Prints what failed, and why if that is known; returns how much was not known."""
    surprises = 0
    for test, trace in report.failed.items():
        reason = reason_of(test)
        surprises += reason is None
        print(f"  {'FAILED' if reason is None else 'known to fail'}: {test}")
        is_whole = whole or test.endswith(PROCESS)
        print(f"    {reason or (trace if is_whole else trace.splitlines()[-1])}")
    for test in report.passed:
        if reason_of(test):
            surprises += 1
            print(f"  FAILED: {test} passes now, its entry has to go")
    return surprises


if __name__ == "__main__":
    sys.exit(main())
