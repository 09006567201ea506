"""A GIL that is switched on again on a free-threaded build: TokioLoop says by whom, and works."""

import shutil
import subprocess
import sys
import sysconfig
import textwrap
from pathlib import Path

import pytest

from .scripts import ECHO_ONCE, assert_clean, run_script

pytestmark = pytest.mark.skipif(
    "t" not in sys.abiflags, reason="on other builds it is never switched off"
)

# Of the old kind, with one phase of initialisation, which says nothing of a GIL.
MODULE = """
#include <Python.h>
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "needs_gil", NULL, -1};
PyMODINIT_FUNC PyInit_needs_gil(void) { return PyModule_Create(&definition); }
"""

SERVE = (
    """
import asyncio, os, sys, warnings
import rloop
from rloop.workers.crew import current_worker
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    loop = rloop.TokioLoop(workers=2)
assert sys._is_gil_enabled()
told = [str(w.message) for w in caught if "TokioLoop" in str(w.message)]
assert len(told) == 1, told
assert caught[-1].filename == "<string>", caught[-1]
print(told[0])
"""
    + textwrap.dedent(ECHO_ONCE)
    + """
loop.run_until_complete(main())
loop.close()
"""
)


def test_a_module_that_needs_it_is_named(tmp_path: Path) -> None:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    source = tmp_path / "needs_gil.c"
    source.write_text(MODULE)
    library = tmp_path / f"needs_gil{sysconfig.get_config_var('EXT_SUFFIX')}"
    include = f"-I{sysconfig.get_path('include')}"
    subprocess.run([compiler, "-shared", "-fPIC", include, "-o", library, source], check=True)
    script = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\nimport needs_gil\n"
    result = run_script(script + SERVE, python_options=["-W", "ignore"])
    assert_clean(result)
    assert "by the import of needs_gil, which" in result.stdout


def test_an_option_of_python_is_named() -> None:
    result = run_script(SERVE, python_options=["-X", "gil=1"])
    assert_clean(result)
    assert "by PYTHON_GIL=1 or -X gil=1" in result.stdout


def test_a_program_that_wants_one_worker_is_not_warned() -> None:
    script = """
    import rloop
    rloop.TokioLoop(workers=1).close()
    """
    assert_clean(run_script(script, python_options=["-X", "gil=1", "-W", "error"]))
