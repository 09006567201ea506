"""Compiles the Java core when a wheel is built, or an editable install made."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class JarBuildHook(BuildHookInterface[BuilderConfig]):
    """Puts rloop.jar beside the Python files; `artifacts` in pyproject.toml takes it along."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before it collects the files."""
        del version, build_data
        sys.path.insert(0, str(Path(self.root, "tools")))
        from build_jar import PACKAGED_JAR, build_jar  # noqa: PLC0415
        from find_jdk import BuildError  # noqa: PLC0415

        try:
            build_jar(PACKAGED_JAR)
        except BuildError as problem:
            sys.exit(f"\n{problem}\n")  # a message to read, where a traceback would bury it
