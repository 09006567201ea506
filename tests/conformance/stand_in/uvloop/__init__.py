"""rloop under the name of uvloop, for uvloop's tests and for the programs that they start."""

import os

import rloop
from rloop import run

Loop = getattr(rloop, os.environ["CONFORMANCE_LOOP"])

if issubclass(Loop, rloop.TokioLoop):
    from rloop import TokioEventLoopPolicy as EventLoopPolicy
    from rloop import new_tokio_event_loop as new_event_loop
else:
    from rloop import EventLoopPolicy, new_event_loop

__all__ = ["EventLoopPolicy", "Loop", "new_event_loop", "run"]

__path__.append(os.environ["UVLOOP_SOURCES"])  # for uvloop._testbase
