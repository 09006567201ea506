"""A virtual environment for each loop, because the Rust rloop and this one share a module name.

Made by name from the package index, under build/bench; nothing is done when all is there already.
"""

import hashlib
import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from harness.failure import tail
from harness.places import BUILD, CHECKOUT

SERVERS = ["uvicorn==0.54.0", "httptools==0.9.0", "aiohttp==3.14.5"]
# Where a loop comes from, and the first Python that it supports.
PEERS: dict[str, tuple[list[str], tuple[int, int]]] = {
    "asyncio": (["uvloop==0.23.0"], (3, 8)),
    "uvloop": (["uvloop==0.23.0"], (3, 8)),
    "rloop-rust": (["rloop==0.5.0"], (3, 8)),
    "zuvloop": (["zuvloop==0.0.17"], (3, 14)),
    "aiofastnet": (["uvloop==0.23.0", "aiofastnet==1.2.0"], (3, 9)),
}
OURS = "rloop"
TOKIO = "tokio"  # the TokioLoop of the same package
WITH_AIOFASTNET = "rloop+aiofastnet"
# This checkout's, and what is installed beside it.
CHECKOUTS: dict[str, list[str]] = {OURS: [], TOKIO: [], WITH_AIOFASTNET: ["aiofastnet==1.2.0"]}
# Whatever of these changes makes another wheel.
WHEEL_SOURCES = ["pyproject.toml", "hatch_build.py", "src", "tools"]
NOT_SOURCES = {"__pycache__", "rloop.jar"}
REPORT_VERSIONS = """
import importlib.metadata, json, platform, sys
found = {d.metadata["Name"].lower(): d.version for d in importlib.metadata.distributions()}
found["python"] = f"{platform.python_implementation()} {sys.version.split()[0]}"
print(json.dumps(found))
"""


class Unavailable(Exception):
    """An event loop that cannot be had here, and why."""


@dataclass(frozen=True)
class Interpreter:
    path: str

    @cached_property
    def version(self) -> tuple[int, int]:
        major, minor = run([self.path, "-c", "import sys; print(*sys.version_info[:2])"]).split()
        return int(major), int(minor)

    @property
    def is_free_threaded(self) -> bool:
        """Whether it may run without a GIL."""
        return "t-" in self.tag

    @cached_property
    def tag(self) -> str:
        return run(
            [self.path, "-c", "import sysconfig; print(sysconfig.get_config_var('SOABI'))"]
        ).strip()


@dataclass(frozen=True)
class Environment:
    folder: Path

    @property
    def python(self) -> str:
        return str(self.folder / "bin" / "python")

    def versions(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(run([self.python, "-c", REPORT_VERSIONS]))
        return found


def run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Unavailable(f"{command[0]}: {error.strerror}") from None
    if done.returncode != 0:
        raise Unavailable(f"{' '.join(command)}\n{tail(done.stderr or done.stdout)}")
    return done.stdout


def prepare(
    loop: str, interpreter: Interpreter, wheel: Path | None, say: Callable[[str], None]
) -> Environment:
    """Returns the environment of `loop`, made or brought up to date where it has to be."""
    if loop in CHECKOUTS:
        wheel = wheel or build_wheel(interpreter, say)
        requirements = [str(wheel), *CHECKOUTS[loop]]
        identity = hashlib.sha256(wheel.read_bytes()).hexdigest()
        folder = environment_folder(interpreter, OURS if loop == TOKIO else loop)
    else:
        requirements, first = PEERS[loop]
        if interpreter.version < first:
            raise Unavailable(f"{loop} is for Python {first[0]}.{first[1]} and later")
        identity = ""
        folder = environment_folder(interpreter, "uvloop" if loop == "asyncio" else loop)
    install(folder, interpreter, [*requirements, *SERVERS], identity, say)
    return Environment(folder)


def environment_folder(interpreter: Interpreter, name: str) -> Path:
    return BUILD / "environments" / interpreter.tag / name


def install(
    folder: Path,
    interpreter: Interpreter,
    requirements: list[str],
    identity: str,
    say: Callable[[str], None],
) -> None:
    stamp = folder / "installed.json"
    wanted = {"python": interpreter.path, "requirements": requirements, "identity": identity}
    found = json.loads(stamp.read_text()) if stamp.exists() else {}
    if found == wanted:
        return
    say(f"installing {requirements[0].rpartition('/')[2]} into {folder.relative_to(CHECKOUT)}")
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    if found == {**wanted, "identity": found.get("identity")}:
        # Another wheel of the same name: pip would think that it is there already.
        run([*pip, "install", "--force-reinstall", "--no-deps", requirements[0]])
    else:
        run([interpreter.path, "-m", "venv", "--clear", str(folder)])
    run([*pip, "install", "--only-binary=:all:", *requirements])
    stamp.write_text(json.dumps(wanted))


def build_wheel(interpreter: Interpreter, say: Callable[[str], None]) -> Path:
    """The wheel of this checkout as it is now."""
    folder = BUILD / "wheel"
    built = next(folder.glob("rloop-*.whl"), None)
    if built is not None and built.stat().st_mtime > newest_source():
        return built
    say("building the wheel of this checkout")
    for old in folder.glob("*.whl"):
        old.unlink()
    pip = [interpreter.path, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    run([*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(CHECKOUT)])
    return next(folder.glob("rloop-*.whl"))


def newest_source() -> float:
    times = []
    for name in WHEEL_SOURCES:
        top = CHECKOUT / name
        files = [top] if top.is_file() else top.rglob("*")
        times += [
            file.stat().st_mtime
            for file in files
            if file.is_file() and not NOT_SOURCES.intersection(file.parts)
        ]
    return max(times)
