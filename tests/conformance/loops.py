"""The loops that the suites run on, and the variables that say so to the processes they run in."""

ASYNCIO: dict[str, str] = {}

# Java's assertions, such as who may use what on which thread, are checked.
_CHECKED = {"RLOOP_JAVA_OPTIONS": "-esa"}

OURS = {
    "rloop": {"CONFORMANCE_LOOP": "RLoop", **_CHECKED},
    "tokio": {"CONFORMANCE_LOOP": "TokioLoop", **_CHECKED},
    # The I/O of every batch is another thread's.
    "lent": {"CONFORMANCE_LOOP": "TokioLoop", "RLOOP_LEND": "always", **_CHECKED},
}
