"""Compiles the C programs: the load generator, and the echo server that is the floor."""

import shutil
import subprocess
from pathlib import Path

from harness.failure import CellFailed
from harness.places import BENCH, BUILD

SOURCES = BENCH / "load"
FLAGS = ["-std=gnu11", "-O2", "-Wall", "-Wextra"]
COMPILERS = ["cc", "gcc", "clang"]


class CompileError(CellFailed):
    """No compiler, or one that refused the source."""


def find_compiler() -> str:
    for name in COMPILERS:
        if path := shutil.which(name):
            return path
    raise CompileError(
        f"The load generator is a small C program, and no C compiler was found: looked for "
        f"{', '.join(COMPILERS)} on PATH. Install one, for example by `apt install gcc libc6-dev`, "
        f"`dnf install gcc` or `apk add gcc musl-dev`."
    )


def compile_program(name: str, *, tls: bool = False) -> Path:
    """The program made of `load/NAME.c`, compiled now unless it is newer than every source.

    With TLS it needs OpenSSL's headers, which not everybody has who has a compiler.
    """
    program = BUILD / "programs" / (f"{name}-tls" if tls else name)
    newest = max(source.stat().st_mtime for source in SOURCES.iterdir())
    if program.exists() and program.stat().st_mtime > newest:
        return program
    program.parent.mkdir(parents=True, exist_ok=True)
    command = [find_compiler(), *FLAGS, "-o", str(program), str(SOURCES / f"{name}.c")]
    if tls:
        command += ["-DWITH_TLS", "-lssl", "-lcrypto"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CompileError(f"{' '.join(command)} failed:\n{done.stderr}")
    return program
