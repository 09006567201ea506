"""An exception on the way out of a method, as a signal handler raises it, breaks nothing.

Each script interrupts a method at each place where that may happen, and then has the loop go on,
with the memory of what was freed overwritten: Java must not point to it.
"""

import os
import textwrap

import pytest

from .scripts import assert_clean, run_script

# INTERRUPTIONS_EVERY=1 tries each place of the long operations as well.
EVERY = os.environ.get("INTERRUPTIONS_EVERY", "7")

# What is freed is overwritten at once.
ENVIRONMENT = {**os.environ, "PYTHONMALLOC": "debug"}

PRELUDE = """
import asyncio, gc, logging, os, signal, socket, sys, tempfile, warnings
from rloop import RLoop
from tests.hazards.interruptions import interrupt

warnings.simplefilter("ignore")
logging.disable()

loop = RLoop()
loop.set_exception_handler(lambda *_: None)

def turn():
    loop.stop()
    loop.run_forever()
"""


def run(*parts: str, argument: str = "") -> None:
    script = "".join(map(textwrap.dedent, parts))
    assert_clean(run_script(script, argument, EVERY, env=ENVIRONMENT, timeout=120))


# ---- one method ----------------------------------------------------------------------------------

WATCHING = """
called = []
(self_pipe,) = loop._watchers
ours, peer = socket.socketpair()
ours.setblocking(False)
peer.send(b"x")

def check(interruption):
    turn()
    loop.remove_reader(ours)
    loop.remove_writer(ours)
    assert loop._watchers.keys() == {self_pipe}, interruption.place
    called.clear()
    turn()
    assert called == [], interruption.place
"""


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("way", ["reader", "writer"])
def test_an_interrupted_watch_is_whole_or_not_there(way: str, debug: bool) -> None:
    script = f"""
    def add():
        loop.add_{way}(ours, called.append, 1)

    def replace():
        add()
        loop.add_{way}(ours, called.append, 2)

    loop.set_debug({debug})
    assert interrupt(add, check) > 4
    assert interrupt(replace, check) > 8
    """
    run(PRELUDE, WATCHING, script)


@pytest.mark.parametrize("way", ["reader", "writer"])
def test_an_interrupted_removal_has_happened_or_not(way: str) -> None:
    script = f"""
    def remove():
        loop.remove_{way}(ours)

    def check_and_add(interruption):
        check(interruption)
        loop.add_{way}(ours, called.append, 1)

    loop.add_{way}(ours, called.append, 1)
    assert interrupt(remove, check_and_add) > 4
    """
    run(PRELUDE, WATCHING, script)


def test_an_interrupted_call_in_debug_mode_is_not_scheduled() -> None:
    """Java calls Python there, to note where the handle was made."""
    script = """
    called = []

    def schedule():
        loop.call_soon(called.append, 1)
        loop.call_later(0, called.append, 2)
        loop.call_at(0, called.append, 3)
        loop.call_soon_threadsafe(called.append, 4)

    def check(interruption):
        turn()
        turn()
        assert interruption.has_come == (len(called) < 4), interruption.place
        called.clear()
        assert sys.getrefcount(loop) == references, interruption.place

    loop.set_debug(True)
    schedule()
    turn()
    turn()
    called.clear()
    references = sys.getrefcount(loop)
    assert interrupt(schedule, check) > 10
    """
    run(PRELUDE, script)


def test_an_interrupted_loop_leaves_no_descriptors() -> None:
    script = """
    def make_and_close():
        RLoop().close()

    def descriptors():
        gc.collect()
        return sorted(os.listdir("/proc/self/fd"))

    def check(interruption):
        assert len(descriptors()) == before, interruption.place

    make_and_close()
    before = len(descriptors())
    assert interrupt(make_and_close, check) > 30
    """
    run(PRELUDE, script)


def test_an_interrupted_run_leaves_the_signals_wakeup_alone() -> None:
    script = """
    def check(interruption):
        assert signal.set_wakeup_fd(-1) == -1, interruption.place
        turn()

    assert interrupt(turn, check) > 5
    """
    run(PRELUDE, script)


def test_a_transport_whose_finaliser_fails_is_forgotten() -> None:
    """Its warning, here an error, keeps it from ending its connection."""
    script = """
    import weakref

    class Pausing(asyncio.Protocol):
        def connection_made(self, transport):
            self.transport = weakref.ref(transport)

        def data_received(self, data):
            self.transport().pause_reading()

    async def drop_transports():
        for _ in range(100):
            ours, peer = socket.socketpair()
            ours.setblocking(False)
            await loop.create_connection(Pausing, sock=ours)
            peer.send(b"x")
            await asyncio.sleep(0.001)
            peer.close()

    failures = []
    sys.unraisablehook = lambda failure: failures.append(failure.exc_type)
    warnings.simplefilter("error")
    loop.run_until_complete(drop_transports())
    assert failures.count(ResourceWarning) >= 100
    """
    run(PRELUDE, script)


# ---- a connection from its beginning to its end --------------------------------------------------

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


@pytest.mark.parametrize("after", [0.002, 0.01, 0.03, 0.06, 0.1])
def test_an_interrupted_start_of_java_can_be_repeated(after: float) -> None:
    """What a signal handler raises comes out when Java runs, or before it is started."""
    script = f"""
    import asyncio, signal
    from rloop import RLoop

    class Interruption(BaseException):  # which nobody takes for a file that can't be read
        pass

    def interrupt(*_):
        raise Interruption

    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, {after})
    try:
        RLoop().close()
        signal.pause()
    except Interruption:
        pass
    loop = RLoop()
    assert loop.run_until_complete(asyncio.sleep(0, "result")) == "result"
    loop.close()
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()
    """
    run(script)
