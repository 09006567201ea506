"""Client connections that tasks of all workers share, with protocols that assert the order.

The rules: callbacks of one connection never overlap, and come in order; a callback has ended before
a task that it woke runs; nothing of a connection runs between a task's write and its next
suspension.
"""

import asyncio
import functools
import random
import ssl
import sys
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import rloop
from rloop.workers import crew as crews

NUMBER = 8  # bytes of a request, and of its answer
MOST_PADDING = 3000
USERS_A_WORKER = 4
CONNECTIONS_A_WORKER = 6  # more than users: so one is often free
EVERY_NTH = 7


class Answering(asyncio.Protocol):
    """The server: answers each request with itself, sometimes in pieces."""

    def __init__(self, *, splits: bool) -> None:
        self._splits = splits

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        while len(self._received) >= 2 * NUMBER:
            size = 2 * NUMBER + int.from_bytes(self._received[NUMBER : 2 * NUMBER], "big")
            if len(self._received) < size:
                break
            answer, self._received = self._received[:size], self._received[size:]
            if answer[NUMBER - 1] % EVERY_NTH or not self._splits:
                self._transport.write(answer)
            else:
                self._transport.write(answer[:NUMBER])
                asyncio.get_running_loop().call_soon(self._transport.write, answer[NUMBER:])


class Asserting:
    """What a client's connection may rely on."""

    transport: Any
    only_one = True  # request at a time: so its user is where it is at home

    def __init__(self) -> None:
        self.runs = 0  # callbacks and timers, which never is more than one
        self.calls = 0  # callbacks alone
        self.writing: set[asyncio.Task[Any]] = set()  # tasks that have not suspended since
        self.waiting: dict[bytes, asyncio.Future[bytes]] = {}
        self.user: int | None = None
        self.moves = 0
        self.timers = 0
        self._received = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def begin(self) -> None:
        self.runs += 1
        self.calls += 1
        assert self.runs == 1, "two callbacks of a connection overlap"
        assert not self.writing, "a callback came before the task that wrote has suspended"
        if self.only_one and self.waiting:
            here = crews.current_worker()
            assert here is not None
            assert here.index == self.user, f"read on {here}, used on {self.user}"

    def end(self) -> None:
        self.calls -= 1
        self.runs -= 1

    def receive(self, data: bytes) -> None:
        self.begin()
        self._received += data
        while len(self._received) >= 2 * NUMBER:
            size = 2 * NUMBER + int.from_bytes(self._received[NUMBER : 2 * NUMBER], "big")
            if len(self._received) < size:
                break
            answer, self._received = self._received[:size], self._received[size:]
            future = self.waiting.pop(answer[:NUMBER])
            future.set_result(answer)
            if not random.randrange(EVERY_NTH):
                loop = asyncio.get_running_loop()
                loop.call_later(random.random() / 1000, self.fire)
                loop.call_soon(self.fire)
                self.timers += 2
        self.end()

    def fire(self) -> None:
        """A timer of the connection's own: it goes where the connection is.

        One that runs already on one worker may go on while a task of another one writes.
        """
        self.runs += 1
        assert self.runs == 1, "a timer came while another callback ran"
        self.timers -= 1
        self.runs -= 1

    async def ask(self, number: int) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        here = crews.current_worker()
        assert task is not None
        assert here is not None
        key = number.to_bytes(NUMBER, "big")
        padding = random.randrange(MOST_PADDING)
        request = key + padding.to_bytes(NUMBER, "big") + bytes(padding)
        self.moves += self.user != here.index
        self.user = here.index
        self.waiting[key] = future = loop.create_future()
        if number % EVERY_NTH or not self.only_one:
            self.transport.write(request)
        else:
            self.transport.writelines([request[:NUMBER], bytearray(request[NUMBER:])])
        self.writing.add(task)
        for _ in range(random.randrange(100)):  # the answer may come meanwhile
            assert not self.only_one or self.calls == 0
        self.writing.discard(task)
        answer = await future
        if self.only_one:
            assert self.calls == 0, "a task runs that a callback has woken which has not ended"
        assert answer == request

    def pause_writing(self) -> None:
        self.begin()
        self.end()

    def resume_writing(self) -> None:
        self.begin()
        self.end()

    def eof_received(self) -> None:
        self.begin()
        self.end()

    def connection_lost(self, exc: Exception | None) -> None:
        assert exc is None
        self.begin()
        self.end()


