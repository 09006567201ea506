"""Connections that are opened, used in all ways, closed behind the loop's back, duplicated.

What a connection carries in one direction is one byte again and again, another than what others
carry in that time: so a byte that went to a wrong connection is known by whoever gets it. Numbers
of closed descriptors come back at once, and operations on what had them before are left waiting.

    python -m tests.hazards.descriptor_situations 7 1000 RLoop     seed, steps, loop
"""

import asyncio
import collections
import contextlib
import os
import random
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import rloop
from tests.hazards.tagged_connections import End, Files, WrongByte, datagram_pair, is_usual

PATIENCE_SECONDS = 20
LARGE = 2_000_000  # more than a socket takes
SMALL = 700
MOST_LIVE = 24
ALPHABET = 120  # connections that can be told from each other, two bytes for each


class Checking(asyncio.Protocol, asyncio.DatagramProtocol):
    """Checks what a transport delivers."""

    def __init__(self, world: "World", end: End) -> None:
        self.world = world
        self.end = end

    def data_received(self, data: bytes) -> None:
        self.world.check(self.end, data)

    def datagram_received(self, data: bytes, _: Any) -> None:
        self.world.check(self.end, data)


class World:
    """All connections, and what may happen to them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.loop = asyncio.get_running_loop()
        self.loop.set_exception_handler(self.handle)
        self.failures: list[str] = []
        self.log: collections.deque[str] = collections.deque(maxlen=30)
        self.live: list[End] = []
        self.duplicates: list[End] = []
        self.tasks: set[asyncio.Task[Any]] = set()  # some wait for ever: another has their place
        self.processes: list[asyncio.Task[Any]] = []
        self.opened = 0
        self.files = Files()
        self.uses: list[tuple[str, Callable[[End], Any]]] = [
            *[("write", self.write)] * 6,
            *[("pause", lambda end: end.transport.pause_reading())] * 2,
            *[("resume", lambda end: end.transport.resume_reading())] * 2,
            *[("sendfile", self.start_to_send_file)] * 2,
            ("eof", lambda end: end.transport.write_eof()),
            ("close", lambda end: end.transport.close()),
            ("abort", lambda end: end.transport.abort()),
        ]
        self.actions: list[Callable[[], Any]] = (
            [self.open, self.receive, self.send, self.close] * 4
            + [self.cancel, self.watch, self.make_transport, self.use_transport] * 3
            + [self.duplicate, self.read_duplicate, self.close_duplicate, self.replace] * 2
            + [self.close_by_number, self.run_process, self.unwatch]
        )

    # ---- checks ----------------------------------------------------------------------------------

    def fail(self, what: str) -> None:
        self.failures.append(what + "\n    after " + "\n          ".join(self.log))

    def check(self, end: End, data: Any) -> None:
        try:
            end.check(data)
        except WrongByte as exc:
            self.fail(str(exc))

    def handle(self, _: Any, context: dict[str, Any]) -> None:
        exc = context.get("exception")
        if not is_usual(exc):
            self.fail(f"{context['message']}: {exc!r}")

    # ---- connections -----------------------------------------------------------------------------

    def tags(self) -> tuple[int, int]:
        """A byte for each direction, of which none of those that live is."""
        used = {end.sends for end in self.live + self.duplicates}
        while True:
            self.opened += 1
            first = self.opened % ALPHABET * 2
            if not {first, first + 1} & used:
                return first, first + 1

    def open(self) -> None:
        if len(self.live) >= MOST_LIVE:
            return
        kind = self.random.choice(["unix", "tcp", "datagrams"])
        if kind == "unix":
            pair = socket.socketpair()
        elif kind == "tcp":
            with socket.create_server(("127.0.0.1", 0)) as server:
                client = socket.create_connection(server.getsockname())
                pair = client, server.accept()[0]
        else:
            pair = datagram_pair()
        self.keep(pair, kind != "datagrams")

    def keep(self, pair: tuple[socket.socket, socket.socket], is_stream: bool = True) -> list[End]:
        one, two = self.tags()
        ends = [End(pair[0], one, two, is_stream), End(pair[1], two, one, is_stream)]
        self.live += ends
        return ends

    def some(self, is_wanted: Callable[[End], bool]) -> End | None:
        found = [end for end in self.live if is_wanted(end)]
        return self.random.choice(found) if found else None

    def raw(self) -> End | None:
        return self.some(lambda end: end.transport is None and not end.is_closed)

    # ---- operations ------------------------------------------------------------------------------

    def start(self, end: End, operation: Awaitable[Any], answered: Any = bool) -> None:
        async def run() -> None:
            try:
                answered(await operation)
            except (OSError, asyncio.SendfileNotAvailableError):
                pass  # the connection is lost, or closed here
            except RuntimeError as exc:
                if not is_usual(exc):
                    raise

        task = asyncio.ensure_future(run())
        end.tasks.add(task)
        self.tasks.add(task)
        task.add_done_callback(self.finished)
        task.add_done_callback(end.tasks.discard)

    def finished(self, task: "asyncio.Task[Any]") -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.fail(f"an operation failed: {task.exception()!r}")

    def receive(self) -> None:
        end = self.raw()
        if end is None:
            return
        loop, buffer = self.loop, bytearray(5000)
        which = self.random.randrange(4)
        if which == 0:
            self.start(end, loop.sock_recv(end.sock, 5000), lambda data: self.check(end, data))
        elif which == 1:
            self.start(
                end,
                loop.sock_recv_into(end.sock, buffer),
                lambda count: self.check(end, buffer[:count]),
            )
        elif which == 2:
            self.start(end, loop.sock_recvfrom(end.sock, 5000), lambda got: self.check(end, got[0]))
        else:
            self.start(
                end,
                loop.sock_recvfrom_into(end.sock, buffer),
                lambda got: self.check(end, buffer[: got[0]]),
            )

    def send(self) -> None:
        end = self.raw()
        if end is None:
            return
        size = self.random.choice([SMALL, SMALL, LARGE]) if end.is_stream else SMALL
        if end.is_stream and self.random.random() < 0.2:
            self.start(end, self.loop.sock_sendfile(end.sock, self.files.of(end)))
        else:
            self.start(end, self.loop.sock_sendall(end.sock, end.data(size)))

    def cancel(self) -> None:
        tasks = [task for end in self.live for task in end.tasks]
        if tasks:
            self.random.choice(tasks).cancel()

    # ---- readers and writers ---------------------------------------------------------------------

    def watch(self) -> None:
        end = self.raw()
        if end is None:
            return
        number = end.sock.fileno()
        writing = self.random.random() < 0.5
        remove = self.loop.remove_writer if writing else self.loop.remove_reader

        def ready() -> None:
            if end.turns_closed > 1 and not end.is_duplicated:
                self.fail(f"a {'writer' if writing else 'reader'} was called for {end}")
            try:
                if writing:
                    end.sock.send(end.data(100))
                elif not (data := end.sock.recv(5000)):
                    remove(number)
                else:
                    self.check(end, data)
            except BlockingIOError:
                pass
            except OSError:
                remove(number)
            if writing and self.random.random() < 0.5:
                remove(number)

        with contextlib.suppress(OSError, RuntimeError):
            (self.loop.add_writer if writing else self.loop.add_reader)(
                number if self.random.random() < 0.5 else end.sock, ready
            )

    def unwatch(self) -> None:
        end = self.raw()
        if end is not None:
            with contextlib.suppress(OSError, RuntimeError):
                self.loop.remove_reader(end.sock)
                self.loop.remove_writer(end.sock)

    # ---- transports ------------------------------------------------------------------------------

    async def make_transport(self) -> None:
        end = self.raw()
        if end is None:
            return
        make = self.loop.create_connection if end.is_stream else self.loop.create_datagram_endpoint
        try:
            end.transport, _ = await make(lambda: Checking(self, end), sock=end.sock)
        except (OSError, RuntimeError):
            end.sock.close()

    def use_transport(self) -> None:
        end = self.some(lambda end: end.transport is not None)
        if end is None:
            return
        transport = end.transport
        if not end.is_stream:
            transport.sendto(end.data(SMALL))
            return
        name, use = self.random.choice(self.uses)
        self.log.append(f"{name} {end}")
        try:
            use(end)
        except (OSError, RuntimeError) as exc:
            if not is_usual(exc):
                raise

    def write(self, end: End) -> None:
        end.transport.write(end.data(self.random.choice([1, SMALL, LARGE])))

    def start_to_send_file(self, end: End) -> None:
        if not (end.transport.is_closing() or end.sends_file):
            end.sends_file = True  # asyncio is confused by two at a time
            self.start(end, self.send_file(end))

    async def send_file(self, end: End) -> None:
        try:
            await self.loop.sendfile(end.transport, self.files.of(end))
        except KeyError:
            pass  # asyncio's: another transport has had the number since
        finally:
            end.sends_file = False

    # ---- descriptors -----------------------------------------------------------------------------

    def close(self) -> None:
        """Whatever goes on there: nothing is cancelled, and no transport told."""
        end = self.some(lambda end: not end.is_closed)
        if end is not None:
            end.sock.close()
            self.count_turns(end)

    def count_turns(self, end: End) -> None:
        if end.turns_closed < 2:
            end.turns_closed += 1
            self.loop.call_soon(self.count_turns, end)

    def close_by_number(self) -> None:
        end = self.raw()
        if end is not None:
            os.close(end.sock.detach())
            self.count_turns(end)

    def duplicate(self) -> None:
        end = self.some(lambda end: not end.is_closed)
        if end is not None and len(self.duplicates) < MOST_LIVE:
            end.is_duplicated = True
            self.duplicates.append(End(end.sock.dup(), end.sends, end.receives, end.is_stream))

    def read_duplicate(self) -> None:
        if self.duplicates:
            duplicate = self.random.choice(self.duplicates)
            with contextlib.suppress(OSError):
                self.check(duplicate, duplicate.sock.recv(5000))

    def close_duplicate(self) -> None:
        if self.duplicates:
            self.duplicates.pop(self.random.randrange(len(self.duplicates))).sock.close()

    async def replace(self) -> None:
        """Gives the number of an end to a new connection."""
        end = self.raw()
        if end is None or not end.is_stream:
            return
        for task in end.tasks:
            task.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if end.is_closed or end.tasks:
            return
        ours, peer = socket.socketpair()
        os.dup2(ours.fileno(), end.sock.fileno())
        new, _ = self.keep((ours, peer))
        end.sends, end.receives = new.sends, new.receives
        end.is_duplicated = new.is_duplicated = True

    # ---- the whole -------------------------------------------------------------------------------

    def run_process(self) -> None:
        async def run() -> None:
            process = await asyncio.create_subprocess_exec("true")
            await process.wait()

        if len(self.processes) < 3:
            task = asyncio.ensure_future(run())
            self.processes.append(task)

    async def step(self) -> None:
        action = self.random.choice(self.actions)
        self.log.append(action.__name__)
        result = action()
        if result is not None:
            await result
        pause = self.random.random()
        if pause < 0.3:
            await asyncio.sleep(0)
        elif pause < 0.35:
            await asyncio.sleep(0.002)
        self.forget_closed()

    def forget_closed(self) -> None:
        """Ends most transports whose socket is closed; tasks that wait for one go on waiting."""
        for end in self.live:
            if end.is_closed and end.transport is not None and self.random.random() < 0.1:
                end.transport.abort()
        self.live = [end for end in self.live if not (end.is_closed and self.is_over(end))]

    def is_over(self, end: End) -> bool:
        return end.transport is None or end.transport.is_closing()

    async def check_life(self) -> None:
        """What is opened now works in all ways."""
        for end in self.live:
            if end.is_closed and end.transport is not None:
                end.transport.abort()
        await asyncio.sleep(0.001)
        try:
            await asyncio.wait_for(self.live_once(), PATIENCE_SECONDS)
            await asyncio.wait_for(asyncio.gather(*self.processes), PATIENCE_SECONDS)
        except TimeoutError:
            self.fail("what was opened hangs")
        self.processes.clear()

    async def live_once(self) -> None:
        loop = self.loop
        server = socket.create_server(("127.0.0.1", 0))
        server.setblocking(False)
        client = socket.socket()
        client.setblocking(False)
        accepting = asyncio.ensure_future(loop.sock_accept(server))
        await asyncio.sleep(0)
        await loop.sock_connect(client, server.getsockname())
        accepted, _ = await accepting
        one, two = self.keep((client, accepted))
        receiving = asyncio.ensure_future(loop.sock_recv(one.sock, 5000))
        await asyncio.sleep(0)
        await loop.sock_sendall(two.sock, two.data(SMALL))
        self.check(one, await receiving)

        transport, _ = await loop.create_connection(lambda: Checking(self, one), sock=one.sock)
        one.transport = transport
        transport.write(one.data(SMALL))
        readable = loop.create_future()
        loop.add_reader(two.sock, lambda: readable.done() or readable.set_result(None))
        await readable
        loop.remove_reader(two.sock)
        self.check(two, await loop.sock_recv(two.sock, 5000))
        server.close()

    async def check_idleness(self) -> None:
        """Nobody is there any more but duplicates, of which nobody wants to know."""
        for task in self.tasks:
            task.cancel()
        for end in self.live:
            if end.transport is not None:
                end.transport.abort()
            else:
                self.unwatch_all(end)
            end.sock.close()
        await asyncio.sleep(0.01)
        before = time.thread_time()
        await asyncio.sleep(0.1)
        if time.thread_time() - before > 0.05:
            self.fail("the loop is busy with what is closed")
        for duplicate in self.duplicates:
            duplicate.sock.close()
        self.files.close()

    def unwatch_all(self, end: End) -> None:
        if not end.is_closed:
            with contextlib.suppress(OSError, RuntimeError):
                self.loop.remove_reader(end.sock)
            with contextlib.suppress(OSError, RuntimeError):
                self.loop.remove_writer(end.sock)


async def run(seed: int, steps: int, make_world: Callable[[int], World]) -> list[str]:
    world = make_world(seed)
    for number in range(steps):
        await world.step()
        if number % 50 == 49:
            await world.check_life()
        if world.failures:
            break
    await world.check_idleness()
    return world.failures


def main(seed: int, steps: int, loop: str, make_world: Callable[[int], World] = World) -> None:
    """Says what went wrong; exit code 1 then."""
    with asyncio.Runner(loop_factory=getattr(rloop, loop)) as runner:
        failures = runner.run(run(seed, steps, make_world))
    for failure in failures:
        print(f"seed {seed}: {failure}")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
