"""Clients' connections of a loop with several workers: they follow who writes to them."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import rloop
from tests.unit.workers import (
    AtHome,
    call_on,
    contexts_for,
    crew,
    here,
    needs_free_threading,
    new_loop,
    on,
    until,
)

pytestmark = needs_free_threading

MUCH = 8 * 1024 * 1024


@pytest.fixture
def loop() -> Iterator[rloop.TokioLoop]:
    yield from new_loop()


@pytest.fixture(params=["plain", "tls"])
def security(request: pytest.FixtureRequest) -> tuple[Any, Any]:
    return contexts_for(request.param)


class Following(AtHome):
    """A client's, which follows its users."""


@contextlib.asynccontextmanager
async def followed(contexts: tuple[Any, Any]) -> AsyncIterator[tuple[Following, AtHome]]:
    """A connection that is made on the first worker, and the protocol of its server."""
    loop = asyncio.get_running_loop()
    accepted = AtHome()
    server = await loop.create_server(lambda: accepted, "127.0.0.1", 0, ssl=contexts[0])
    port = server.sockets[0].getsockname()[1]
    name = "localhost" if contexts[1] else None
    _, client = await loop.create_connection(
        Following, "127.0.0.1", port, ssl=contexts[1], server_hostname=name
    )
    await until(lambda: accepted.places)
    yield client, accepted
    client.transport.close()
    await until(lambda: accepted.told[-1] == client.told[-1] == "lost")
    server.close()


def test_an_outgoing_connection_is_read_by_whoever_has_written_to_it(
    loop: rloop.TokioLoop, security: tuple[Any, Any]
) -> None:
    async def main() -> None:
        async with followed(security) as (client, server):
            expected = [0]
            for turn in range(20):
                worker = crew(loop)[turn % 3]
                before = len(client.received)
                await call_on(worker, client.transport.write, b"question")
                server.transport.write(b"answer")
                await until(lambda before=before: len(client.received) == before + 6)  # type: ignore[misc]
                if expected[-1] != worker.index:
                    expected.append(worker.index)
            assert client.places == expected
            assert server.received == b"question" * 20
            assert len(server.places) == 1  # what was accepted stays

    loop.run_until_complete(main())


def test_nothing_is_delivered_between_a_write_and_the_suspension_of_its_task(
    loop: rloop.TokioLoop, security: tuple[Any, Any]
) -> None:
    async def main() -> None:
        async with followed(security) as (client, server):

            async def write_and_wait() -> None:
                client.transport.write(b"question")
                server.transport.write(b"x" * 100_000)
                told, received = len(client.told), len(client.received)
                time.sleep(0.02)  # what would come has time to
                assert (len(client.told), len(client.received)) == (told, received)

            for turn in range(6):
                await on(crew(loop)[turn % 3], write_and_wait())
                await until(lambda turn=turn: len(client.received) == (turn + 1) * 100_000)  # type: ignore[misc]

    loop.run_until_complete(main())


def test_what_was_undelivered_and_scheduled_moves_in_order(loop: rloop.TokioLoop) -> None:
    async def main() -> None:
        async with followed((None, None)) as (client, server):
            order: list[int] = []
            context = client.transport._given_context
            home, other = crew(loop)[:2]
            cancelled = loop.call_soon(order.append, -1, context=context)
            for i in range(100):
                loop.call_soon(order.append, i, context=context)
            loop.call_later(0.02, lambda: order.append(here().index), context=context)
            client.transport.pause_reading()
            server.transport.write(b"data")
            wrote = on(other, _write(client.transport))
            cancelled.cancel()
            time.sleep(0.01)  # the other one writes while this call runs
            await wrote
            await until(lambda: len(order) == 101)
            assert order == [*range(100), other.index]
            assert not client.received
            client.transport.resume_reading()
            await until(lambda: client.received == b"data")
            assert client.places == [home.index, other.index]

    loop.run_until_complete(main())


async def _write(transport: asyncio.WriteTransport) -> None:
    transport.write(b"question")


def test_a_connection_that_moved_is_lost_where_it_is_at_home(
    loop: rloop.TokioLoop, security: tuple[Any, Any]
) -> None:
    async def main() -> None:
        async with followed(security) as (client, server):
            await call_on(crew(loop)[2], client.transport.write, b"last words")
            await until(lambda: server.received == b"last words")
            server.transport.close()
            await until(lambda: "lost" in client.told)
            assert client.places == [0, 2]

    loop.run_until_complete(main())


def test_much_that_is_written_to_a_connection_that_moves_is_paused_where_it_is(
    loop: rloop.TokioLoop, security: tuple[Any, Any]
) -> None:
    async def main() -> None:
        async with followed(security) as (client, server):
            server.transport.pause_reading()
            await call_on(crew(loop)[1], client.transport.write, bytes(MUCH))
            await until(lambda: "pause" in client.told)
            server.transport.resume_reading()
            await until(lambda: "resume" in client.told and len(server.received) == MUCH)

    loop.run_until_complete(main())
