"""What tests of a loop with several workers share."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import pytest

import rloop
from rloop.workers import crew as crews
from rloop.workers.crew import Worker
from tests.conftest import finish, running_loop
from tests.unit.tls.peers import certificates

T = TypeVar("T")

needs_free_threading = pytest.mark.skipif(
    getattr(sys, "_is_gil_enabled", lambda: True)(), reason="workers need a build without a GIL"
)


def crew(loop: asyncio.AbstractEventLoop) -> list[Worker]:
    assert isinstance(loop, rloop.TokioLoop)
    assert loop._crew is not None
    return loop._crew.workers


def here() -> Worker:
    worker = crews.current_worker()
    assert worker is not None
    return worker


def on(worker: Worker, coro: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
    """A task on that worker."""
    return asyncio.get_running_loop().create_task(coro, context=worker.context())


async def call_on(worker: Worker, function: Callable[..., T], *args: Any) -> T:
    async def call() -> T:
        assert here() is worker
        return function(*args)

    return await on(worker, call())


async def until(condition: Callable[[], object]) -> None:
    """Waits until something is so that another worker brings about."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)


class AtHome(asyncio.Protocol):
    """Notes what it is told, and asserts that this is at home and nothing else is under way."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.received = bytearray()
        self.places: list[int] = []  # the workers, one after another
        self._busy = False
        self.transport: Any = None

    def _tell(self, what: str) -> None:
        assert not self._busy, f"{what} came while something else was under way"
        self._busy = True
        worker = here()
        assert not self._below._is_elsewhere(), f"{what} came on {worker}"
        self.told.append(what)
        if not self.places or self.places[-1] != worker.index:
            self.places.append(worker.index)
        self._busy = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self._below = _socket_transport(transport)
        self._tell("made")

    def data_received(self, data: bytes) -> None:
        self._tell("data")
        self.received += data

    def pause_writing(self) -> None:
        self._tell("pause")

    def resume_writing(self) -> None:
        self._tell("resume")

    def eof_received(self) -> None:
        self._tell("end")

    def connection_lost(self, exc: Exception | None) -> None:
        self._tell("lost")


def _socket_transport(transport: Any) -> Any:
    """The one below TLS, if there is TLS."""
    protocol = getattr(transport, "_ssl_protocol", None)
    return transport if protocol is None else protocol._transport


def new_loop(count: int = 3) -> Iterator[rloop.TokioLoop]:
    """Closed after the test."""
    loop = rloop.TokioLoop(workers=count)
    yield loop
    loop.close()


def new_loop_of(request: pytest.FixtureRequest) -> Iterator[rloop.TokioLoop]:
    """With as many workers as the request's parameter, emptied and closed after the test."""
    loop = rloop.TokioLoop(workers=request.param)
    request.node.stash[running_loop] = loop
    yield loop
    if not loop.is_closed():
        finish(loop)
        loop.close()


def others(loop: rloop.TokioLoop) -> list[Worker]:
    """The workers beside the first."""
    return crew(loop)[1:]


def contexts_for(security: str) -> tuple[Any, Any]:
    """The TLS contexts of a server and of a client; of none for "plain"."""
    if security == "plain":
        return None, None
    return certificates().server_context(), certificates().client_context()
