"""Makes the AOT cache: the program that ``AotCache.train_in_background`` starts.

It runs a loop as programs do, a short while, so that Java learns which classes that takes; when
Java ends it writes what it learnt.
"""

from __future__ import annotations

import os
import signal

from . import java_home, jvm
from .aot_cache import AotCache

_LOWEST_PRIORITY = 19
_LIMIT_SECONDS = 120


def main() -> None:
    """Makes the cache that fits what the environment of this process says."""
    os.nice(_LOWEST_PRIORITY)
    signal.alarm(_LIMIT_SECONDS)
    AotCache(java_home.find(), jvm.JAR, jvm.options()).make(_train)
    os._exit(0)  # Java is gone, and what it made should not be met by Python's finalisation


def _train(output: str) -> None:
    vm = jvm.start_training(output)
    vm.destroy()
