"""``python -m rloop cache``: makes the AOT cache now, as while a container's image is built."""

from __future__ import annotations

import io
import sys

from .java import jvm
from .java.aot_cache import AotCache
from .java.paths import JAR


def main() -> int:
    """Prints where the cache is; 1 if there is none."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="surrogateescape")  # a path may hold what no text does
    try:
        refusal = _make()
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        refusal = str(error)
    if refusal:
        print(f"no AOT cache was made: {refusal}", file=sys.stderr)
    return bool(refusal)


def _make() -> str:
    """Why there is no cache afterwards, or an empty string."""
    cache = AotCache(jvm.checked_home(), JAR, jvm.options())
    said = cache.train() if cache.refusal() else ""
    if refusal := cache.refusal():
        return "\n".join(filter(None, [refusal, said]))
    print(cache.path)
    return ""
