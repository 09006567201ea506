"""``python -m rloop doctor``: what rloop finds on this machine, for reports and for the curious."""

from __future__ import annotations

import os
import platform
import resource
import select
import ssl
import sys
import time
from collections.abc import Iterator

from . import RLoop, __version__
from .java import java_home, jvm
from .java.aot_cache import AotCache
from .java.paths import JAR

_BYTES_PER_KIB = 1024
_KIB_PER_MIB = 1024


def report() -> Iterator[tuple[str, str]]:
    """What is looked at, and what is found; the last finding may be an error."""
    yield "rloop", f"{__version__}, {JAR}"
    yield "Python", f"{platform.python_implementation()} {sys.version.split()[0]}, {sys.executable}"
    yield "system", f"{platform.platform()}, {platform.machine()}"
    home = java_home.find()
    yield "Java", f"{home.version}, {home.path} (found by {home.found_by})"
    yield "options", " ".join(jvm.options())
    cache = AotCache(home, JAR, jvm.options())
    yield "AOT cache", cache.refusal() or cache.path
    yield "poller", os.environ.get("RLOOP_POLLER") or _usual_poller()
    yield "first loop", _start()
    yield "TLS", _tls()


def main() -> int:
    """Prints the report; 1 if rloop cannot run here."""
    try:
        for subject, finding in report():
            print(f"{subject:<12}{finding}")
    except (ImportError, RuntimeError, ValueError) as error:
        print(f"{'problem':<12}{error}")
        return 1
    return 0


def _usual_poller() -> str:
    return "epoll" if hasattr(select, "epoll") else "poll"


def _tls() -> str:
    from .transports import libssl  # noqa: PLC0415  # needs Java, which the first loop has started

    refusal = libssl.refusal()
    how = "ours" if refusal is None else f"the standard library's ({refusal})"
    return f"{how}, {ssl.OPENSSL_VERSION}"


def _start() -> str:
    before, started = _peak_memory(), time.perf_counter()
    RLoop().close()
    milliseconds = (time.perf_counter() - started) * 1000
    return f"{milliseconds:.0f} ms and {_peak_memory() - before:.0f} MiB"


def _peak_memory() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if sys.platform == "darwin":  # which counts bytes
        peak //= _BYTES_PER_KIB
    return peak / _KIB_PER_MIB
