"""A plugin of pytest's with one fixture: ``pytest_plugins = ["rloop.testing.plugin"]``."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import pytest

from .virtual_clock import VirtualClock


@pytest.fixture
def virtual_clock(request: pytest.FixtureRequest) -> VirtualClock:
    """The clock of the loop that the test runs on, from the test's first step to its last.

    For tests that are coroutine functions, whatever plugin runs them. In others it is a clock that
    nobody uses yet: ``with virtual_clock: ...`` in what they run.
    """
    clock = VirtualClock()
    node: Any = request.node
    test = node.obj
    if inspect.iscoroutinefunction(test):

        @functools.wraps(test)
        async def test_by_the_clock(*args: Any, **kwargs: Any) -> Any:
            with clock:
                return await test(*args, **kwargs)

        node.obj = test_by_the_clock
    return clock
