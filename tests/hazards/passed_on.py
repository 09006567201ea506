"""More situations: files that go to another object or another process, pipes, servers, buffers.

python -m tests.hazards.passed_on 7 1000 RLoop     seed, steps, loop
"""

import asyncio
import os
import socket
import sys
from typing import Any

from tests.hazards.descriptor_situations import SMALL, Checking, World, main
from tests.hazards.tagged_connections import End, WrongByte, is_usual

BUFFER_SIZE = 300  # less than what comes at once
MOST_PIPES = 6
MOST_SERVERS = 4


class Buffering(asyncio.BufferedProtocol):
    """Checks what a transport reads into its buffer."""

    def __init__(self, world: World, end: End) -> None:
        self.world = world
        self.end = end
        self.buffer = bytearray(BUFFER_SIZE)

    def get_buffer(self, _: int) -> bytearray:
        return self.buffer

    def buffer_updated(self, count: int) -> None:
        self.world.check(self.end, self.buffer[:count])


class Pipe:
    """Transports at both ends, over files that are closed behind them."""

    def __init__(self, tag: int) -> None:
        self.tag = tag
        reading, writing = os.pipe()
        self.files = [os.fdopen(reading, "rb", 0), os.fdopen(writing, "wb", 0)]
        self.transports: list[Any] = []

    def data(self) -> bytes:
        return bytes([self.tag]) * SMALL

    def check(self, data: bytes) -> None:
        if set(data) - {self.tag}:
            raise WrongByte(f"{self.tag} expected, {sorted(set(data))} received by a pipe")


class Server:
    """Says a byte of its own to whoever connects."""

    def __init__(self, tag: int) -> None:
        self.tag = tag
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        self.server: Any = None

    def make_protocol(self) -> asyncio.Protocol:
        return Greeting(self.tag)


class Greeting(asyncio.Protocol):
    """Sends its byte, and hangs up."""

    def __init__(self, tag: int) -> None:
        self.tag = tag

    def connection_made(self, transport: Any) -> None:
        transport.write(bytes([self.tag]))
        transport.close()


class WiderWorld(World):
    """All of that."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.pipes: list[Pipe] = []
        self.servers: list[Server] = []
        self.uses += [("replace_protocol", self.replace_protocol)] * 3
        self.actions += [self.pass_on, self.detach, self.open_pipe, self.open_server] * 2
        self.actions += [self.write_to_pipe, self.ask_server, self.wrap] * 3
        self.actions += [self.close_pipe, self.close_server, self.close_listener]

    def succeed(self, end: End, sock: socket.socket) -> None:
        """The file goes on as another object's."""
        end.is_duplicated = True
        successor = End(sock, end.sends, end.receives, end.is_stream)
        successor.is_duplicated = True
        self.live.append(successor)

    def pass_on(self) -> None:
        """By SCM_RIGHTS: the file is in flight while nobody here has it open."""
        end = self.raw()
        if end is None:
            return
        ours, theirs = socket.socketpair()
        with ours, theirs:
            socket.send_fds(ours, [b"file"], [end.sock.fileno()])
            end.sock.close()
            fd = socket.recv_fds(theirs, 4, 1)[1][0]
        self.succeed(end, socket.socket(fileno=fd))

    def detach(self) -> None:
        end = self.raw()
        if end is not None:
            self.succeed(end, socket.socket(fileno=end.sock.detach()))

    def wrap(self) -> None:
        """Another object of the same number, for one operation; this one says nothing of it."""
        end = self.raw()
        if end is None or not end.is_stream:
            return

        async def receive() -> bytes:
            if end.is_closed:
                return b""
            other = socket.socket(fileno=end.sock.fileno())
            other.setblocking(False)
            try:
                return await asyncio.wait_for(self.loop.sock_recv(other, SMALL), 0.001)
            except TimeoutError:
                return b""
            finally:
                other.detach()

        self.start(end, receive(), lambda data: end.is_closed or self.check(end, data))

    def replace_protocol(self, end: End) -> None:
        kind = self.random.choice([Checking, Buffering])
        end.transport.set_protocol(kind(self, end))

    # ---- pipes -----------------------------------------------------------------------------------

    async def open_pipe(self) -> None:
        if len(self.pipes) >= MOST_PIPES:
            return
        pipe = Pipe(self.tags()[0])
        self.pipes.append(pipe)
        make = lambda: Checking(self, pipe)  # type: ignore[arg-type]  # noqa: E731
        reading, writing = pipe.files
        pipe.transports = [
            (await self.loop.connect_read_pipe(make, reading))[0],
            (await self.loop.connect_write_pipe(make, writing))[0],
        ]

    def write_to_pipe(self) -> None:
        if self.pipes:
            pipe = self.random.choice(self.pipes)
            pipe.transports[1].write(pipe.data())

    def close_pipe(self) -> None:
        """One end behind its transport, or by it."""
        if not self.pipes:
            return
        pipe = self.random.choice(self.pipes)
        side = self.random.randrange(2)
        if self.random.random() < 0.5:
            pipe.files[side].close()
        else:
            pipe.transports[side].abort() if side else pipe.transports[side].close()
        if self.random.random() < 0.5:
            self.pipes.remove(pipe)
            pipe.transports[0].close()
            pipe.transports[1].abort()

    # ---- servers ---------------------------------------------------------------------------------

    async def open_server(self) -> None:
        if len(self.servers) < MOST_SERVERS:
            server = Server(self.random.randrange(256))
            server.server = await self.loop.create_server(
                server.make_protocol, sock=server.listener
            )
            self.servers.append(server)

    async def ask_server(self) -> None:
        if not self.servers:
            return
        server = self.random.choice(self.servers)
        with socket.socket() as client:
            client.setblocking(False)
            try:
                said = await asyncio.wait_for(self.connect_and_listen(client, server), 5)
            except (OSError, RuntimeError) as exc:
                if isinstance(exc, TimeoutError) or not is_usual(exc):
                    raise
            else:
                # Nothing, if the accepted socket's number is that of a transport which was closed
                # behind: asyncio makes no second one.
                if said not in (b"", bytes([server.tag])):
                    self.fail(f"{said!r} instead of {server.tag} was said")

    async def connect_and_listen(self, client: socket.socket, server: Server) -> bytes:
        await self.loop.sock_connect(client, server.address)
        return await self.loop.sock_recv(client, 9)

    def close_server(self) -> None:
        if self.servers:
            self.servers.pop(self.random.randrange(len(self.servers))).server.close()

    def close_listener(self) -> None:
        """Behind the server, which then accepts nobody, nor whoever comes to its number."""
        if self.servers:
            self.servers.pop(self.random.randrange(len(self.servers))).listener.close()

    async def check_idleness(self) -> None:
        for pipe in self.pipes:
            pipe.transports[0].close()
            pipe.transports[1].abort()
        for server in self.servers:
            server.server.close()
        await super().check_idleness()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], WiderWorld)
