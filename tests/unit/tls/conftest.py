"""The rules of TLS hold for asyncio, for ours, and for asyncio's TLS over our transports."""

import gc
import importlib
import os
import weakref
from asyncio import sslproto
from collections.abc import Iterator
from glob import glob
from typing import Any

import pytest

from tests.conftest import OURS, Loop, LoopFactory
from tests.unit.tls.peers import TlsConnector

NATIVE = "native"
STDLIB = "stdlib"

CASES_A_TEST = 500


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "tls_by" in metafunc.fixturenames:
        metafunc.parametrize("tls_by", [NATIVE, STDLIB])
    if "cases" in metafunc.fixturenames:
        count = int(metafunc.config.getoption("--tls-cases"))
        starts = range(0, count, CASES_A_TEST)
        metafunc.parametrize(
            "cases", [range(start, min(start + CASES_A_TEST, count)) for start in starts], ids=str
        )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """asyncio has no choice of its own."""
    items[:] = [item for item in items if not _is_asyncio_twice(item)]


def _is_asyncio_twice(item: pytest.Item) -> bool:
    params = getattr(getattr(item, "callspec", None), "params", {})
    return params.get("loop_name") == "asyncio" and params.get("tls_by") == STDLIB


@pytest.fixture(autouse=True)
def nothing_is_left(
    monkeypatch: pytest.MonkeyPatch, loop_name: str, loop_factory: LoopFactory
) -> Iterator[None]:
    """However a test's connections end: no descriptor of theirs is open, and no transport alive.

    Set up before the loop, so that it looks when the loop is closed.
    """
    made = weakref.WeakSet[sslproto.SSLProtocol]()
    loop_factory().close()  # which starts Java, that may have a socket
    note_instances(sslproto.SSLProtocol, made, monkeypatch)
    if loop_name in OURS:
        note_instances(
            importlib.import_module("rloop.transports.tls").SSLProtocol, made, monkeypatch
        )
    before = _sockets()
    yield
    for _ in range(3):  # finalisers leave garbage of their own
        if made or _sockets() > before:
            gc.collect()
    assert not list(made)
    assert _sockets() <= before


def note_instances(
    protocol: type[sslproto.SSLProtocol],
    made: weakref.WeakSet[sslproto.SSLProtocol],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make = protocol.__init__

    def note(self: sslproto.SSLProtocol, *arguments: Any, **options: Any) -> None:
        made.add(self)
        make(self, *arguments, **options)

    monkeypatch.setattr(protocol, "__init__", note)


def _sockets() -> int:
    """How many are open, where the system tells."""
    return sum(os.path.realpath(link).find("socket:") >= 0 for link in glob("/proc/self/fd/*"))


@pytest.fixture(autouse=True)
def _tls(
    nothing_is_left: None,
    tls_by: str,
    loop_name: str,
    loop: Loop,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if loop_name in OURS:
        from rloop.transports import libssl, tls  # noqa: PLC0415  # asyncio's tests need no Java

        if tls_by == STDLIB:
            monkeypatch.setattr(libssl, "refusal", lambda: "the test wants it so")
            monkeypatch.delattr(tls, "SSLProtocol")  # whoever used it would notice
        else:
            assert libssl.refusal() is None


@pytest.fixture
def connect(loop: Loop) -> Iterator[TlsConnector]:
    """Makes TLS connections whose near end is a transport of the loop."""
    connector = TlsConnector()
    yield connector
    if not loop.is_closed():
        loop.run_until_complete(connector.end())