class Receiving(Asserting, asyncio.Protocol):
    def data_received(self, data: bytes) -> None:
        self.receive(data)


class Buffered(Asserting, asyncio.BufferedProtocol):
    def __init__(self) -> None:
        super().__init__()
        self._buffer = bytearray(1024)

    def get_buffer(self, sizehint: int) -> bytearray:
        self.begin()
        self.end()
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.receive(bytes(self._buffer[:nbytes]))


class Shared(Receiving):
    """Used by everybody at the same time: it goes round."""

    only_one = False


class Streams:
    """As a redis client: a reader and a writer."""

    moves = 0

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.transport = writer.transport

    async def ask(self, number: int) -> None:
        padding = random.randrange(MOST_PADDING)
        request = number.to_bytes(NUMBER, "big") + padding.to_bytes(NUMBER, "big") + bytes(padding)
        self._writer.write(request)
        await self._writer.drain()
        assert await self._reader.readexactly(len(request)) == request


async def _connect(kind: str, port: int, context: ssl.SSLContext | None) -> Any:
    options: dict[str, Any] = {"ssl": context, "server_hostname": "localhost" if context else None}
    if kind == "streams":
        return Streams(*await asyncio.open_connection("127.0.0.1", port, **options))
    kinds: dict[str, Any] = {"protocol": Receiving, "buffered": Buffered, "shared": Shared}
    make = kinds[kind]
    loop = asyncio.get_running_loop()
    return (await loop.create_connection(make, "127.0.0.1", port, **options))[1]


async def _use(pool: deque[Any], is_shared: bool, numbers: "deque[int]") -> None:
    while True:
        try:
            number = numbers.popleft()
        except IndexError:
            return
        if is_shared:
            await random.choice(pool).ask(number)
            continue
        while True:
            try:
                connection = pool.popleft()
                break
            except IndexError:
                await asyncio.sleep(0)
        await connection.ask(number)
        pool.append(connection)
        pool.rotate(random.randrange(CONNECTIONS_A_WORKER))  # or it would take the same one again


async def _run(
    kind: str, requests: int, contexts: tuple[ssl.SSLContext, ssl.SSLContext] | None
) -> None:
    loop: Any = asyncio.get_running_loop()
    workers = loop.workers
    server_context, client_context = contexts or (None, None)
    make_server = functools.partial(Answering, splits=kind != "shared")  # of requests in turn
    server = await loop.create_server(make_server, "127.0.0.1", 0, ssl=server_context)
    port = server.sockets[0].getsockname()[1]
    pool: deque[Any] = deque()
    for _ in range(CONNECTIONS_A_WORKER * len(workers)):
        pool.append(await _connect(kind, port, client_context))
    numbers = deque(range(requests))
    users = [
        loop.create_task(_use(pool, kind == "shared", numbers), context=worker.context())
        for worker in workers
        for _ in range(USERS_A_WORKER)
    ]
    await asyncio.gather(*users)
    await asyncio.sleep(0.1)  # for the last timers
    if kind != "streams":
        print(kind, sum(connection.moves for connection in pool), "moves")
        assert not any(connection.timers for connection in pool)
        assert sum(connection.moves for connection in pool) > len(pool), "nobody has moved"
    for connection in pool:
        connection.transport.close()
    await asyncio.sleep(0.1)
    server.close()


def main(kind: str, requests: int, worker_count: int, *, tls: bool) -> None:
    contexts = None
    if tls:
        from tests.unit.tls.peers import certificates  # noqa: PLC0415  # takes its time

        contexts = certificates().server_context(), certificates().client_context()
    errors: list[Any] = []
    loop = rloop.TokioLoop(workers=worker_count)
    loop.set_exception_handler(lambda _, context: errors.append(context))
    threading.excepthook = errors.append
    done: Callable[..., Awaitable[None]] = _run
    try:
        loop.run_until_complete(done(kind, requests, contexts))
    finally:
        for error in errors:
            print(error, file=sys.stderr)
        loop.close()
    if errors:
        sys.exit("something was reported")
