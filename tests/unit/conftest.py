"""Connections for the tests of transports, and a guard against hanging."""

import signal
import socket
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

import pytest

from tests.conftest import Loop
from tests.unit.connections import Connector

# Longer than any test takes on a busy machine, shorter than the patience of who waits for it.
HANGS_AFTER_SECONDS = 40


@pytest.fixture
def connect(loop: Loop) -> Iterator[Connector]:
    """Makes TCP connections whose near end is a transport of the loop."""
    connector = Connector()
    yield connector
    if not loop.is_closed():
        loop.run_until_complete(connector.end())


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected sockets that do not block."""
    ours, peer = socket.socketpair()
    with ours, peer:
        ours.setblocking(False)
        peer.setblocking(False)
        yield ours, peer


class TestHangs(SystemExit):
    """A SystemExit, since the loops let that one through, and pytest reports it as a failure."""

    __test__ = False


@pytest.fixture(autouse=True)
def _not_hanging() -> Iterator[None]:
    def give_up(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise TestHangs(f"the test was still running after {HANGS_AFTER_SECONDS} s")

    previous = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(HANGS_AFTER_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)
