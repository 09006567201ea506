#!/usr/bin/env python3
"""Compiles rloop's Java code into rloop.jar with nothing but a JDK.

The one builder: `make jar` and the wheel's build hook call it. Maven is for tests and linters,
so that whoever installs from source needs neither Maven nor what it downloads.

The same sources and JDK give the same bytes (the AOT cache is named after them), and entries are
stored, not compressed: the JVM starts a little faster from such a jar.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from find_jdk import MINIMUM_VERSION, BuildError, find_jdk

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "src" / "main" / "java"
PACKAGED_JAR = ROOT / "src" / "rloop" / "rloop.jar"

_JAVAC_OPTIONS = (
    # Not --release, which hides what rloop.ffi uses.
    f"--source={MINIMUM_VERSION}",
    f"--target={MINIMUM_VERSION}",
    "--add-exports=java.base/jdk.internal.access=ALL-UNNAMED",
    "--add-exports=java.base/jdk.internal.foreign.abi=ALL-UNNAMED",
    "--add-exports=java.base/jdk.internal.foreign.abi.aarch64=ALL-UNNAMED",
    "--add-exports=java.base/jdk.internal.foreign.abi.x64=ALL-UNNAMED",
    "--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED",
    "--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED",
    "-encoding",
    "UTF-8",
    "-proc:none",
    "-XDstringConcat=inline",  # no invokedynamic to link at start-up
)

_MANIFEST = """\
Manifest-Version: 1.0
Enable-Native-Access: ALL-UNNAMED

"""

# What the sources use of JSpecify. Linters read the annotations; at run time nothing does, so
# stand-ins are enough to compile.
_JSPECIFY_TARGETS = {"NullMarked": "PACKAGE, TYPE, METHOD, CONSTRUCTOR", "Nullable": "TYPE_USE"}

_OLDEST_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_READABLE_FILE = 0o100644 << 16


def build_jar(destination: Path) -> None:
    """Compiles src/main/java into a jar. Raises BuildError.

    The jar is put in place in one step: a JVM that has the one before it open keeps that.
    """
    with tempfile.TemporaryDirectory(prefix="rloop-jar-") as folder:
        classes = Path(folder, "classes")
        _compile(classes, _write_jspecify(Path(folder, "stand-ins")))
        destination.parent.mkdir(parents=True, exist_ok=True)
        partial = destination.with_suffix(f".{os.getpid()}.partial")
        try:
            _pack(classes, partial)
            partial.replace(destination)
        finally:
            partial.unlink(missing_ok=True)


def _write_jspecify(source_path: Path) -> Path:
    package = source_path / "org" / "jspecify" / "annotations"
    package.mkdir(parents=True)
    for name, targets in _JSPECIFY_TARGETS.items():
        (package / f"{name}.java").write_text(
            "package org.jspecify.annotations;\n"
            "import static java.lang.annotation.ElementType.*;\n"
            f"@java.lang.annotation.Target({{{targets}}})\n"
            f"public @interface {name} {{}}\n",
            encoding="utf-8",
        )
    return source_path


def _compile(classes: Path, stand_ins: Path) -> None:
    javac = find_jdk() / "bin" / "javac"
    command: list[str | Path] = [javac, *_JAVAC_OPTIONS, "-d", classes]
    command += ["-sourcepath", stand_ins, "-implicit:none"]
    command += sorted(SOURCES.rglob("*.java"))
    if subprocess.run(command, check=False).returncode != 0:
        raise BuildError(f"{javac} could not compile {SOURCES}; what it printed says why.")


def _pack(classes: Path, jar: Path) -> None:
    with zipfile.ZipFile(jar, "w", zipfile.ZIP_STORED) as archive:
        _add(archive, "META-INF/MANIFEST.MF", _MANIFEST.encode())
        for path in sorted(classes.rglob("*.class")):
            _add(archive, path.relative_to(classes).as_posix(), path.read_bytes())


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _OLDEST_ZIP_DATE)
    entry.external_attr = _READABLE_FILE
    archive.writestr(entry, content)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Compile rloop.jar.")
    parser.add_argument("destination", type=Path, nargs="?", default=PACKAGED_JAR)
    try:
        build_jar(parser.parse_args().destination)
    except BuildError as problem:
        sys.exit(str(problem))
