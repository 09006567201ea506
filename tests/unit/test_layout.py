"""What Java assumes of C structures is what a C compiler says of the installed headers."""

import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from rloop.java import jvm

_PROGRAM = """\
#include <Python.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <structmember.h>
#include <sys/socket.h>
#include <sys/un.h>

int main(void) {{
{lines}
    return 0;
}}
"""


@pytest.fixture
def compiler() -> str:
    for name in ("cc", "gcc", "clang"):
        if path := shutil.which(name):
            return path
    pytest.skip("there is no C compiler")


@pytest.fixture
def include_folder() -> str:
    folder = sysconfig.get_path("include")
    if not Path(folder, "Python.h").exists():
        pytest.skip(f"the headers of this Python are not installed: no Python.h in {folder}")
    return folder


def test_layouts_are_those_of_the_headers(
    compiler: str, include_folder: str, tmp_path: Path
) -> None:
    assumed = dict(line.split("\t") for line in jvm.core().assumed_layouts().splitlines())
    assert "offsetof(PyBytesObject, ob_sval)" in assumed
    source = tmp_path / "layouts.c"
    source.write_text(
        _PROGRAM.format(
            lines="\n".join(
                rf'    printf("%s\t%ld\n", "{expression}", (long)({expression}));'
                for expression in assumed
            )
        )
    )
    program = tmp_path / "layouts"
    subprocess.run([compiler, f"-I{include_folder}", "-o", program, source], check=True)
    answer = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    assert assumed == dict(line.split("\t") for line in answer.splitlines())
