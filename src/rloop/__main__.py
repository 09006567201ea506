"""The command line: ``python -m rloop doctor`` and ``python -m rloop cache``."""

from __future__ import annotations

import argparse
import sys

from . import cache, doctor

_COMMANDS = {"doctor": doctor.main, "cache": cache.main}

_parser = argparse.ArgumentParser(
    prog="python -m rloop",
    description="doctor: tells what rloop finds on this machine. "
    "cache: makes the AOT cache now, which the first start would leave to the next ones.",
)
_parser.add_argument("command", choices=_COMMANDS)
sys.exit(_COMMANDS[_parser.parse_args().command]())
