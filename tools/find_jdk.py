#!/usr/bin/env python3
"""Finds a JDK that can compile rloop's Java code; run as a script, prints where it is.

Python's standard library only: the wheel's build and the Makefile use it before anything is
installed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
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
  - your distribution's package, such as openjdk-{MINIMUM_VERSION}-jdk-headless, or Eclipse Temurin's;
  - python3 -m pip install install-jdk && python3 -c "import jdk; print(jdk.install('{MINIMUM_VERSION}'))"
  - unpack one anywhere and set RLOOP_JDK to its folder.
It is needed for compiling only: the installed package brings its own Java runtime."""


class JdkNotFoundError(Exception):
    """No JDK that is new enough; the message says where it was looked for, and how to get one."""


def find_jdk() -> Path:
    """The home folder of the first usable JDK. RLOOP_JDK, where set, is the only one looked at."""
    tried: dict[Path, str] = {}
    chosen = os.environ.get("RLOOP_JDK")
    candidates = iter([("RLOOP_JDK", Path(chosen))]) if chosen else _candidates()
    for source, home in candidates:
        resolved = home.expanduser().resolve()
        if resolved in tried:
            continue
        flaw = _flaw(resolved)
        if flaw is None:
            return resolved
        tried[resolved] = f"{source}: {resolved}: {flaw}"
    places = "\n".join(f"  - {line}" for line in tried.values()) or "  (no Java at all)"
    raise JdkNotFoundError(
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
    if sys.platform == "darwin":
        yield from _macos_candidates()
    for pattern in _INSTALL_FOLDERS:
        anchor, _, rest = pattern.partition("/*")
        for home in _newest_first(pattern):
            yield f"{anchor}{'/*' if rest or pattern.endswith('*') else ''}", home


def _newest_first(pattern: str) -> list[Path]:
    root = Path(pattern).expanduser()
    return sorted(Path(root.anchor).glob(str(root.relative_to(root.anchor))), reverse=True)


def _macos_candidates() -> Iterator[tuple[str, Path]]:
    command = ["/usr/libexec/java_home", "-v", f"{MINIMUM_VERSION}+"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode == 0:
        yield "java_home", Path(answer.stdout.strip())


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
    except JdkNotFoundError as problem:
        sys.exit(str(problem))
