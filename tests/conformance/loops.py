"""Our loops as tests name them: their classes, and the variables that say how they do their I/O."""

CLASSES = {
    "rloop": "RLoop",
    "tokio": "TokioLoop",
    "lent": "TokioLoop",
    "lent3": "TokioLoop",
    "workers2": "TokioLoop",
}

# Several threads run Python only where there is no GIL.
WITHOUT_GIL = ["workers2"]

# Some have the I/O of every batch done by another thread, or by several; some have several threads
# that run Python, where there is no GIL.
SETTINGS = {
    "tokio": {"RLOOP_WORKERS": "1"},
    "lent": {"RLOOP_WORKERS": "1", "RLOOP_LEND": "always", "RLOOP_IO_THREADS": "1"},
    "lent3": {"RLOOP_WORKERS": "1", "RLOOP_LEND": "always", "RLOOP_IO_THREADS": "3"},
    "workers2": {"RLOOP_WORKERS": "2"},
}

ASYNCIO: dict[str, str] = {}


def loops_of(is_free_threaded: bool) -> list[str]:
    """The loops that differ on such a build."""
    return [name for name in CLASSES if is_free_threaded or name not in WITHOUT_GIL]


# Assertions, such as who may use what on which thread, are checked. Of what the heap holds after a
# collection all lives; else three collections of four leave gaps unfilled, which count as held.
JAVA_OPTIONS = "-esa -XX:MarkSweepAlwaysCompactCount=1"

# For the processes that suites run in.
OURS = {
    name: {
        "CONFORMANCE_NAME": name,
        "CONFORMANCE_LOOP": cls,
        "RLOOP_JAVA_OPTIONS": JAVA_OPTIONS,
        **SETTINGS.get(name, {}),
    }
    for name, cls in CLASSES.items()
}
