"""Worker classes for gunicorn: ``gunicorn --worker-class rloop.gunicorn.UvicornWorker app:app``.

=================  ===============================================================
``ASGIWorker``     gunicorn's own worker for ASGI, from gunicorn 24 on
``UvicornWorker``  uvicorn's, of the package ``uvicorn-worker``
``AiohttpWorker``  aiohttp's
=================  ===============================================================

Each is the worker of that name on ``RLoop``; with ``Tokio`` before its name, on ``TokioLoop``.
Another worker becomes one of ours by the same mixin: ``class Mine(OnRLoop, Another)``.

A worker's loop, and with it Java, starts when gunicorn has forked it. A program that is loaded
before (``--preload``) must not make a loop while it is imported.
"""

from __future__ import annotations

import importlib
from typing import Any

from . import launch

_WORKERS = {
    "ASGIWorker": ("gunicorn.workers.gasgi", "ASGIWorker", "gunicorn>=24"),
    "UvicornWorker": ("uvicorn_worker", "UvicornWorker", "uvicorn-worker"),
    "AiohttpWorker": ("aiohttp.worker", "GunicornWebWorker", "aiohttp"),
}


class OnRLoop:
    """Makes a worker's loops ``RLoop``s: a mixin to stand before a worker class of gunicorn's."""

    loop_name = "rloop"

    def init_process(self) -> None:
        """Gunicorn calls it in the process that it has forked."""
        launch.use(self.loop_name)
        super().init_process()  # type: ignore[misc]  # the other base's


class OnTokioLoop(OnRLoop):
    """As ``OnRLoop``, on the other loop."""

    loop_name = "tokio"


def __getattr__(name: str) -> Any:
    """Makes a class when it is asked for: nobody has all the packages."""
    plain = name.removeprefix("Tokio")
    if plain not in _WORKERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, worker, package = _WORKERS[plain]
    try:
        base = getattr(importlib.import_module(module), worker)
    except ImportError as error:
        raise ImportError(f"{__name__}.{name} needs {package}: pip install '{package}'") from error
    made = type(name, (OnRLoop if name == plain else OnTokioLoop, base), {"__module__": __name__})
    globals()[name] = made
    return made
