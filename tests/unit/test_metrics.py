"""Rules of `loop.metrics()`: figures that agree with what a program knows of itself.

Sums are held against clocks that the program reads, and not against what it asked for: a busy
machine makes every wait longer, and then the loop's figures are longer too.
"""

import asyncio
import dataclasses
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rloop import RLoop, TokioLoop
from tests.unit import own_loops
from tests.unit.own_sockets import Masked

MESSAGE = bytes(1000)
BLOCK_SECONDS = 0.03
WAIT_SECONDS = 0.03
ROUNDS = 4


@pytest.fixture(params=own_loops.KINDS)
def loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[RLoop]:
    yield from own_loops.make(request.param, monkeypatch)


def run(loop: RLoop, main: Callable[[], Any]) -> Any:
    return loop.run_until_complete(main())


def test_a_new_loop_has_done_nothing(loop: RLoop) -> None:
    metrics = loop.metrics()
    assert metrics.iterations == metrics.callbacks == metrics.timers == 0
    assert metrics.busy_time == metrics.idle_time == metrics.utilization() == 0


def test_metrics_cannot_be_changed(loop: RLoop) -> None:
    metrics = loop.metrics()
    with pytest.raises(dataclasses.FrozenInstanceError):
        metrics.timers = 1  # type: ignore[misc]
    assert hash(metrics)


def test_busy_and_idle_time_are_those_of_the_program(loop: RLoop) -> None:
    async def main() -> tuple[float, float]:
        blocked = idle = 0.0
        for _ in range(ROUNDS):
            started = time.monotonic()
            time.sleep(BLOCK_SECONDS)
            blocked += time.monotonic() - started
            await asyncio.sleep(WAIT_SECONDS)
            idle += WAIT_SECONDS
        return blocked, idle

    run(loop, lambda: asyncio.sleep(0))
    before = loop.metrics()
    started = time.monotonic()
    blocked, idle = run(loop, main)
    took = time.monotonic() - started
    after = loop.metrics()
    busy_time = after.busy_time - before.busy_time
    idle_time = after.idle_time - before.idle_time
    assert busy_time >= blocked
    assert idle_time >= 0.8 * idle  # a timer's wait begins a moment after it is set
    assert busy_time + idle_time <= took
    assert blocked / took <= after.utilization(since=before) <= 1 - 0.8 * idle / took
    assert BLOCK_SECONDS <= after.longest_callback <= took


def test_time_between_runs_is_neither_busy_nor_idle(loop: RLoop) -> None:
    run(loop, lambda: asyncio.sleep(0))
    before = loop.metrics()
    time.sleep(BLOCK_SECONDS)
    after = loop.metrics()
    assert (after.busy_time, after.idle_time) == (before.busy_time, before.idle_time)
    assert after.utilization(since=before) == 0


def test_a_wait_counts_while_it_lasts(loop: RLoop) -> None:
    seen = []

    def look() -> None:
        while not loop.metrics().idle_time:  # until it waits, and nothing wakes it
            time.sleep(0.001)
        seen.append(loop.metrics())
        time.sleep(WAIT_SECONDS)
        seen.append(loop.metrics())
        loop.call_soon_threadsafe(loop.stop)

    thread = threading.Thread(target=look)
    thread.start()
    loop.run_forever()
    thread.join()
    first, second = seen
    assert second.idle_time - first.idle_time >= 0.8 * WAIT_SECONDS
    assert second.utilization(since=first) <= 0.5


def test_a_callback_that_blocks_is_seen_while_it_does(loop: RLoop) -> None:
    seen = []

    def block() -> None:
        thread = threading.Thread(target=lambda: seen.append(loop.metrics()))
        time.sleep(BLOCK_SECONDS)
        thread.start()
        thread.join()
        loop.stop()

    loop.call_soon(block)
    loop.call_soon(int)
    loop.run_forever()
    assert seen[0].longest_callback >= BLOCK_SECONDS
    assert seen[0].ready_queue_depth == 1


