"""The command line: ``python -m rloop doctor``."""

from __future__ import annotations

import argparse
import sys

from . import doctor

_parser = argparse.ArgumentParser(prog="python -m rloop", description=doctor.__doc__)
_parser.add_argument("command", choices=["doctor"], help="tells what rloop finds on this machine")
_parser.parse_args()
sys.exit(doctor.main())
