"""Runs the tests on every CPython there is, all with the same wheel: `python -m tests.matrix`.

MATRIX_PYTHONS names the interpreters, by path or by name on PATH; without it each one is tried that
rloop is for. It ends with a table, and with the names that were not found.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from .conformance.environments import ROOT, the_wheel
from .conformance.loops import loops_of
from .conformance.processes import heed_interrupts

NAMES = ["3.11", "3.12", "3.13", "3.13t", "3.14", "3.14t", "3.15", "3.15t"]

# More than the tests do on their own: minutes of misuse, a million messages, 10,000 connections of
# each kind, a million operations of each primitive, a
# minute of each library.
LONGER = {
    "MISUSE_SECONDS": "60",
    "TRAFFIC_TIMES": "100",
    "LEAK_CONNECTIONS": "10000",
    "WORKERS_TIMES": "100",
    "PRIMITIVE_OPERATIONS": "1000000",
    "LIBRARIES_SECONDS": "60",
}

PARTS = {
    "unit": ["pytest", "-q", "--loops=asyncio,{loops}", "tests/unit"],
    "hazards": ["pytest", "-q", "--loops=asyncio,{loops}", "tests/hazards"],
    "cpython": ["tests.conformance", "--loops={loops}", "cpython"],
    "uvloop": ["tests.conformance", "--loops={loops}", "uvloop"],
}

BUILD = ROOT / "build" / "matrix"


def main() -> int:
    heed_interrupts()
    for variable, value in LONGER.items():
        os.environ.setdefault(variable, value)
    chosen = os.environ.get("MATRIX_PYTHONS", "").split()
    wanted = {name: shutil.which(name) for name in chosen or (f"python{n}" for n in NAMES)}
    found = {name: path for name, path in wanted.items() if path and works(path)}
    table = []
    bad = 0
    for path in found.values():
        python = make_environment(path)
        loops = ",".join(loops_of(is_free_threaded=name_of(path).endswith("t")))
        for part, arguments in PARTS.items():
            began = time.monotonic()
            print(f"\n==== {name_of(path)}: {part}", flush=True)
            given = [argument.format(loops=loops) for argument in arguments]
            code, last = run([python, "-m", *given])
            bad += code != 0
            verdict = "ok" if code == 0 else "FAILED"
            seconds = time.monotonic() - began
            table.append(f"{name_of(path):10} {part:8} {verdict:7} {seconds:6.0f} s  {last}")
    print("", *table, sep="\n")
    missing = [name for name in wanted if name not in found]
    print(f"not found: {', '.join(missing) or 'none'}")
    return 1 if bad or not found or (chosen and missing) else 0


def works(path: str) -> bool:
    """A version manager puts names on PATH behind which there may be nothing."""
    return subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0


def name_of(path: str) -> str:
    """The version, with a t for a free-threaded build."""
    script = (
        "import sys, sysconfig\n"
        "is_free_threaded = sysconfig.get_config_var('Py_GIL_DISABLED')\n"
        "print(sys.version.split()[0] + ('t' if is_free_threaded else ''))"
    )
    return subprocess.check_output([path, "-c", script], text=True).strip()


def make_environment(path: str) -> Path:
    """A virtual environment with the wheel and what the tests import; returns its Python."""
    folder = BUILD / name_of(path)
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([path, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--upgrade", "pip"], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    wheel = str(the_wheel())
    group = f"{ROOT / 'pyproject.toml'}:test"  # what the tests import
    subprocess.run([*install, "--group", group, wheel], check=True)
    subprocess.run([*install, "--no-deps", "--force-reinstall", wheel], check=True)
    return python


def run(command: list[str | Path]) -> tuple[int, str]:
    """Runs it with its output shown; returns its exit code and the line that counts the tests."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    last = ""
    for line in process.stdout or ():
        print(line, end="", flush=True)
        if re.search(r"\d passed|\d failed|\d error", line):
            last = " ".join(line.strip("= \n").split())
    return process.wait(), last


if __name__ == "__main__":
    sys.exit(main())