def test_calls_are_counted_and_those_taken_back_are_not(loop: RLoop) -> None:
    for _ in range(10):
        loop.call_soon(int)
    loop.call_soon(int).cancel()
    loop.call_later(3600, int)
    assert loop.metrics().ready_queue_depth == 11
    loop.call_soon(loop.stop)
    loop.run_forever()
    metrics = loop.metrics()
    assert metrics.callbacks == 11
    assert metrics.largest_batch == 12
    assert metrics.timers == 1
    assert metrics.ready_queue_depth == 0


def test_calls_of_other_threads_are_counted(loop: RLoop) -> None:
    def call() -> None:
        time.sleep(WAIT_SECONDS)  # until the loop waits
        loop.call_soon_threadsafe(int)
        loop.call_soon_threadsafe(loop.stop)

    thread = threading.Thread(target=call)
    thread.start()
    loop.run_forever()
    thread.join()
    assert loop.metrics().threadsafe_calls == 2
    assert 1 <= loop.metrics().wakeups <= 2


def test_bytes_and_system_calls_are_counted(loop: RLoop) -> None:
    async def main() -> None:
        ours, theirs = socket.socketpair()
        reader, writer = await asyncio.open_connection(sock=ours)
        peer_reader, peer_writer = await asyncio.open_connection(sock=theirs)
        for _ in range(ROUNDS):
            writer.write(MESSAGE)
            await peer_reader.readexactly(len(MESSAGE))
        await writer.drain()
        assert loop.metrics().stream_transports.open == 2
        for end in writer, peer_writer:
            end.close()
            await end.wait_closed()
        del reader

    run(loop, main)
    metrics = loop.metrics()
    assert metrics.bytes_sent == metrics.bytes_received == ROUNDS * len(MESSAGE)
    assert metrics.send_calls == ROUNDS
    assert metrics.receive_calls >= ROUNDS
    assert metrics.polls > 0
    assert metrics.stream_transports == type(metrics.stream_transports)(open=0, opened=2)


def test_operations_on_sockets_are_counted(
    loop: RLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    async def main() -> None:
        ours, theirs = pair
        await loop.sock_sendall(ours, MESSAGE)
        assert await loop.sock_recv(theirs, len(MESSAGE)) == MESSAGE

    run(loop, main)
    metrics = loop.metrics()
    assert metrics.bytes_sent == metrics.bytes_received == len(MESSAGE)


def test_datagrams_are_counted(loop: RLoop) -> None:
    class Server(asyncio.DatagramProtocol):
        def __init__(self) -> None:
            self.received = loop.create_future()

        def datagram_received(self, data: bytes, address: object) -> None:
            self.received.set_result(data)

    async def main() -> None:
        server, protocol = await loop.create_datagram_endpoint(Server, ("127.0.0.1", 0))
        address = server.get_extra_info("sockname")
        client, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=address
        )
        client.sendto(MESSAGE)
        await protocol.received
        assert loop.metrics().datagram_transports.open == 2
        client.close()
        server.close()

    run(loop, main)
    metrics = loop.metrics()
    assert metrics.bytes_sent == metrics.bytes_received == len(MESSAGE)
    assert metrics.datagram_transports.open == 0
    assert metrics.datagram_transports.opened == 2


def test_servers_pipes_and_watched_descriptors_are_counted(loop: RLoop) -> None:
    async def main() -> None:
        before = loop.metrics()
        server = await asyncio.start_server(lambda r, w: w.close(), "127.0.0.1", 0)
        assert loop.metrics().watched_fds == before.watched_fds + 1
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        await reader.read()
        writer.close()
        server.close()
        process = await asyncio.create_subprocess_exec("cat", stdin=-1, stdout=-1)
        assert loop.metrics().pipe_transports.open == 2
        await process.communicate(MESSAGE)
        metrics = loop.metrics()
        assert metrics.accepted_connections == 1
        assert metrics.pipe_transports.opened == 2
        assert metrics.bytes_received == metrics.bytes_sent == len(MESSAGE)

    run(loop, main)


