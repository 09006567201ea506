"""The rules of TLS hold for asyncio, for ours, and for asyncio's TLS over our transports."""

from collections.abc import Iterator

import pytest

from tests.conftest import Loop
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
def _tls(tls_by: str, loop_name: str, loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    if loop_name == "rloop":
        from rloop import libssl  # noqa: PLC0415  # asyncio's tests need no Java

        if tls_by == STDLIB:
            monkeypatch.setattr(libssl, "refusal", lambda: "the test wants it so")
        else:
            assert libssl.refusal() is None


@pytest.fixture
def connect(loop: Loop) -> Iterator[TlsConnector]:
    """Makes TLS connections whose near end is a transport of the loop."""
    connector = TlsConnector()
    yield connector
    if not loop.is_closed():
        loop.run_until_complete(connector.end())
