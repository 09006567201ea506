"""What all tests share: the loops they run on, coroutine tests, and a look at what was logged.

Every test of a loop runs on asyncio's own loop as well as on ours. So each rule is checked against
the behaviour that it describes: a test that fails on asyncio is a wrong test.
"""

import asyncio
import gc
import importlib
import inspect
import logging
import os
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.conformance.loops import CLASSES, JAVA_OPTIONS, SETTINGS, WITHOUT_GIL
from tests.not_with_workers import NOT_WITH_WORKERS

Loop = asyncio.SelectorEventLoop
LoopFactory = Callable[[], Loop]

OURS = CLASSES

LOOPS = ("asyncio", *OURS)

HAS_GIL = getattr(sys, "_is_gil_enabled", lambda: True)()

DEFAULT_LOOPS = ["asyncio", "rloop", "tokio", "lent", *([] if HAS_GIL else WITHOUT_GIL)]

os.environ["RLOOP_JAVA_OPTIONS"] = " ".join(
    filter(None, [JAVA_OPTIONS, os.environ.get("RLOOP_JAVA_OPTIONS")])
)

running_loop = pytest.StashKey[Loop]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--loops",
        default=",".join(DEFAULT_LOOPS),
        help="comma-separated loops to run the tests on (default: %(default)s)",
    )
    parser.addoption(
        "--tls-cases",
        default=200,
        help="how many spoiled TLS connections are tried on each loop (default: %(default)s)",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips what can't be so where several threads run Python."""
    for item in items:
        callspec = getattr(item, "callspec", None)
        if callspec is not None and callspec.params.get("loop_name") in WITHOUT_GIL:
            reason = NOT_WITH_WORKERS.get(getattr(item, "originalname", ""))
            if reason is not None:
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "loop_name" in metafunc.fixturenames:
        chosen = str(metafunc.config.getoption("--loops")).split(",")
        unknown = set(chosen) - set(LOOPS)
        if unknown:
            raise pytest.UsageError(f"--loops takes {', '.join(LOOPS)}, not {', '.join(unknown)}")
        metafunc.parametrize("loop_name", chosen)


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs a test that is a coroutine function on the loop of its `loop` fixture."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    # A fixture tells its name here, because a test may use the loop only by way of another fixture.
    loop = pyfuncitem.stash[running_loop]
    names = inspect.signature(pyfuncitem.obj).parameters
    loop.run_until_complete(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True


@pytest.fixture
def loop_factory(loop_name: str, monkeypatch: pytest.MonkeyPatch) -> LoopFactory:
    """Makes loops of the kind that the test runs on."""
    if loop_name == "asyncio":
        return asyncio.SelectorEventLoop
    for variable, value in SETTINGS.get(loop_name, {}).items():
        monkeypatch.setenv(variable, value)
    # Imported late, so that the tests can be tried on asyncio where there is no JVM.
    factory: LoopFactory = getattr(importlib.import_module("rloop"), OURS[loop_name])
    return factory


@pytest.fixture
def loop(loop_factory: LoopFactory, request: pytest.FixtureRequest) -> Iterator[Loop]:
    """A new loop, emptied and closed after the test."""
    loop = loop_factory()
    request.node.stash[running_loop] = loop
    yield loop
    if not loop.is_closed():
        finish(loop)
        loop.close()


def finish(loop: Loop) -> None:
    """Ends what still runs on the loop, as `asyncio.run` does."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())


def forget(objects: list[object]) -> None:
    """Drops the last references to the objects."""
    objects.clear()
    gc.collect()


def run_one_iteration(loop: Loop) -> None:
    """Runs what is ready, polls once, and comes back."""
    loop.stop()
    loop.run_forever()


@pytest.fixture(autouse=True)
def _nothing_logged_unseen(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fails a test that left an error in asyncio's log: loops report there what nobody caught.

    A test that expects such a report takes it from `caplog` and calls `caplog.clear()`.
    """
    yield
    unseen = [
        record.getMessage()
        for record in caplog.get_records("call")
        if record.name == "asyncio" and record.levelno >= logging.ERROR
    ]
    assert not unseen
