"""Whatever the pieces in which data is written and read, the same bytes come out."""

import asyncio
import random
import socket

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Loop
from tests.unit.connections import BufferedRecorder, Recorder, tcp_pair, turns, until

EXAMPLES = 40

unhurried = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

sizes = st.one_of(
    st.integers(0, 100), st.sampled_from([4096, 65_535, 65_536, 65_537, 262_144, 1_000_003])
)
makers = st.sampled_from(["bytes", "bytearray", "memoryview", "writelines"])
steps = st.lists(st.tuples(makers, sizes, st.booleans()), max_size=20)


def pattern(size: int) -> bytes:
    """Bytes that show what is missing, doubled or out of order."""
    return random.Random(size).randbytes(size)


def write(transport: asyncio.Transport, kind: str, data: bytes) -> None:
    if kind == "writelines":
        middle = len(data) // 2
        transport.writelines([data[:middle], bytearray(data[middle:])])
    elif kind == "bytearray":
        transport.write(bytearray(data))
    elif kind == "memoryview":
        transport.write(memoryview(data))
    else:
        transport.write(data)


@unhurried
@given(steps=steps, ends_with_eof=st.booleans())
def test_what_is_written_in_pieces_arrives_whole(
    loop: Loop, steps: list[tuple[str, int, bool]], ends_with_eof: bool
) -> None:
    async def main() -> tuple[bytes, bytes]:
        ours, peer = tcp_pair()
        transport, protocol = await loop.create_connection(Recorder, sock=ours)
        receiving = loop.run_in_executor(None, receive_everything, peer)
        expected = bytearray()
        for kind, size, lets_the_loop_run in steps:
            data = pattern(size)
            write(transport, kind, data)
            expected += data
            if lets_the_loop_run:
                await asyncio.sleep(0)
        if ends_with_eof:
            transport.write_eof()
        else:
            transport.close()
        received = await receiving
        peer.close()
        await until(lambda: protocol.is_lost)
        return received, bytes(expected)

    received, expected = loop.run_until_complete(main())
    assert received == expected


@unhurried
@given(
    pieces=st.lists(st.integers(0, 30_000), max_size=8),
    buffer_sizes=st.lists(st.one_of(st.none(), st.integers(500, 70_000)), min_size=1, max_size=4),
    pauses=st.lists(st.booleans(), min_size=1, max_size=6),
)
def test_what_is_sent_in_pieces_is_read_whole_by_protocols_that_change_and_pause(
    loop: Loop, pieces: list[int], buffer_sizes: list[int | None], pauses: list[bool]
) -> None:
    async def main() -> tuple[bytes, bytes]:
        ours, peer = tcp_pair()
        received = bytearray()
        lost = loop.create_future()

        class Plain(Recorder):
            def data_received(self, data: bytes) -> None:
                received.extend(data)

            def connection_lost(self, exc: BaseException | None) -> None:
                lost.set_result(exc)

        class Buffered(BufferedRecorder):
            def buffer_updated(self, nbytes: int) -> None:
                received.extend(self.buffer[:nbytes])

            def connection_lost(self, exc: BaseException | None) -> None:
                lost.set_result(exc)

        data = b"".join(map(pattern, pieces))
        transport, _ = await loop.create_connection(Plain, sock=ours)
        sending = loop.run_in_executor(None, send_and_close, peer, data)
        turn = 0
        while not lost.done():
            size = buffer_sizes[turn % len(buffer_sizes)]
            transport.set_protocol(Plain() if size is None else Buffered(size))
            if pauses[turn % len(pauses)]:
                transport.pause_reading()
                await turns()
                transport.resume_reading()
            turn += 1
            await turns()  # two, since the next pause takes back a read that is due only now
        await sending
        assert lost.result() is None
        return bytes(received), data

    received, expected = loop.run_until_complete(main())
    assert received == expected


def receive_everything(sock: socket.socket) -> bytes:
    received = bytearray()
    while data := sock.recv(1 << 20):
        received += data
    return bytes(received)


def send_and_close(sock: socket.socket, data: bytes) -> None:
    with sock:
        sock.sendall(data)
