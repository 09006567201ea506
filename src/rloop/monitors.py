"""``rloop.monitor`` and ``rloop.flight_recorder``; the rest is imported by who calls them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from .loops.rloop import RLoop

if TYPE_CHECKING:
    from .flight import FlightRecording
    from .metrics.monitoring import Monitor
    from .metrics.slow_calls import SlowCall


def monitor(
    loop: asyncio.AbstractEventLoop | None = None,
    *,
    threshold: float | None = 0.1,
    on_slow: Callable[[SlowCall], object] | None = None,
    resolution: float = 0.01,
) -> Monitor:
    """Measures a loop's callbacks until the monitor's ``close()``, or the end of a ``with``.

    ``loop`` is an ``RLoop`` or ``TokioLoop``, the running one by default. Calls that take
    ``threshold`` seconds or longer are given to ``on_slow``, on the loop's thread and right after
    the call, and logged as warnings of ``rloop.monitor`` if there is no ``on_slow``; ``None``: none
    are. What ``on_slow`` raises goes to the loop's exception handler. ``resolution``, in seconds,
    is how often it is noted how late the loop is.

    To be called on any thread; without ``loop`` where one runs. A loop may have several monitors.
    Raises ``TypeError`` for a loop of another kind, ``ValueError`` for a number that is no length
    of time, and ``RuntimeError`` if the loop is closed, or none is given and none runs here.
    """
    from .metrics.monitoring import Monitor  # noqa: PLC0415  # for who monitors

    if loop is None:
        loop = asyncio.get_running_loop()
    if not isinstance(loop, RLoop):
        raise TypeError(f"only loops of rloop can be monitored, not {loop!r}")
    return Monitor(loop, threshold=threshold, on_slow=on_slow, resolution=resolution)


def flight_recorder(
    path: str | os.PathLike[str],
    *,
    jdk_events: str | None = None,
    settings: Mapping[str, str] | None = None,
) -> FlightRecording:
    """Has Java's Flight Recorder record all loops until ``close()``, or the end of a ``with``.

    The file is written then, or when the program ends; not if that is killed, or ends by
    ``os._exit``. With ``jdk_events``, ``"default"`` or ``"profile"``, what the JDK tells of itself
    is recorded as well. ``settings`` are Flight Recorder's, such as ``{"rloop.SlowCall#threshold":
    "1 ms"}``; it passes over those that it doesn't know.

    To be called on any thread; recordings may overlap. Raises ``OSError`` if the file, or what
    comes before it in the folder for temporary files, can't be written, and ``RuntimeError`` if
    this Java has no Flight Recorder.
    """
    from .flight import FlightRecording  # noqa: PLC0415  # for who records

    return FlightRecording(path, jdk_events=jdk_events, settings=settings)
