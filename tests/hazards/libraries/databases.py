"""Clients of PostgreSQL whose pool all workers share; POSTGRES says where it is."""

import os
from collections.abc import AsyncIterator

from . import front

_POOL = 6  # fewer than there are clients, so that they wait for each other
_QUERY = "SELECT encode(sha256({0}::bytea), 'hex'), length({0}::bytea)"


@front.Program
async def asyncpg_pool() -> AsyncIterator[front.Handle]:
    import asyncpg  # noqa: PLC0415

    async with asyncpg.create_pool(
        os.environ["POSTGRES"], min_size=1, max_size=_POOL, max_inactive_connection_lifetime=0
    ) as pool:

        async def handle(data: bytes) -> str:
            async with pool.acquire() as connection, connection.transaction():
                row = await connection.fetchrow(_QUERY.format("$1"), data)
                rows = await connection.fetch("SELECT generate_series(1, $1)", len(data) % 50)
            assert row[1] == len(data)
            assert [row[0] for row in rows] == list(range(1, len(data) % 50 + 1))
            return str(row[0])

        yield handle


@front.Program
async def psycopg_pool() -> AsyncIterator[front.Handle]:
    from psycopg_pool import AsyncConnectionPool  # noqa: PLC0415

    async with AsyncConnectionPool(
        os.environ["POSTGRES"], min_size=1, max_size=_POOL, open=False
    ) as pool:

        async def handle(data: bytes) -> str:
            async with pool.connection() as connection, connection.cursor() as cursor:
                await cursor.execute(_QUERY.format("%(data)s"), {"data": data})
                row = await cursor.fetchone()
            assert row is not None
            assert row[1] == len(data)
            return str(row[0])

        yield handle
