"""rloop under the name of uvloop, for uvloop's tests and for the programs that they start."""

import os
from typing import Any

import rloop
from rloop import run

_NAMES = {
    "RLoop": ("EventLoopPolicy", "new_event_loop"),
    "TokioLoop": ("TokioEventLoopPolicy", "new_tokio_event_loop"),
}
_name = os.environ["CONFORMANCE_LOOP"]

Loop: Any
EventLoopPolicy: Any
new_event_loop: Any
Loop, EventLoopPolicy, new_event_loop = (getattr(rloop, name) for name in (_name, *_NAMES[_name]))

__all__ = ["EventLoopPolicy", "Loop", "new_event_loop", "run"]

__path__.append(os.environ["UVLOOP_SOURCES"])  # for uvloop._testbase
