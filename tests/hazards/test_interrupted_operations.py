"""A connection that is interrupted anywhere between its beginning and its end harms no other.

See `test_interrupted_methods`: the same for single methods.
"""

import pytest

from .interrupted_scripts import PRELUDE, run

OPERATIONS = """
import contextlib
from tests.unit.tls.peers import certificates

class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)

class Filled(asyncio.BufferedProtocol):
    def __init__(self):
        self.buffer, self.missing, self.full = bytearray(3), 10, loop.create_future()

    def get_buffer(self, sizehint):
        return self.buffer

    def buffer_updated(self, count):
        self.missing -= count
        if self.missing == 0 and not self.full.done():
            self.full.set_result(None)

class Datagrams(asyncio.DatagramProtocol):
    def __init__(self):
        self.first = loop.create_future()

    def datagram_received(self, data, address):
        if not self.first.done():
            self.first.set_result(data)

async def upgrade(reader, writer):
    await writer.start_tls(server_context)
    writer.write(await reader.readexactly(4))
    writer.close()

def serve(protocol, **options):
    server = loop.run_until_complete(loop.create_server(protocol, "127.0.0.1", 0, **options))
    return server.sockets[0].getsockname()

server_context = certificates().server_context()
tls = {"ssl": certificates().client_context(), "server_hostname": "localhost"}
echoing = serve(Echo)
echoing_by_tls = serve(Echo, ssl=server_context)
upgrading = loop.run_until_complete(asyncio.start_server(upgrade, "127.0.0.1", 0))
file = tempfile.TemporaryFile()
file.write(bytes(1_000_000))
file.flush()

async def end(writer):
    writer.close()
    await writer.wait_closed()

async def echo():
    reader, writer = await asyncio.open_connection(*echoing)
    writer.write(b"ping")
    assert await reader.readexactly(4) == b"ping"
    await end(writer)

async def echo_by_tls():
    reader, writer = await asyncio.open_connection(*echoing_by_tls, **tls)
    writer.write(bytes(5000))
    writer.writelines([b"a", bytearray(b"b")])
    assert await reader.readexactly(5002) == bytes(5000) + b"ab"
    await end(writer)

async def start_tls():
    reader, writer = await asyncio.open_connection(*upgrading.sockets[0].getsockname())
    await writer.start_tls(tls["ssl"], server_hostname="localhost")
    writer.write(b"ping")
    assert await reader.readexactly(4) == b"ping"
    await end(writer)

async def write_much():
    reader, writer = await asyncio.open_connection(*echoing)
    transport = writer.transport
    transport.set_write_buffer_limits(10, 2)
    transport.write(bytes(3_000_000))
    transport.writelines([b"x", bytearray(b"y"), memoryview(b"z")])
    transport.pause_reading()
    transport.resume_reading()
    assert len(await reader.readexactly(3_000_003)) == 3_000_003
    writer.write_eof()
    transport.abort()

async def read_into_buffers():
    transport, plain = await loop.create_connection(asyncio.Protocol, *echoing)
    for protocol in Filled(), Filled():
        transport.write(b"0123456789")
        loop.call_later(0.001, transport.set_protocol, protocol)
        transport.set_protocol(plain)
        loop.call_later(0.002, transport.write, b"0123456789")
        await protocol.full
    transport.close()

async def accept():
    server = await loop.create_server(Echo, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"p")
    await reader.readexactly(1)
    server.close()
    await end(writer)

async def send_file():
    reader, writer = await asyncio.open_connection(*echoing)
    sending = asyncio.ensure_future(loop.sendfile(writer.transport, file))
    assert len(await reader.readexactly(1_000_000)) == 1_000_000
    await sending
    await end(writer)

async def send_datagrams():
    transport, protocol = await loop.create_datagram_endpoint(
        Datagrams, local_addr=("127.0.0.1", 0)
    )
    address = transport.get_extra_info("sockname")
    other, _ = await loop.create_datagram_endpoint(Datagrams, remote_addr=address)
    other.sendto(b"x")
    other.sendto(bytearray(b"y"))
    await protocol.first
    transport.sendto(b"z", ("localhost", address[1]))
    transport.close()
    other.abort()
    await asyncio.sleep(0)

async def use_pipes():
    reading, writing = os.pipe()
    reading, writing = os.fdopen(reading, "rb", 0), os.fdopen(writing, "wb", 0)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), reading)
    transport, _ = await loop.connect_write_pipe(asyncio.Protocol, writing)
    transport.write(bytes(300_000))
    transport.close()
    assert len(await reader.read()) == 300_000

async def use_sockets():
    with contextlib.ExitStack() as stack:
        def non_blocking(sock):
            sock.setblocking(False)
            return stack.enter_context(sock)

        one, other = map(non_blocking, socket.socketpair())
        receiving = asyncio.ensure_future(loop.sock_recv(one, 10))
        await asyncio.sleep(0)
        await loop.sock_sendall(other, b"x")
        assert await receiving == b"x"
        sending = asyncio.ensure_future(loop.sock_sendall(other, bytes(1_000_000)))
        missing = 1_000_000
        while missing:
            missing -= await loop.sock_recv_into(one, bytearray(100_000))
        await sending
        listener = non_blocking(socket.create_server(("127.0.0.1", 0)))
        accepting = asyncio.ensure_future(loop.sock_accept(listener))
        client = non_blocking(socket.socket())
        await loop.sock_connect(client, listener.getsockname())
        stack.enter_context((await accepting)[0])
        datagrams = non_blocking(socket.socket(type=socket.SOCK_DGRAM))
        datagrams.bind(("127.0.0.1", 0))
        receiving = asyncio.ensure_future(loop.sock_recvfrom(datagrams, 100))
        await asyncio.sleep(0)
        await loop.sock_sendto(datagrams, b"q", datagrams.getsockname())
        await receiving

async def schedule():
    for _ in range(3):
        loop.call_soon(id, 1)
        loop.call_soon_threadsafe(id, 1)
        handle, timer = loop.call_soon(id, 2), loop.call_later(0.001, id, 1)
        repr((handle, timer))
        handle.cancel()
        timer.cancel()
        await asyncio.sleep(0)
    loop.set_debug(True)
    loop.call_later(0.001, id, 1)
    loop.set_debug(False)

async def handle_signals():
    loop.add_signal_handler(signal.SIGUSR1, id, 1)
    os.kill(os.getpid(), signal.SIGUSR1)
    await asyncio.sleep(0)
    loop.remove_signal_handler(signal.SIGUSR1)

operation = globals()[sys.argv[1]]

def operate():
    '''What is interrupted may wait for ever, as on asyncio.'''
    with contextlib.suppress(Exception):
        loop.run_until_complete(asyncio.wait_for(operation(), 0.3))

def run(make):
    '''The end of an interrupted run may still be scheduled, as on asyncio.'''
    try:
        return loop.run_until_complete(make())
    except RuntimeError:
        return loop.run_until_complete(make())

async def clean_up():
    loop.set_debug(False)
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    if rest:
        await asyncio.wait(rest, timeout=1)
    for transport in list(loop._transports.values()):
        transport.abort()
    await asyncio.sleep(0)

def check(interruption):
    run(clean_up)
    for handle in loop._watchers.keys() - watched:
        number, _ = loop._watchers[handle]
        loop.remove_reader(number)
        loop.remove_writer(number)
    gc.collect()
    run(lambda: asyncio.wait_for(echo(), 10))

watched = set(loop._watchers)
operate()
loop.run_until_complete(echo())
assert interrupt(operate, check, every=int(sys.argv[2])) > 20
loop.close()
"""


@pytest.mark.parametrize(
    "operation",
    [
        "accept",
        "echo",
        "echo_by_tls",
        "handle_signals",
        "read_into_buffers",
        "schedule",
        "send_datagrams",
        "send_file",
        "start_tls",
        "use_pipes",
        "use_sockets",
        "write_much",
    ],
)
def test_the_loop_goes_on_after_an_interrupted_operation(operation: str) -> None:
    run(PRELUDE, OPERATIONS, argument=operation)
