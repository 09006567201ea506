"""Both ends of connections, each of which sends messages to the other."""

import asyncio
import random
from typing import Any

from .messages import Incoming, Outgoing

_BURST = 8  # messages
_BUFFER = 30_000  # bytes; some messages are longer

LONGEST_PAUSE = 0.005  # seconds
_PAUSES = 0.02  # the part of receptions after which it pauses
_SWITCHES = 0.01  # the part after which another protocol takes over


class Conversation:
    """What one end has said and heard, whichever protocol it has just now."""

    def __init__(self, seed: int, count: int) -> None:
        self.loop = asyncio.get_running_loop()
        self.random = random.Random(seed)
        self.outgoing = Outgoing(seed, count)
        self.incoming = Incoming(count)
        self.ended = self.loop.create_future()
        self.transport: Any = None
        self._protocols = [Received(self), Buffered(self)]
        self._may_write = True

    def protocol(self) -> asyncio.BaseProtocol:
        """One of those that it may have."""
        return self.random.choice(self._protocols)

    def starts(self, transport: Any) -> None:
        self.transport = transport
        self._say()

    def may_write(self, may: bool) -> None:
        self._may_write = may
        if may:
            self._say()

    def _say(self) -> None:
        """A burst in each turn, so that much else comes in between."""
        if self.transport.is_closing():
            return
        for _ in range(self.random.randint(1, _BURST)):
            if not self._may_write or not self.outgoing.left:
                break
            self.transport.write(self.outgoing.next())
        if self._may_write and self.outgoing.left:
            self.loop.call_soon(self._say)
        self._end_if_done()

    def hears(self, piece: bytes | memoryview) -> None:
        try:
            self.incoming.feed(piece)
        except AssertionError as wrong:
            self._ends_with(wrong)
            return
        self._end_if_done()
        chance = self.random.random()
        if chance < _PAUSES:
            self.transport.pause_reading()
            self.loop.call_later(
                self.random.random() * LONGEST_PAUSE, self.transport.resume_reading
            )
        elif chance < _PAUSES + _SWITCHES:
            self.transport.set_protocol(self.protocol())

    def _end_if_done(self) -> None:
        """Who has both said and heard all closes; the other one may be as far, or not yet."""
        if not self.outgoing.left and self.incoming.are_complete:
            self.transport.close()

    def is_lost(self, exc: Exception | None) -> None:
        if exc is None and not (self.incoming.are_complete and not self.outgoing.left):
            exc = AssertionError(f"the end after {self.incoming}, {self.outgoing.left} unsaid")
        self._ends_with(exc)

    def _ends_with(self, exc: Exception | None) -> None:
        if self.ended.done():
            return
        if exc is None:
            self.ended.set_result(None)
        else:
            self.ended.set_exception(exc)
            self.transport.abort()


class _Talker(asyncio.BaseProtocol):
    """Tells a conversation what happens."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.conversation.starts(transport)

    def pause_writing(self) -> None:
        self.conversation.may_write(False)

    def resume_writing(self) -> None:
        self.conversation.may_write(True)

    def connection_lost(self, exc: Exception | None) -> None:
        self.conversation.is_lost(exc)


class Received(_Talker, asyncio.Protocol):
    """Gets bytes."""

    def data_received(self, data: bytes) -> None:
        self.conversation.hears(data)


class Buffered(_Talker, asyncio.BufferedProtocol):
    """Has a buffer of its own."""

    def __init__(self, conversation: Conversation) -> None:
        super().__init__(conversation)
        self.buffer = memoryview(bytearray(_BUFFER))

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.conversation.hears(self.buffer[:nbytes])


async def converse(first: Any, second: Any, seed: int, count: int, **tls: Any) -> None:
    """Exchanges messages over a pair of sockets."""
    loop = asyncio.get_running_loop()
    client, server = Conversation(seed, count), Conversation(seed + 1, count)
    accepted = {"ssl": tls["server"]} if tls else {}
    connected = {"ssl": tls["client"], "server_hostname": "localhost"} if tls else {}
    await asyncio.gather(
        loop.create_connection(client.protocol, sock=first, **connected),
        loop.connect_accepted_socket(server.protocol, second, **accepted),
    )
    await asyncio.gather(client.ended, server.ended)
