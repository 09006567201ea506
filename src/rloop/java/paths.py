"""Where the package stands on disk."""

from __future__ import annotations

import os

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
"""The folder of ``rloop``."""

PACKAGE_PARENT = os.path.dirname(PACKAGE)
"""What a child process has to add to ``sys.path`` to import it."""

JAR = os.path.join(PACKAGE, "rloop.jar")
"""The Java core."""
