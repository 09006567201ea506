"""What the threads do: all that asyncio allows to the loop's own thread alone."""

import asyncio
import random
import socket
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from .objects import PIECE, Buffer, BufferedEcho, Dying, Echo, Property, Shared, Whistle, pair

KEPT = 40  # handles, futures, and coroutines that are suspended

FILE = tempfile.TemporaryFile()  # noqa: SIM115  # as long as the process
FILE.write(bytes(PIECE))


def one_of(*ways: Callable[[], Any]) -> Any:
    """Does one of these."""
    return random.choice(ways)()


def keep(shared: Shared, thing: Any) -> None:
    shared.kept.append(thing)
    if len(shared.kept) > KEPT:
        shared.kept.pop(random.randrange(KEPT))


def step(shared: Shared, coroutine: Any) -> None:
    """What the coroutine does until it waits; dropped, closed or gone on with later."""
    try:
        waits_for = coroutine.send(None)
    except StopIteration:
        return
    keep(shared, random.choice([coroutine, waits_for]))


def schedule(shared: Shared) -> None:
    loop = shared.loop
    handles = [
        loop.call_soon(bool, Dying()),
        loop.call_later(random.random() / 100, bool, Dying()),
        loop.call_at(loop.time() + random.random(), bool, Dying()),
        loop.call_soon_threadsafe(bool, Dying()),
    ]
    for handle in handles:
        one_of(handle.cancel, handle.cancelled, handle.__repr__, lambda: None)
    keep(shared, random.choice(handles))


def use_kept(shared: Shared) -> None:
    thing = random.choice(shared.kept)
    if isinstance(thing, asyncio.Handle):
        one_of(thing.cancel, thing.cancelled, thing.__repr__)
    elif isinstance(thing, asyncio.Future):
        one_of(thing.cancel, thing.done, thing.__repr__)
    else:
        one_of(thing.close, lambda: thing.send(None))


def data(shared: Shared) -> Any:
    choices = [b"x" * random.randrange(2 * PIECE), shared.buffer, memoryview(shared.buffer)]
    return random.choice([*choices, memoryview(Buffer()) if sys.version_info >= (3, 12) else b""])


def resize(shared: Shared) -> None:
    if random.random() < 0.5:
        shared.buffer.extend(bytes(random.randrange(PIECE)))
    else:
        del shared.buffer[random.randrange(PIECE) :]


def use_stream(shared: Shared) -> None:
    transport = random.choice(shared.transports)
    protocol: Any = random.choice([Echo, BufferedEcho, Property])(shared)
    protocol.transport = transport
    high = random.randrange(2 * PIECE)
    one_of(
        lambda: transport.write(data(shared)),
        lambda: transport.write(data(shared)),
        lambda: transport.writelines([data(shared) for _ in range(3)]),
        lambda: transport.write(bytes(300_000)),
        transport.pause_reading,
        transport.resume_reading,
        transport.is_reading,
        transport.is_closing,
        transport.get_write_buffer_size,
        transport.get_write_buffer_limits,
        transport.__repr__,
        lambda: transport.set_write_buffer_limits(high),
        lambda: transport.set_protocol(protocol),
        lambda: transport.get_extra_info("peername"),
        transport.get_protocol,
    )


def end_stream(shared: Shared) -> None:
    transport = random.choice(shared.transports + shared.writing_pipes)
    one_of(transport.close, transport.abort, transport.write_eof)


def use_pipe(shared: Shared) -> None:
    transport = random.choice(shared.writing_pipes)
    one_of(
        lambda: transport.write(data(shared)),
        lambda: transport.writelines([b"a", b"b"]),
        transport.get_write_buffer_size,
        transport.__repr__,
    )


def use_datagrams(shared: Shared) -> None:
    transport = random.choice(shared.datagrams)
    address = random.choice([shared.datagram_address, ("127.0.0.1", 9), ("\xfc", 9), None])
    one_of(
        lambda: transport.sendto(data(shared), address),
        lambda: transport.sendto(data(shared), address),
        lambda: transport.sendto(b"datagram", shared.datagram_address),
        transport.get_write_buffer_size,
        transport.is_closing,
        transport.__repr__,
        lambda: random.random() < 0.1 and one_of(transport.close, transport.abort),
    )


def watch(shared: Shared) -> None:
    loop, end = shared.loop, random.choice(shared.sockets)
    one_of(
        lambda: loop.add_reader(end, bool, Dying()),
        lambda: loop.add_writer(end, bool, Dying()),
        lambda: loop.remove_reader(end),
        lambda: loop.remove_writer(end),
    )


def use_socket(shared: Shared) -> None:
    loop, end = shared.loop, random.choice(shared.sockets)
    step(
        shared,
        one_of(
            lambda: loop.sock_recv(end, PIECE),
            lambda: loop.sock_recv_into(end, shared.buffer),
            lambda: loop.sock_recv_into(end, Buffer()),
            lambda: loop.sock_sendall(end, data(shared)),
            lambda: loop.sock_sendall(end, bytes(300_000)),
            lambda: loop.sock_recvfrom(end, PIECE),
            lambda: loop.sock_recvfrom_into(end, shared.buffer),
            lambda: loop.sock_sendto(end, data(shared), shared.datagram_address),
            lambda: loop.sock_sendfile(end, FILE),
            lambda: loop.sock_accept(end),
            lambda: loop.sock_connect(end, shared.datagram_address),
        ),
    )


def replace_socket(shared: Shared) -> None:
    place = random.randrange(0, 6, 2)
    old = shared.sockets[place : place + 2]
    shared.sockets[place : place + 2] = pair()
    for end in old:
        end.close()


def connect(shared: Shared) -> None:
    with socket.create_connection(shared.address, 1) as end:
        end.sendall(b"hello")


def use_loop(shared: Shared) -> None:
    loop = shared.loop
    one_of(
        loop.close,
        loop.__repr__,
        loop.is_running,
        lambda: loop.is_running() and loop.run_forever(),
        lambda: step(shared, loop.shutdown_asyncgens()),
        lambda: loop.set_debug(random.random() < 0.1),
        lambda: next(loop._state),
        lambda: Whistle(shared),
    )


ACTIONS: dict[Callable[[Shared], None], int] = {
    schedule: 10,
    use_kept: 10,
    resize: 4,
    use_stream: 40,
    end_stream: 1,
    use_pipe: 5,
    use_datagrams: 10,
    watch: 10,
    use_socket: 20,
    replace_socket: 1,
    connect: 2,
    use_loop: 2,
}
