"""``python -m rloop doctor``: what rloop finds on this machine, for reports and for the curious."""

from __future__ import annotations

import io
import platform
import resource
import select
import ssl
import sys
import time
from collections.abc import Callable, Iterator

from . import RLoop, __version__
from .java import java_home, jvm, settings
from .java.aot_cache import AotCache
from .java.paths import JAR

_BYTES_PER_KIB = 1024
_KIB_PER_MIB = 1024


def report() -> Iterator[tuple[str, str, bool]]:
    """What is looked at, what is found, and whether it is as it should be."""
    told = set()
    for subject, look in _LOOKS.items():
        try:
            yield subject, look(), True
        except (ImportError, OSError, RuntimeError, ValueError) as error:
            problem = f"{type(error).__name__}: {error}"
            yield subject, "the same problem" if problem in told else problem, False
            told.add(problem)


def main() -> int:
    """Prints the report; 1 if rloop cannot run here."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # paths may hold what no text does
    is_well = True
    for subject, finding, is_right in report():
        print(f"{subject:<12}{finding}", flush=True)
        is_well &= is_right
    return not is_well


def _rloop() -> str:
    return f"{__version__}, {JAR}"


def _python() -> str:
    return f"{platform.python_implementation()} {sys.version.split()[0]}, {sys.executable}"


def _system() -> str:
    return f"{platform.platform()}, {platform.machine()}"


def _java() -> str:
    home = java_home.find()
    return f"{home.version}, {home.path} (found by {home.found_by})"


def _options() -> str:
    return " ".join(jvm.options())


def _aot_cache() -> str:
    cache = AotCache(java_home.find(), JAR, jvm.options())
    refusal = cache.refusal()
    hindrance = cache.hindrance() if refusal else ""
    return (
        "; ".join(filter(None, [refusal, hindrance if hindrance != refusal else ""])) or cache.path
    )


def _poller() -> str:
    return settings.poller() or ("epoll" if hasattr(select, "epoll") else "poll")


def _tls() -> str:
    if "rloop._core" not in sys.modules:
        return "not known without a loop"
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


_LOOKS: dict[str, Callable[[], str]] = {
    "rloop": _rloop,
    "Python": _python,
    "system": _system,
    "Java": _java,
    "options": _options,
    "AOT cache": _aot_cache,
    "poller": _poller,
    "first loop": _start,
    "TLS": _tls,
}
