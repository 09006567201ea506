"""`create_connection` over several addresses, and given up halfway: nothing stays open."""

import asyncio
import os
import socket
import ssl
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from tests.conftest import Loop
from tests.unit.connections import Recorder, turns, until

Address = tuple[str, int]

DELAY = 0.05  # seconds


@contextmanager
def listening(host: str = "127.0.0.1") -> Iterator[Address]:
    """A server that connects and says nothing."""
    with socket.create_server((host, 0)) as listener:
        yield listener.getsockname()


@contextmanager
def black_hole() -> Iterator[Address]:
    """An address that does not answer: its backlog is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()
        for filler in fillers:
            filler.close()


def refusing() -> Address:
    """Where nobody listens."""
    with listening() as address:
        return address


def descriptors() -> int:
    return len(os.listdir("/dev/fd"))


@pytest.fixture
def resolve(loop: Loop) -> "Resolver":
    return Resolver(loop)


class Resolver:
    """Has the loop resolve every name to these addresses."""

    def __init__(self, loop: Loop) -> None:
        self.addresses: Sequence[tuple[socket.AddressFamily, Address]] = []
        loop.getaddrinfo = self._resolve  # type: ignore[method-assign]

    def __call__(self, *addresses: Address) -> None:
        self.addresses = [(socket.AF_INET, address) for address in addresses]

    async def _resolve(self, *_: object, **__: object) -> list[Any]:
        return [(family, socket.SOCK_STREAM, 0, "", at) for family, at in self.addresses]


async def connected_to(loop: Loop, **options: Any) -> Address:
    """Connects by name, closes, and tells with whom."""
    transport, protocol = await loop.create_connection(Recorder, "a.invalid", 80, **options)
    name: Address = transport.get_extra_info("peername")
    transport.close()
    await until(lambda: protocol.is_lost)
    return name


@pytest.mark.parametrize("options", [{}, {"happy_eyeballs_delay": DELAY}], ids=repr)
async def test_an_address_that_refuses_makes_way_for_the_next(
    loop: Loop, resolve: Resolver, options: dict[str, Any]
) -> None:
    with listening() as address:
        resolve(refusing(), address)
        before = descriptors()
        assert await connected_to(loop, **options) == address
        await turns()
        assert descriptors() == before


async def test_an_address_that_does_not_answer_is_overtaken(loop: Loop, resolve: Resolver) -> None:
    with black_hole() as silent, listening() as address:
        resolve(silent, address)
        before, began = descriptors(), time.monotonic()
        assert await connected_to(loop, happy_eyeballs_delay=DELAY) == address
        assert time.monotonic() - began >= DELAY
        await turns()
        assert descriptors() == before


async def test_a_refusal_does_not_wait_for_the_delay(loop: Loop, resolve: Resolver) -> None:
    with listening() as address:
        resolve(refusing(), address)
        assert await asyncio.wait_for(connected_to(loop, happy_eyeballs_delay=60), 20) == address


@pytest.mark.parametrize(
    ("interleave", "order"), [(1, [4, 6, 4, 4]), (2, [4, 4, 6, 4]), (None, [4, 6, 4, 4])]
)
async def test_families_are_interleaved(
    loop: Loop,
    resolve: Resolver,
    monkeypatch: pytest.MonkeyPatch,
    interleave: int | None,
    order: list[int],
) -> None:
    families = [socket.AF_INET, socket.AF_INET, socket.AF_INET, socket.AF_INET6]
    resolve.addresses = [(family, ("unused", 80)) for family in families]
    tried: list[int] = []

    async def connect(exceptions: list[Any], info: tuple[Any, ...], *_: object) -> None:
        tried.append(4 if info[0] == socket.AF_INET else 6)
        exceptions.append([OSError("refused")])
        raise exceptions[-1][0]

    monkeypatch.setattr(loop, "_connect_sock", connect)
    with pytest.raises(OSError, match="refused"):
        await loop.create_connection(
            Recorder, "a.invalid", 80, happy_eyeballs_delay=DELAY, interleave=interleave
        )
    assert tried == order


@pytest.mark.skipif(sys.version_info < (3, 12), reason="all_errors came with 3.12")
@pytest.mark.parametrize("options", [{}, {"happy_eyeballs_delay": DELAY}], ids=repr)
async def test_all_errors_are_told(loop: Loop, resolve: Resolver, options: dict[str, Any]) -> None:
    addresses = [refusing(), refusing()]
    resolve(*addresses)
    before = descriptors()
    with pytest.raises(ExceptionGroup) as raised:
        await connected_to(loop, all_errors=True, **options)
    for error, address in zip(raised.value.exceptions, addresses, strict=True):
        assert isinstance(error, ConnectionRefusedError)
        assert str(address[1]) in str(error)
    assert descriptors() == before


async def cancel(connecting: "asyncio.Task[Any]") -> None:
    assert not connecting.done()
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    await turns(5)


async def test_it_may_be_cancelled_while_the_name_is_resolved(loop: Loop) -> None:
    asked = asyncio.Event()

    async def resolve(*_: object, **__: object) -> list[Any]:
        asked.set()
        return await loop.create_future()  # type: ignore[no-any-return]

    loop.getaddrinfo = resolve  # type: ignore[method-assign]
    before = descriptors()
    connecting = loop.create_task(loop.create_connection(Recorder, "a.invalid", 80))
    await asked.wait()
    await cancel(connecting)
    assert descriptors() == before


async def test_it_may_be_cancelled_while_it_connects(loop: Loop) -> None:
    with black_hole() as address:
        before = descriptors()
        connecting = loop.create_task(loop.create_connection(Recorder, *address))
        await until(lambda: descriptors() > before)
        await cancel(connecting)
        assert descriptors() == before


async def test_it_may_be_cancelled_while_several_attempts_go_on(
    loop: Loop, resolve: Resolver
) -> None:
    with black_hole() as one, black_hole() as other:
        resolve(one, other)
        before = descriptors()
        connecting = loop.create_task(
            loop.create_connection(Recorder, "a.invalid", 80, happy_eyeballs_delay=0.001)
        )
        await until(lambda: descriptors() == before + 2)
        await cancel(connecting)
        assert descriptors() == before


async def test_it_may_be_cancelled_in_the_tls_handshake(loop: Loop) -> None:
    with listening() as address:
        before = descriptors()
        connecting = loop.create_task(
            loop.create_connection(
                Recorder, *address, ssl=ssl.create_default_context(), server_hostname="a.invalid"
            )
        )
        await asyncio.sleep(DELAY)  # the hello is sent, and nobody answers
        await cancel(connecting)
        assert descriptors() == before


@pytest.mark.parametrize("tls", [None, True], ids=["plain", "tls"])
async def test_it_may_be_cancelled_after_any_number_of_turns(loop: Loop, tls: bool | None) -> None:
    with listening() as address:
        before = descriptors()
        for count in range(12):
            connecting = loop.create_task(
                loop.create_connection(
                    Recorder, *address, ssl=tls, server_hostname="a.invalid" if tls else None
                )
            )
            await turns(count)
            connecting.cancel()
            try:
                transport, _ = await connecting
            except asyncio.CancelledError:
                pass
            else:
                transport.abort()
            await turns(5)
            assert descriptors() == before