class WrappedListener:
    """What servers hand on to a loop: gunicorn's listeners are no sockets."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener

    def __getattr__(self, name: str) -> Any:
        return getattr(self._listener, name)


@pytest.mark.parametrize("listener_class", [socket.socket, Masked, WrappedListener])
def test_connections_are_counted_whatever_the_listener_is(loop: RLoop, listener_class: Any) -> None:
    async def main() -> int:
        listener: Any = socket.create_server(("127.0.0.1", 0))
        address = listener.getsockname()
        if listener_class is Masked:
            listener = Masked(listener.family, listener.type, 0, listener.detach())
        elif listener_class is WrappedListener:
            listener = WrappedListener(listener)
        server = await loop.create_server(asyncio.Protocol, sock=listener)
        for _ in range(3):
            _, writer = await asyncio.open_connection(*address)
            writer.write(b"data")
            writer.close()
        while (accepted := loop.metrics().accepted_connections) < 3:
            await asyncio.sleep(0.001)
        server.close()
        await server.wait_closed()
        return accepted

    assert loop.run_until_complete(asyncio.wait_for(main(), 10)) == 3


def test_figures_of_any_moment_fit_each_other(loop: RLoop) -> None:
    wrong = []
    done = threading.Event()

    def look() -> None:
        last = loop.metrics()
        while not done.is_set():
            now = loop.metrics()
            for name in ("iterations", "callbacks", "bytes_received", "bytes_sent", "polls"):
                if getattr(now, name) < getattr(last, name):
                    wrong.append((name, last, now))
            if not 0 <= now.utilization(since=last) <= 1 or now.busy_time < last.busy_time:
                wrong.append(("busy", last, now))
            last = now

    async def main() -> None:
        pairs = [socket.socketpair() for _ in range(8)]
        streams = [[await asyncio.open_connection(sock=end) for end in ends] for ends in pairs]
        thread = threading.Thread(target=look)
        thread.start()
        try:
            for _ in range(100):
                for (_, writer), _ in streams:
                    writer.write(MESSAGE)
                for _, (reader, _) in streams:
                    await reader.readexactly(len(MESSAGE))
        finally:
            done.set()
            await asyncio.to_thread(thread.join)
        for ends in streams:
            for _, writer in ends:
                writer.close()

    run(loop, main)
    assert not wrong


@pytest.mark.parametrize("threads", [1, 3])
def test_io_threads_tell_what_they_have_done(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RLOOP_LEND", "always")
    loop = TokioLoop(io_threads=threads)

    async def main() -> None:
        ends = [socket.socketpair() for _ in range(4 * threads)]
        streams = [[await asyncio.open_connection(sock=end) for end in pair] for pair in ends]
        for _ in range(ROUNDS):
            for (_, writer), _ in streams:
                writer.write(MESSAGE)
            for _, (reader, _) in streams:
                await reader.readexactly(len(MESSAGE))
        await asyncio.sleep(WAIT_SECONDS)
        for pair in streams:
            for _, writer in pair:
                writer.close()

    started = time.monotonic()
    run(loop, main)
    took = time.monotonic() - started
    loop.close()
    seen = loop.metrics()
    assert len(seen.io_threads) == threads
    assert all(0 < thread.busy_time < took for thread in seen.io_threads)
    assert all(thread.bytes_received > 0 for thread in seen.io_threads)
    assert seen.bytes_received == seen.bytes_sent == 4 * threads * ROUNDS * len(MESSAGE)


def test_a_closed_loop_tells_its_last_figures(loop: RLoop) -> None:
    loop.call_soon(loop.stop)
    loop.call_soon(int)
    loop.run_forever()
    loop.call_soon(int)
    loop.close()
    metrics = loop.metrics()
    assert metrics.callbacks == 2
    assert metrics.watched_fds == metrics.ready_queue_depth == 0
