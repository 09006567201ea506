"""An asyncio event loop with a Java core.

Importing this package does not start Java; the first loop does.
"""

from .errors import JavaNotFoundError, JavaStartError, SettingError

try:
    from .java import modules as _modules
    from .loops.rloop import RLoop
    from .loops.tokio import TokioLoop
    from .monitors import flight_recorder, monitor
    from .policy import EventLoopPolicy, TokioEventLoopPolicy, install
    from .runners import new_event_loop, new_tokio_event_loop, run
    from .workers.local import WorkerLocal
    from .workers.placing import current_worker
except ImportError as error:
    if "_ctypes" in str(error):
        raise ImportError(
            "rloop needs the module ctypes, which this Python was built without: install the "
            "headers of libffi (libffi-dev, libffi-devel) and build Python again"
        ) from error
    if "subinterpreter" not in str(error):
        raise
    # One with a GIL of its own, which not every module of the standard library can be loaded in.
    raise ImportError(f"rloop runs in the main interpreter only: {error}") from error

__all__ = [
    "EventLoopPolicy",
    "JavaNotFoundError",
    "JavaStartError",
    "RLoop",
    "SettingError",
    "TokioEventLoopPolicy",
    "TokioLoop",
    "WorkerLocal",
    "current_worker",
    "flight_recorder",
    "install",
    "monitor",
    "new_event_loop",
    "new_tokio_event_loop",
    "run",
]

__version__ = "0.1.0"

_modules.restore()  # an import after Java's start gets what there was then
