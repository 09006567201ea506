"""Connections for the tests of transports."""

from collections.abc import Iterator

import pytest

from tests.conftest import Loop
from tests.unit.connections import Connector


@pytest.fixture
def connect(loop: Loop) -> Iterator[Connector]:
    """Makes TCP connections whose near end is a transport of the loop."""
    connector = Connector()
    yield connector
    if not loop.is_closed():
        loop.run_until_complete(connector.end())
