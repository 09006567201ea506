"""What a transport has accepted is sent, however its loop is left: stopped, closed, or dropped.

asyncio hands small writes to the kernel at once. A loop that gathers writes has to do it before it
gives up control, or a program that writes its answer and leaves would never send it.
"""

import asyncio
import gc
import socket
import warnings
from collections.abc import Callable, Iterator

import pytest

from tests.conftest import Loop
from tests.hazards.scripts import assert_clean, on_loop, run_script

PATIENCE_SECONDS = 5
ANSWER = b"the answer " * 1000  # fits into the kernel's buffers


class Near:
    """A transport of the loop, and the socket at its far end."""

    def __init__(self, loop: Loop) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.socket = socket.create_connection(listener.getsockname())
            self.peer, _ = listener.accept()
        self.peer.settimeout(PATIENCE_SECONDS)
        self.loop = loop
        self.transport, _ = loop.run_until_complete(
            loop.create_connection(asyncio.Protocol, sock=self.socket)
        )

    def receive(self, size: int) -> bytes:
        """What the peer gets while no loop runs."""
        received = b""
        while len(received) < size and (data := self.peer.recv(size - len(received))):
            received += data
        return received

    def end(self) -> None:
        self.peer.close()
        if not self.loop.is_closed():
            self.transport.abort()
            self.loop.run_until_complete(asyncio.sleep(0.001))
        self.socket.close()
        with warnings.catch_warnings():
            # A transport whose loop was closed under it is left over, and complains.
            warnings.simplefilter("ignore", ResourceWarning)
            del self.transport
            gc.collect()


@pytest.fixture
def near(loop: Loop) -> Iterator[Near]:
    """A connection whose near end is a transport of the loop."""
    near = Near(loop)
    yield near
    near.end()


Write = Callable[[asyncio.Transport], object]
WRITES: list[Write] = [
    lambda transport: transport.write(ANSWER),
    lambda transport: [transport.write(piece) for piece in (ANSWER[:1], ANSWER[1:5], ANSWER[5:])],
    lambda transport: transport.writelines([ANSWER[:100], ANSWER[100:]]),
    lambda transport: transport.write(bytearray(ANSWER)),
    lambda transport: (transport.write(ANSWER), transport.close()),
    lambda transport: (transport.write(ANSWER), transport.write_eof()),
]
write_in_every_way = pytest.mark.parametrize("write", WRITES)


@write_in_every_way
def test_what_is_written_before_stop_is_sent(loop: Loop, near: Near, write: Write) -> None:
    loop.call_soon(lambda: (write(near.transport), loop.stop()))
    loop.run_forever()
    assert near.receive(len(ANSWER)) == ANSWER


@write_in_every_way
def test_what_is_written_after_stop_in_the_same_iteration_is_sent(
    loop: Loop, near: Near, write: Write
) -> None:
    loop.call_soon(loop.stop)
    loop.call_soon(write, near.transport)
    loop.run_forever()
    assert near.receive(len(ANSWER)) == ANSWER


@write_in_every_way
def test_what_a_coroutine_writes_last_is_sent(loop: Loop, near: Near, write: Write) -> None:
    async def main() -> None:
        await asyncio.sleep(0)
        write(near.transport)

    loop.run_until_complete(main())
    assert near.receive(len(ANSWER)) == ANSWER


@write_in_every_way
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_what_is_written_before_an_interrupt_or_exit_is_sent(
    loop: Loop, near: Near, write: Write, kind: type[BaseException]
) -> None:
    def write_and_leave() -> None:
        write(near.transport)
        raise kind

    loop.call_soon(write_and_leave)
    with pytest.raises(kind):
        loop.run_forever()
    assert near.receive(len(ANSWER)) == ANSWER


@write_in_every_way
def test_what_is_written_while_the_loop_rests_is_sent_when_it_runs(
    loop: Loop, near: Near, write: Write
) -> None:
    write(near.transport)
    loop.run_until_complete(asyncio.sleep(0))
    assert near.receive(len(ANSWER)) == ANSWER


