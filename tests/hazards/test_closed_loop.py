"""What is left of a closed loop may be used, and does not bring the process down."""

import pytest

from .scripts import assert_clean, on_loop, run_script

SCRIPT = """
import asyncio, os, socket, sys, warnings
from contextlib import suppress

class EndsTheRun(asyncio.Protocol, asyncio.DatagramProtocol):
    '''Leaves its transport as it is before the loop watches the socket.'''

    def connection_made(self, transport):
        self.transport = transport
        raise SystemExit

    def error_received(self, exc):
        pass

def use(transport):
    for name, *args in (
        ("write", b"x"),
        ("write", bytes(10_000_000)),  # more than the kernel takes
        ("pause_reading",),
        ("resume_reading",),
        ("sendto", b"x", ("127.0.0.1", 9)),
        ("sendto", b"x", ("localhost", 9)),
        ("get_write_buffer_size",),
        ("__repr__",),
        ("close",),
        ("abort",),
    ):
        try:
            getattr(transport, name)(*args)
        except (AttributeError, NotImplementedError):
            pass  # a method of the other kind of transport
        except RuntimeError as error:
            assert str(error) == "Event loop is closed", error

warnings.simplefilter("ignore", ResourceWarning)
for _ in range(20):
    loop = new_loop()
    protocol = EndsTheRun()
    if sys.argv[1] == "stream":
        ours, peer = socket.socketpair()
        creating = loop.create_connection(lambda: protocol, sock=ours)
    elif sys.argv[1] == "pipe to read from":
        reading, _ = os.pipe()
        creating = loop.connect_read_pipe(lambda: protocol, os.fdopen(reading, "rb", 0))
    elif sys.argv[1] == "pipe to write to":
        peer, writing = os.pipe()
        creating = loop.connect_write_pipe(lambda: protocol, os.fdopen(writing, "wb", 0))
    else:
        creating = loop.create_datagram_endpoint(lambda: protocol, local_addr=("127.0.0.1", 0))
    with suppress(SystemExit):
        loop.run_until_complete(creating)
    loop.close()
    use(protocol.transport)
"""


@pytest.mark.parametrize("kind", ["stream", "datagram", "pipe to read from", "pipe to write to"])
def test_a_transport_that_the_loop_has_not_watched_yet(loop_name: str, kind: str) -> None:
    assert_clean(run_script(on_loop(loop_name, SCRIPT), kind))


CALLS = """
from rloop import RLoop
loop = RLoop()
loop.call_soon(print)
calls = iter(loop._calls())
loop.close()
for _ in range(20):
    try:
        next(calls)
    except RuntimeError as error:
        assert str(error) == "Event loop is closed", error
    else:
        raise AssertionError("a closed loop has another call")
"""


def test_the_calls_of_a_closed_loop() -> None:
    assert_clean(run_script(CALLS))
