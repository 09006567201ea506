"""CPython's and uvloop's tests: modules of unittest's classes, each in a process of its own."""

import importlib.util
import pkgutil
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from . import processes
from .environments import HERE, fetch_sources, make_environment, with_paths
from .report import PROCESS, Report

UVLOOP = "0.23.0"

# A module that takes longer hangs where the worker's own watch on each test doesn't see it.
MODULE_SECONDS = 400


@dataclass(frozen=True)
class Suite:
    """One of the two, ready to run."""

    name: str
    modules: list[str]
    python: Path
    environment: Mapping[str, str] = field(repr=False)

    def run(self, module: str, part: str, loop: Mapping[str, str]) -> Report:
        """Runs one module to its end, or to a crash, which counts as one failure."""
        with tempfile.TemporaryDirectory() as scratch:  # some tests leave files where they run
            began = time.monotonic()
            report = Path(scratch, "report.json")
            command: list[str | Path] = [self.python, "-m", "conformance.worker"]
            command += [self.name, module, part, report]
            environment = {**self.environment, **loop}
            ending, log = processes.run(command, Path(scratch), environment, MODULE_SECONDS)
            found = Report.read(report) if report.exists() else None
        result = found or Report(failed={PROCESS: f"{log}\n{ending}"})
        result.seconds = time.monotonic() - began
        return result


def cpython() -> Suite | None:
    """None if this Python came without its tests, as Debian's does."""
    try:
        package = importlib.util.find_spec("test.test_asyncio")
    except ModuleNotFoundError:
        package = None
    if package is None:
        print(
            f"cpython: skipped, {sys.executable} has no 'test' (Pythons built from source have it)"
        )
        return None
    modules = _test_modules(package.submodule_search_locations or [])
    return Suite("cpython", modules, make_environment("cpython", []), with_paths())


def uvloop() -> Suite:
    sources = fetch_sources("uvloop", UVLOOP, ["tests", "uvloop/_testbase.py"])
    # uvloop itself isn't installed, its name stands for rloop.
    python = make_environment("uvloop", ["aiohttp==3.14.5", "psutil==7.2.2", "pyOpenSSL==26.4.0"])
    environment = with_paths(sources, HERE / "stand_in", UVLOOP_SOURCES=str(sources / "uvloop"))
    return Suite("uvloop", _test_modules([str(sources / "tests")]), python, environment)


def _test_modules(path: list[str]) -> list[str]:
    return sorted(m.name for m in pkgutil.iter_modules(path) if m.name.startswith("test_"))
