"""Fetches what a suite needs into the build folder: its sources, and a virtual environment."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "conformance"
HERE = Path(__file__).parent
WHEELS = ROOT / "dist"


def fetch_sources(project: str, version: str, parts: list[str]) -> Path:
    """The folder with those files and folders of the project's source distribution."""
    folder = BUILD / f"{project}-{version}"
    made = folder / ".made"
    wanted = "\n".join(parts)
    if made.exists() and made.read_text() == wanted:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD) as scratch:
        _pip(
            *(sys.executable, "download", f"{project}=={version}", "--no-deps"),
            *(f"--no-binary={project}", f"--dest={scratch}"),
        )
        [archive] = Path(scratch).glob("*.tar.gz")
        with tarfile.open(archive) as members:
            for member in members:
                name = member.name.partition("/")[2]
                if any(name == part or name.startswith(f"{part}/") for part in parts):
                    members.extract(member, scratch, filter="data")
        Path(scratch, f"{project}-{version}").rename(folder)
    made.write_text(wanted)
    return folder


def make_environment(suite: str, requires: list[str]) -> Path:
    """The Python of a virtual environment with these packages, and with rloop's wheel."""
    folder = BUILD / f"venv-{suite}-{sysconfig.get_config_var('SOABI')}"
    python, made = folder / "bin" / "python", folder / ".made"
    wheel = str(the_wheel())
    wanted = "\n".join(requires)
    if not made.exists() or made.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        _pip(python, "install", *requires, wheel)
        made.write_text(wanted)
    # Builds under development share one version.
    _pip(python, "install", "--no-deps", "--force-reinstall", wheel)
    return python


def the_wheel() -> Path:
    """What `make wheel` has built."""
    wheels = list(WHEELS.glob("rloop-*.whl"))
    if len(wheels) != 1:
        raise SystemExit(
            f"expected one wheel of rloop in {WHEELS}, found {len(wheels)}: make wheel"
        )
    return wheels[0]


def _pip(python: Path | str, *arguments: str) -> None:
    quiet = ("--quiet", "--disable-pip-version-check")
    command, *rest = arguments
    subprocess.run([python, "-m", "pip", command, *quiet, *rest], check=True)


def with_paths(*folders: Path, **variables: str) -> Mapping[str, str]:
    """This process's environment with these folders, and the one of this package, as PYTHONPATH."""
    path = os.pathsep.join(map(str, (*folders, HERE.parent)))
    return {**os.environ, "PYTHONPATH": path, **variables}
