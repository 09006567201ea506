"""Where the package stands on disk, and how other processes come to it."""

from __future__ import annotations

import os
import sys

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
"""The folder of ``rloop``."""

JAR = os.path.join(PACKAGE, "rloop.jar")
"""The Java core."""

# Another rloop may come first on the path of a child. The folder goes to the end of that, so that
# nothing in it hides the standard library.
_IMPORT_THIS_PACKAGE = """
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
spec = PathFinder.find_spec("rloop", sys.argv[1:2])
sys.modules["rloop"] = module_from_spec(spec)
sys.path.append(sys.argv[1])
spec.loader.exec_module(sys.modules["rloop"])
"""


def command(code: str, *arguments: str) -> list[str]:
    """How to run code of this very package in a process of its own.

    Its ``sys.argv`` has the arguments from the third place on.
    """
    program = _IMPORT_THIS_PACKAGE + code
    return [sys.executable, "-P", "-c", program, os.path.dirname(PACKAGE), *arguments]
