"""Loops of ours alone, for tests of what asyncio's don't have."""

from collections.abc import Iterator

import pytest

from rloop import RLoop, TokioLoop
from tests.conftest import finish

KINDS = ("rloop", "tokio", "tokio that lends always")


def make(kind: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[RLoop]:
    """A new loop, emptied and closed afterwards."""
    monkeypatch.setenv("RLOOP_WORKERS", "1")  # what several have is tested where they are
    monkeypatch.setenv("RLOOP_LEND", "always" if kind.endswith("always") else "busy")
    loop = RLoop() if kind == "rloop" else TokioLoop()
    yield loop
    if not loop.is_closed():
        finish(loop)
        loop.close()
