"""Watching descriptors: `add_reader`, `add_writer`, their removal, and what they refuse."""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from tests.conftest import Loop, run_one_iteration
from tests.unit.connections import drain, fill

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """The reading and the writing end of a pipe."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    yield reading, writing
    for end in (reading, writing):
        try:
            os.close(end)
        except OSError:
            assert end in (reading, writing)  # the test closed it


def test_a_reader_is_called_with_its_arguments_when_there_is_data(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    called: list[tuple[object, ...]] = []
    loop.add_reader(ours, lambda *args: called.append(args), 1, "two")
    run_one_iteration(loop)
    assert called == []
    peer.send(b"x")
    run_one_iteration(loop)
    assert called == [(1, "two")]
    loop.remove_reader(ours)


def test_calls_that_become_long_keep_no_reader_waiting(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    short, most_long = 1000, 8
    ran = 0

    def step() -> None:
        nonlocal ran
        ran += 1
        if ran > short:
            time.sleep(0.001)
        if ran == short:
            peer.send(b"x")
        if ran < short + most_long:
            loop.call_soon(step)
        else:
            loop.stop()

    ran_when_read: list[int] = []

    def read() -> None:
        ours.recv(1)
        ran_when_read.append(ran - short)

    loop.add_reader(ours, read)
    loop.call_soon(step)
    loop.run_forever()
    loop.remove_reader(ours)
    assert [ran < most_long for ran in ran_when_read] == [True]


def test_a_writer_is_called_while_there_is_room(loop: Loop, pair: Pair) -> None:
    ours, _ = pair
    called: list[str] = []
    loop.add_writer(ours, called.append, "writer")
    run_one_iteration(loop)
    run_one_iteration(loop)
    assert called == ["writer", "writer"]
    loop.remove_writer(ours)
    run_one_iteration(loop)
    assert called == ["writer", "writer"]


def test_a_writer_is_not_called_while_there_is_no_room(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    fill(ours)
    called: list[str] = []
    loop.add_writer(ours, called.append, "writer")
    run_one_iteration(loop)
    assert called == []
    drain(peer)
    run_one_iteration(loop)
    assert called == ["writer"]
    loop.remove_writer(ours)


def test_an_integer_and_an_object_mean_one_descriptor(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    peer.send(b"x")
    called: list[str] = []
    loop.add_reader(ours, called.append, "object")
    loop.add_reader(ours.fileno(), called.append, "integer")
    run_one_iteration(loop)
    assert called == ["integer"]
    assert loop.remove_reader(ours)
    assert not loop.remove_reader(ours.fileno())


def test_an_object_needs_only_a_fileno_method(loop: Loop, pair: Pair) -> None:
    ours, peer = pair

    class Device:
        def fileno(self) -> int:
            return ours.fileno()

    device = Device()
    called: list[str] = []
    loop.add_reader(device, called.append, "reader")
    peer.send(b"x")
    run_one_iteration(loop)
    assert called == ["reader"]
    assert loop.remove_reader(device)


def test_adding_gives_nothing_back(loop: Loop, pair: Pair) -> None:
    ours, _ = pair
    results: list[object] = [loop.add_reader(ours, print), loop.add_writer(ours, print)]
    assert results == [None, None]
    loop.remove_reader(ours)
    loop.remove_writer(ours)


def test_removing_tells_whether_there_was_one(loop: Loop, pair: Pair) -> None:
    ours, _ = pair
    assert loop.remove_reader(ours) is False
    assert loop.remove_writer(ours) is False
    loop.add_reader(ours, print)
    assert loop.remove_writer(ours) is False
    assert loop.remove_reader(ours) is True
    assert loop.remove_reader(ours) is False
    loop.add_writer(ours, print)
    assert loop.remove_reader(ours) is False
    assert loop.remove_writer(ours) is True
    assert loop.remove_writer(ours) is False


def test_a_new_reader_replaces_the_old(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    called: list[str] = []
    loop.add_reader(ours, called.append, "old")
    loop.add_reader(ours, called.append, "new")
    peer.send(b"x")
    run_one_iteration(loop)
    assert called == ["new"]
    assert loop.remove_reader(ours)


def test_reader_and_writer_of_a_descriptor_are_independent(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    called: list[str] = []
    peer.send(b"x")
    loop.add_reader(ours, called.append, "reader")
    loop.add_writer(ours, called.append, "writer")
    run_one_iteration(loop)
    assert called == ["reader", "writer"]
    loop.remove_writer(ours)
    run_one_iteration(loop)
    assert called == ["reader", "writer", "reader"]
    loop.remove_reader(ours)
    loop.add_writer(ours, called.append, "again")
    run_one_iteration(loop)
    assert called == ["reader", "writer", "reader", "again"]
    loop.remove_writer(ours)


def test_a_reader_is_told_of_the_end(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    received: list[bytes] = []
    loop.add_reader(ours, lambda: received.append(ours.recv(10)))
    peer.close()
    run_one_iteration(loop)
    assert received == [b""]
    loop.remove_reader(ours)


def test_a_writer_is_told_when_the_peer_is_gone(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    fill(ours)
    called: list[str] = []
    loop.add_writer(ours, called.append, "writer")
    peer.close()
    run_one_iteration(loop)
    assert called == ["writer"]
    loop.remove_writer(ours)


def test_ends_of_a_pipe_are_watched(loop: Loop, pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    called: list[str] = []
    loop.add_reader(reading, called.append, "readable")
    loop.add_writer(writing, called.append, "writable")
    run_one_iteration(loop)
    assert called == ["writable"]
    loop.remove_writer(writing)
    os.write(writing, b"x")
    run_one_iteration(loop)
    assert called == ["writable", "readable"]
    loop.remove_reader(reading)


def test_the_reader_of_a_pipe_is_told_of_its_end(loop: Loop, pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    received: list[bytes] = []
    loop.add_reader(reading, lambda: received.append(os.read(reading, 10)))
    os.close(writing)
    run_one_iteration(loop)
    assert received == [b""]
    loop.remove_reader(reading)


def test_the_writer_of_a_pipe_is_told_when_its_reader_is_gone(
    loop: Loop, pipe: tuple[int, int]
) -> None:
    reading, writing = pipe
    os.write(writing, bytes(65536))
    called: list[str] = []
    loop.add_writer(writing, called.append, "writer")
    os.close(reading)
    run_one_iteration(loop)
    assert called == ["writer"]
    loop.remove_writer(writing)


def test_a_descriptor_that_the_kernel_cannot_watch_is_refused(loop: Loop) -> None:
    with open("/dev/zero", "rb") as device:
        fd = device.fileno()
    with pytest.raises(OSError, match="Bad file descriptor"):
        loop.add_reader(fd, print)
    assert not loop.remove_reader(fd)


@pytest.mark.parametrize("method", ["add_reader", "add_writer"])
def test_what_has_no_descriptor_is_refused(loop: Loop, method: str) -> None:
    add = getattr(loop, method)
    for bad in ("stdin", None, object()):
        with pytest.raises(ValueError, match="^Invalid file object: "):
            add(bad, print)


@pytest.mark.parametrize("method", ["remove_reader", "remove_writer"])
def test_removing_what_has_no_descriptor_is_refused(loop: Loop, method: str) -> None:
    with pytest.raises(ValueError, match="^Invalid file object: "):
        getattr(loop, method)("stdin")


@pytest.mark.parametrize("method", ["add_reader", "add_writer"])
def test_a_negative_descriptor_is_refused(loop: Loop, method: str) -> None:
    with pytest.raises(ValueError, match="^Invalid file descriptor: -1$"):
        getattr(loop, method)(-1, print)


@pytest.mark.parametrize("method", ["add_reader", "add_writer"])
def test_a_closed_socket_is_refused(loop: Loop, pair: Pair, method: str) -> None:
    ours, _ = pair
    ours.close()
    with pytest.raises(ValueError, match="^Invalid file descriptor: -1$"):
        getattr(loop, method)(ours, print)


@pytest.mark.parametrize("way", ["reader", "writer"])
def test_a_socket_closed_while_it_is_watched_can_be_removed(
    loop: Loop, pair: Pair, way: str
) -> None:
    ours, _ = pair
    getattr(loop, f"add_{way}")(ours, print)
    ours.close()
    assert getattr(loop, f"remove_{way}")(ours) is True
    with pytest.raises(ValueError, match="^Invalid file descriptor: -1$"):
        getattr(loop, f"remove_{way}")(ours)


@pytest.mark.parametrize("method", ["add_reader", "add_writer"])
def test_a_closed_loop_refuses_to_watch(loop: Loop, pair: Pair, method: str) -> None:
    loop.close()
    with pytest.raises(RuntimeError, match="^Event loop is closed$"):
        getattr(loop, method)(pair[0], print)


def test_a_closed_loop_has_nothing_to_remove(loop: Loop, pair: Pair) -> None:
    loop.add_reader(pair[0], print)
    loop.close()
    assert loop.remove_reader(pair[0]) is False
    assert loop.remove_writer(pair[0]) is False


@pytest.mark.parametrize(
    "watch",
    [
        lambda loop, fd: loop.add_reader(fd, print),
        lambda loop, fd: loop.add_writer(fd, print),
        lambda loop, fd: loop.remove_reader(fd),
        lambda loop, fd: loop.remove_writer(fd),
    ],
)
async def test_the_descriptor_of_a_transport_is_refused(
    loop: Loop, pair: Pair, watch: Callable[[Loop, object], object]
) -> None:
    ours, _ = pair
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
    for name in (ours.fileno(), ours):
        with pytest.raises(RuntimeError, match="is used by transport") as caught:
            watch(loop, name)
        assert str(caught.value).startswith(f"File descriptor {name!r} is used by transport <")
    transport.close()
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def test_a_failing_reader_is_reported_and_called_again(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    reports: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _, context: reports.append(context))
    loop.add_reader(ours, divmod, 1, 0)
    peer.send(b"x")
    run_one_iteration(loop)
    run_one_iteration(loop)
    assert len(reports) == 2
    assert set(reports[0]) == {"message", "exception", "handle"}
    assert str(reports[0]["message"]).startswith("Exception in callback divmod(")
    loop.remove_reader(ours)


async def test_many_descriptors_are_watched_at_once(loop: Loop) -> None:
    pairs = [socket.socketpair() for _ in range(200)]
    received: list[int] = []
    everything = loop.create_future()

    def receive(number: int) -> None:
        pairs[number][0].recv(10)
        received.append(number)
        if len(received) == len(pairs):
            everything.set_result(None)

    for number, (ours, _) in enumerate(pairs):
        loop.add_reader(ours, receive, number)
    for _, peer in pairs:
        peer.send(b"x")
    await everything
    assert sorted(received) == list(range(len(pairs)))
    for ours, peer in pairs:
        loop.remove_reader(ours)
        ours.close()
        peer.close()
