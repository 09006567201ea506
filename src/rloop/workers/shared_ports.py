"""Datagram endpoints on all workers: with ``reuse_port`` the kernel shares out a port's senders."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

    from .crew import Crew

    Endpoint = tuple[asyncio.DatagramTransport, asyncio.DatagramProtocol]

_HOST_AND_PORT = 2  # of a socket's name


async def open_on_all(
    crew: Crew,
    create: Callable[..., Any],
    protocol_factory: Callable[[], Any],
    options: dict[str, Any],
) -> Endpoint:
    """An endpoint of this worker, and one of each other at the same address.

    They are closed with the first, which alone the caller gets.
    """
    transport, protocol = await create(protocol_factory, **options)
    name = transport.get_extra_info("sockname")
    others: list[asyncio.DatagramTransport] = []
    try:
        options["local_addr"] = name[:_HOST_AND_PORT]  # its port may have been chosen just now
        for worker in crew.others():
            opening = create(protocol_factory, **options)
            others.append((await crew.run_on(worker, opening))[0])
    except BaseException:
        for opened in (transport, *others):
            opened.close()
        raise
    transport._companions = others
    return transport, protocol
