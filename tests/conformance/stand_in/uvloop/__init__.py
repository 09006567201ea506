"""rloop under the name of uvloop, for uvloop's tests and for the programs that they start."""

import os

from rloop import EventLoopPolicy, new_event_loop, run
from rloop import RLoop as Loop

__all__ = ["EventLoopPolicy", "Loop", "new_event_loop", "run"]

__path__.append(os.environ["UVLOOP_SOURCES"])  # for uvloop._testbase
