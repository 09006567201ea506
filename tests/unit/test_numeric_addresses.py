"""getaddrinfo answers what the standard library does, at once where nobody has to be asked."""

import asyncio
import itertools
import socket
from typing import Any

import pytest

import rloop

HOSTS: list[Any] = [
    "127.0.0.1",
    "0.0.0.0",
    "255.255.255.255",
    "::1",
    "::",
    "0:0:0:0:0:0:0:1",
    "2001:DB8::0001",
    "::ffff:1.2.3.4",
    "::1.2.3.4",
    "fe80::1",
    "1:2:3:4:5:6:7:8:9",
    "127.1",
    "0x7f.1",
    "2130706433",
    "010.0.0.1",
    "127.0.0.1 ",
    b"127.0.0.1",
    "",
    None,
]
PORTS: list[Any] = [0, 80, 65535, 65536, -1, True, None, "80", b"80", "", "080", "²"]
KINDS = [0, socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, int(socket.SOCK_STREAM), 99]
FAMILIES = [socket.AF_UNSPEC, socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, 99]
PROTOCOLS = [0, socket.IPPROTO_TCP, socket.IPPROTO_UDP, socket.IPPROTO_ICMP]
FLAGS = [
    0,
    socket.AI_NUMERICHOST,
    socket.AI_PASSIVE,
    socket.AI_CANONNAME | socket.AI_NUMERICHOST,
    socket.AI_NUMERICSERV,
    socket.AI_V4MAPPED,
]


def outcome(answer: Any) -> Any:
    """With types, as far as a program sees them."""
    return [
        (family, type(family), kind, type(kind), protocol, type(protocol), name, address)
        for family, kind, protocol, name, address in answer
    ]


def expected(*arguments: Any) -> Any:
    try:
        return outcome(socket.getaddrinfo(*arguments))
    except Exception as error:
        return type(error), str(error)


async def found(host: Any, port: Any, family: int, kind: int, protocol: int, flags: int) -> Any:
    try:
        return outcome(
            await asyncio.get_running_loop().getaddrinfo(
                host, port, family=family, type=kind, proto=protocol, flags=flags
            )
        )
    except Exception as error:
        return type(error), str(error)


def run(loop: asyncio.AbstractEventLoop, cases: list[tuple[Any, ...]]) -> None:
    async def main() -> None:
        for case in cases:
            assert await found(*case) == expected(*case), case

    loop.run_until_complete(main())


@pytest.mark.parametrize("host", HOSTS, ids=repr)
def test_answers_are_the_standard_library_s_for_each_port(
    loop: asyncio.AbstractEventLoop, host: Any
) -> None:
    kinds = [socket.SOCK_STREAM, 0]
    run(loop, [(host, port, 0, kind, 0, 0) for port in PORTS for kind in kinds])


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "2001:DB8::0001", "::ffff:1.2.3.4"])
def test_answers_are_the_standard_library_s_for_each_hint(
    loop: asyncio.AbstractEventLoop, host: str
) -> None:
    hints = itertools.product(FAMILIES, KINDS, PROTOCOLS, FLAGS)
    run(loop, [(host, 80, *hint) for hint in hints])


def test_a_service_by_name(loop: asyncio.AbstractEventLoop) -> None:
    run(loop, [("127.0.0.1", service, 0, socket.SOCK_STREAM, 0, 0) for service in ["http", "no"]])


def test_a_function_that_a_program_put_in_its_place_is_called(
    loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def look_up(*arguments: Any) -> list[Any]:
        calls.append(arguments)
        return ["found"]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    answer: Any = loop.run_until_complete(loop.getaddrinfo("127.0.0.1", 80))
    assert answer == ["found"]
    assert calls == [("127.0.0.1", 80, 0, 0, 0, 0)]


def test_debug_mode(loop: asyncio.AbstractEventLoop) -> None:
    loop.set_debug(True)
    run(loop, [("127.0.0.1", 80, 0, socket.SOCK_STREAM, 0, 0)])


def test_no_thread_has_to_answer() -> None:
    """Another rule than asyncio's."""
    loop = rloop.new_event_loop()
    try:
        answer = loop.getaddrinfo("::1", 80, type=socket.SOCK_STREAM)
        with pytest.raises(StopIteration) as end:
            answer.send(None)  # it is not even suspended
        assert end.value.value == socket.getaddrinfo("::1", 80, type=socket.SOCK_STREAM)
    finally:
        loop.close()
