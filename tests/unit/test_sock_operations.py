"""The `sock_*` coroutines: plain sockets awaited."""

import asyncio
import contextlib
import gc
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator

import pytest

from tests.conftest import OURS, Loop
from tests.unit.connections import Recorder, tcp_pair, until_lost, until_received
from tests.unit.pollers import USES_EPOLL, is_registered_with_epoll
from tests.unit.successors import Pair


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two connected TCP sockets that do not block."""
    ours, peer = tcp_pair()
    ours.setblocking(False)
    peer.setblocking(False)
    with ours, peer:
        yield ours, peer


async def test_recv_gives_what_is_there(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    peer.send(b"already there")
    assert await loop.sock_recv(ours, 100) == b"already there"


async def test_recv_waits_for_data(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    loop.call_later(0.005, peer.send, b"later")
    assert await loop.sock_recv(ours, 100) == b"later"


@pytest.mark.skipif(not USES_EPOLL, reason="asks Linux what is registered with epoll")
async def test_a_socket_stays_registered_with_the_poller(
    loop: Loop, loop_name: str, pair: Pair
) -> None:
    ours, peer = pair
    for _ in range(2):
        loop.call_later(0.005, peer.send, b"later")
        await loop.sock_recv(ours, 100)
        await loop.sock_sendall(ours, b"answer")
        # asyncio watches it only while somebody waits.
        assert is_registered_with_epoll(ours) == (loop_name in OURS)


async def test_recv_takes_no_more_than_asked(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    peer.send(b"abcdef")
    assert await loop.sock_recv(ours, 2) == b"ab"
    assert await loop.sock_recv(ours, 2) == b"cd"
    assert await loop.sock_recv(ours, 100) == b"ef"


@pytest.mark.parametrize("delay", [0, 0.005])
async def test_recv_gives_nothing_at_the_end(loop: Loop, pair: Pair, delay: float) -> None:
    ours, peer = pair
    loop.call_later(delay, peer.close)
    assert await loop.sock_recv(ours, 100) == b""
    assert await loop.sock_recv(ours, 100) == b""


async def test_recv_raises_when_the_connection_is_reset(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    loop.call_later(0.005, peer.close)
    with pytest.raises(ConnectionResetError):
        await loop.sock_recv(ours, 100)


async def test_recv_into_fills_the_buffer(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    buffer = bytearray(b"..........")
    peer.send(b"there")
    assert await loop.sock_recv_into(ours, buffer) == 5
    assert buffer == b"there....."
    loop.call_later(0.005, peer.send, b"later than that")
    assert await loop.sock_recv_into(ours, memoryview(buffer)[2:8]) == 6
    assert buffer == b"thlater .."
    peer.close()
    assert await loop.sock_recv_into(ours, buffer) == 9
    assert await loop.sock_recv_into(ours, buffer) == 0


@pytest.mark.parametrize("make", [bytes, bytearray, lambda data: memoryview(bytearray(data))])
async def test_sendall_sends_each_kind_of_bytes(
    loop: Loop, pair: Pair, make: Callable[[bytes], bytes]
) -> None:
    ours, peer = pair
    await loop.sock_sendall(ours, make(b"payload"))
    assert peer.recv(100) == b"payload"


async def test_sendall_of_nothing_returns(loop: Loop, pair: Pair) -> None:
    await loop.sock_sendall(pair[0], b"")


async def test_sendall_sends_ten_megabytes(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    data = bytes(range(256)) * 40_000
    sending = asyncio.ensure_future(loop.sock_sendall(ours, data))
    received = bytearray()
    while len(received) < len(data):
        received += await loop.sock_recv(peer, 1 << 20)
    await sending
    assert received == data


async def test_sendall_raises_when_the_peer_is_gone(loop: Loop, pair: Pair) -> None:
    ours, peer = pair
    sending = asyncio.ensure_future(loop.sock_sendall(ours, bytes(20_000_000)))
    await asyncio.sleep(0.005)
    peer.close()
    with pytest.raises(ConnectionError):
        await sending


async def test_one_socket_receives_and_sends_at_once(loop: Loop, pair: Pair) -> None:
    size = 3_000_000

    async def receive(sock: socket.socket) -> int:
        received = 0
        while received < size:
            received += len(await loop.sock_recv(sock, 100_000))
        return received

    ours, peer = pair
    results = await asyncio.gather(
        receive(ours),
        receive(peer),
        loop.sock_sendall(ours, bytes(size)),
        loop.sock_sendall(peer, bytes(size)),
    )
    assert results[0] == results[1] == size


async def test_many_sockets_receive_and_send_at_once(loop: Loop) -> None:
    async def exchange(number: int) -> None:
        ours, peer = socket.socketpair()
        ours.setblocking(False)
        peer.setblocking(False)
        with ours, peer:
            for round_ in range(20):
                message = b"%d/%d" % (number, round_)
                receiving = asyncio.ensure_future(loop.sock_recv(ours, 100))
                await asyncio.sleep(0)
                await loop.sock_sendall(peer, message)
                assert await receiving == message

    await asyncio.gather(*map(exchange, range(50)))


async def test_connect_and_accept_meet(loop: Loop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as client:
        listener.setblocking(False)
        client.setblocking(False)
        (accepted, address), _ = await asyncio.gather(
            loop.sock_accept(listener), loop.sock_connect(client, listener.getsockname())
        )
        with accepted:
            assert address == client.getsockname()
            assert accepted.gettimeout() == 0
            await loop.sock_sendall(client, b"hello")
            assert await loop.sock_recv(accepted, 100) == b"hello"


async def test_accept_takes_who_waits_already(loop: Loop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        with socket.create_connection(listener.getsockname()) as client:
            accepted, address = await loop.sock_accept(listener)
            accepted.close()
            assert address == client.getsockname()


async def test_connect_resolves_names(loop: Loop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as client:
        client.setblocking(False)
        await loop.sock_connect(client, ("localhost", listener.getsockname()[1]))
        assert client.getpeername() == listener.getsockname()


async def test_connect_raises_when_nobody_listens(loop: Loop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    with socket.socket() as client:
        client.setblocking(False)
        with pytest.raises(ConnectionRefusedError):
            await loop.sock_connect(client, address)


async def test_connect_works_on_a_unix_socket(loop: Loop) -> None:
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        listener.bind("")
        listener.listen()
        client.setblocking(False)
        await loop.sock_connect(client, listener.getsockname())
        assert client.getpeername() == listener.getsockname()


Operation = Callable[[Loop, socket.socket], Awaitable[object]]
OPERATIONS: list[Operation] = [
    lambda loop, sock: loop.sock_recv(sock, 1),
    lambda loop, sock: loop.sock_recv_into(sock, bytearray(1)),
    lambda loop, sock: loop.sock_sendall(sock, b"x"),
    lambda loop, sock: loop.sock_connect(sock, ("127.0.0.1", 1)),
    lambda loop, sock: loop.sock_accept(sock),
]


@pytest.mark.parametrize("operate", OPERATIONS)
async def test_a_blocking_socket_is_refused_in_debug_mode(
    loop: Loop, pair: Pair, operate: Operation
) -> None:
    loop.set_debug(True)
    pair[0].setblocking(True)
    with pytest.raises(ValueError, match="^the socket must be non-blocking$"):
        await operate(loop, pair[0])


@pytest.mark.parametrize("operate", OPERATIONS)
async def test_a_tls_socket_is_refused(loop: Loop, pair: Pair, operate: Operation) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    with (
        context.wrap_socket(pair[0], do_handshake_on_connect=False) as wrapped,
        pytest.raises(TypeError, match="^Socket cannot be of type SSLSocket$"),
    ):
        await operate(loop, wrapped)


@pytest.mark.parametrize("operate", OPERATIONS[:3] + OPERATIONS[4:])
async def test_a_closed_socket_raises(loop: Loop, pair: Pair, operate: Operation) -> None:
    pair[0].close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        await operate(loop, pair[0])


async def test_the_socket_of_a_transport_is_refused(loop: Loop, pair: Pair) -> None:
    ours, _ = pair
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
    with pytest.raises(RuntimeError, match="is used by transport"):
        await loop.sock_recv(ours, 1)
    transport.abort()
    await asyncio.sleep(0)
    await asyncio.sleep(0)


@pytest.mark.parametrize("bad", ["text", 42, None])
async def test_sendall_refuses_what_is_not_bytes(loop: Loop, pair: Pair, bad: object) -> None:
    with pytest.raises(TypeError, match="a bytes-like object is required"):
        await loop.sock_sendall(pair[0], bad)  # type: ignore[arg-type]


async def test_sendall_raises_what_a_memory_view_raises(loop: Loop, pair: Pair) -> None:
    with pytest.raises(BufferError, match="not C-contiguous"):
        await loop.sock_sendall(pair[0], memoryview(b"abcd")[::2])
    released = memoryview(b"abcd")
    released.release()
    with pytest.raises(ValueError, match="released memoryview"):
        await loop.sock_sendall(pair[0], released)


async def test_memory_is_given_back_although_making_the_future_writes(
    loop: Loop, pair: Pair
) -> None:
    near, far = socket.socketpair()
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=near)

    def create_future() -> "asyncio.Future[None]":
        transport.write(memoryview(b"in between"))
        return asyncio.Future(loop=loop)

    loop.create_future = create_future  # type: ignore[method-assign]
    memory = bytearray(10_000_000)
    sending = asyncio.ensure_future(loop.sock_sendall(pair[0], memoryview(memory)))
    await asyncio.sleep(0)
    sending.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await sending
    del sending
    await asyncio.sleep(0)
    gc.collect()
    memory.clear()  # a BufferError if it is still exported
    transport.abort()
    await asyncio.sleep(0)
    far.close()


async def test_recv_into_refuses_what_cannot_be_written(loop: Loop, pair: Pair) -> None:
    with pytest.raises(TypeError):
        await loop.sock_recv_into(pair[0], b"read-only")


async def test_recv_refuses_a_negative_size(loop: Loop, pair: Pair) -> None:
    with pytest.raises(ValueError, match="negative buffersize in recv"):
        await loop.sock_recv(pair[0], -1)


async def test_a_readers_callback_does_not_stop_a_recv_in_the_other_direction(
    loop: Loop, pair: Pair
) -> None:
    ours, peer = pair
    wrote: list[str] = []
    receiving = asyncio.ensure_future(loop.sock_recv(ours, 1))
    await asyncio.sleep(0)
    loop.add_writer(ours, wrote.append, "writer")
    await asyncio.sleep(0.002)
    loop.remove_writer(ours)
    peer.send(b"x")
    assert await receiving == b"x"
    assert wrote


@pytest.mark.parametrize("add", ["add_reader", "add_writer"])
async def test_a_callback_goes_on_when_the_socket_is_first_used_otherwise(
    loop: Loop, pair: Pair, add: str
) -> None:
    ours, peer = pair
    called: list[bool] = []
    getattr(loop, add)(ours, called.append, True)
    await asyncio.sleep(0)
    if add == "add_reader":
        await loop.sock_sendall(ours, b"x")
    peer.send(b"y")
    if add == "add_writer":
        await loop.sock_recv(ours, 1)
        called.clear()
    await asyncio.sleep(0.01)
    assert called
    getattr(loop, add.replace("add", "remove"))(ours)


async def test_the_socket_of_a_transport_is_refused_though_it_was_used_before(
    loop: Loop, pair: Pair
) -> None:
    ours, peer = pair
    loop.call_later(0.005, peer.send, b"before")
    assert await loop.sock_recv(ours, 100) == b"before"
    transport, protocol = await loop.create_connection(Recorder, sock=ours)
    with pytest.raises(RuntimeError, match="is used by transport"):
        await loop.sock_recv(ours, 100)
    peer.send(b"later")
    await until_received(protocol, 5)
    assert protocol.received == b"later"
    transport.abort()
    await until_lost(protocol)