@write_in_every_way
def test_what_is_written_while_the_loop_rests_is_sent_at_once(
    loop: Loop, near: Near, write: Write
) -> None:
    write(near.transport)
    assert near.receive(len(ANSWER)) == ANSWER


@write_in_every_way
def test_what_is_written_before_the_loop_is_closed_is_sent(
    loop: Loop, near: Near, write: Write
) -> None:
    write(near.transport)
    loop.close()
    assert near.receive(len(ANSWER)) == ANSWER


def test_what_is_written_from_data_received_before_stop_is_sent(loop: Loop, near: Near) -> None:
    class Echo(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            self.transport.write(data)
            loop.stop()

    near.transport.set_protocol(echo := Echo())
    echo.connection_made(near.transport)
    near.peer.sendall(b"question")
    loop.run_forever()
    assert near.receive(8) == b"question"


def test_what_many_connections_write_before_stop_is_sent(loop: Loop) -> None:
    nears = [Near(loop) for _ in range(50)]

    def write_all() -> None:
        for near in nears:
            near.transport.write(ANSWER)
        loop.stop()

    loop.call_soon(write_all)
    loop.run_forever()
    for near in nears:
        assert near.receive(len(ANSWER)) == ANSWER
        near.end()


def test_a_run_that_is_continued_sends_the_rest(loop: Loop, near: Near) -> None:
    data = bytes(10_000_000)
    loop.call_soon(lambda: (near.transport.write(data), loop.stop()))
    loop.run_forever()
    receiving = loop.run_in_executor(None, near.receive, len(data))
    assert loop.run_until_complete(receiving) == data


ENDINGS = {
    "returning from asyncio.Runner": """
        async def main():
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(answer)

        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(main())
    """,
    "closing without waiting": """
        async def main():
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(answer)
            writer.close()

        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(main())
    """,
    "sys.exit in a coroutine": """
        async def main():
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(answer)
            sys.exit(0)

        new_loop().run_until_complete(main())
    """,
    "the end of the program with the loop open": """
        async def main():
            global kept
            reader, writer = kept = await asyncio.open_connection("127.0.0.1", port)
            writer.write(answer)

        loop = new_loop()
        loop.run_until_complete(main())
    """,
    "the end of the program after a write at rest": """
        loop = new_loop()
        reader, writer = loop.run_until_complete(asyncio.open_connection("127.0.0.1", port))
        writer.write(answer)
    """,
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_written_is_sent_before_the_process_ends_by(loop_name: str, ending: str) -> None:
    prelude = """
        import asyncio, sys, warnings
        warnings.simplefilter("ignore", ResourceWarning)
        port, answer = int(sys.argv[1]), b"the answer " * 1000
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE_SECONDS)
        port = listener.getsockname()[1]
        result = run_script(on_loop(loop_name, prelude, ENDINGS[ending]), str(port))
        assert_clean(result)
        peer, _ = listener.accept()
        with peer:
            peer.settimeout(PATIENCE_SECONDS)
            received = b""
            while data := peer.recv(65536):
                received += data
    assert received == ANSWER


DAEMON = """
import asyncio, os, socket, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # 3.12: threads, of Java as well, and fork

async def become_a_daemon(sockets):
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=sockets.pop())
    transport.write(b"the answer")
    os.fork()
    os._exit(0)

ours, peer = socket.socketpair()
if os.fork() == 0:
    peer.close()
    sockets = [ours]
    del ours
    new_loop().run_until_complete(become_a_daemon(sockets))
ours.close()
peer.settimeout(20)
assert peer.recv(100) == b"the answer"
os.wait()
"""


def test_what_is_written_before_a_fork_whose_parent_ends_is_sent(loop_name: str) -> None:
    assert_clean(run_script(on_loop(loop_name, DAEMON)))
