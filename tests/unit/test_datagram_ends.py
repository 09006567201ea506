"""What goes wrong with datagrams and their endpoints, who gets them meanwhile, and their ends."""

import asyncio
import gc
import os
import socket
import time
from typing import Any

import pytest

from tests.conftest import Loop, forget
from tests.unit.connections import turns, until
from tests.unit.datagrams import Endpoint, endpoint, plain_socket


@pytest.mark.parametrize(
    "address",
    [
        None,
        "127.0.0.1",
        ("127.0.0.1",),
        ("127.0.0.1", 1, 2),
        ("127.0.0.1", -1),
        ("127.0.0.1", 65536),
        ("127.0.0.1", 1 << 80),
        ("127.0.0.1", "9"),
        ("127.0.0.1\0", 9),
        (127, 9),
    ],
)
async def test_a_wrong_address_ends_the_endpoint(
    loop: Loop, caplog: pytest.LogCaptureFixture, address: Any
) -> None:
    sender = await endpoint()
    sender.transport.sendto(b"x", address)
    await until(lambda: "connection_lost" in sender.calls)
    assert isinstance(sender.lost_with, (TypeError, ValueError, OverflowError))
    assert "Fatal write error on datagram transport" in caplog.text
    caplog.clear()


async def test_only_bytes_are_sent(loop: Loop) -> None:
    sender = await endpoint()
    with pytest.raises(TypeError, match="data argument must be a bytes-like object, not 'str'"):
        sender.transport.sendto("text", ("127.0.0.1", 9))  # type: ignore[arg-type]
    await sender.end()


async def test_too_large_a_datagram_is_an_error_at_once(loop: Loop) -> None:
    sender = await endpoint()
    sender.transport.sendto(bytes(65508), ("127.0.0.1", 9))
    assert [type(error) for error in sender.errors] == [OSError]
    assert sender.calls == ["connection_made", "error_received"]
    await sender.end()


async def test_a_refused_datagram_is_an_error_and_no_end(loop: Loop) -> None:
    with plain_socket() as gone:
        address = gone.getsockname()
    sender = await endpoint(remote_addr=address)
    sender.transport.sendto(b"is anybody there?")
    await until(lambda: sender.errors)
    assert isinstance(sender.errors[0], ConnectionRefusedError)
    assert not sender.transport.is_closing()
    with plain_socket(address=address) as peer:
        sender.transport.sendto(b"now there is")
        assert peer.recv(100) == b"now there is"
    await sender.end()


async def test_an_error_in_the_protocol_ends_nothing(
    loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(Endpoint):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            super().datagram_received(data, addr)
            raise ArithmeticError(data)

    _, receiver = await loop.create_datagram_endpoint(Failing, local_addr=("127.0.0.1", 0))
    with plain_socket() as peer:
        for i in range(3):
            peer.sendto(b"%d" % i, receiver.address)
        await receiver.until_received(3)
    await turns()
    assert caplog.text.count("ArithmeticError") >= 3
    assert not receiver.transport.is_closing()
    caplog.clear()
    await receiver.end()


async def test_a_protocol_without_datagram_received_is_reported(
    loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    transport, protocol = await loop.create_datagram_endpoint(
        asyncio.Protocol,  # which is the mistake
        local_addr=("127.0.0.1", 0),
    )
    with plain_socket() as peer:
        peer.sendto(b"x", transport.get_extra_info("sockname"))
        await until(lambda: "datagram_received" in caplog.text)
    caplog.clear()
    transport.abort()
    await turns()
    assert isinstance(protocol, asyncio.Protocol)


async def test_datagrams_go_to_the_protocol_of_the_moment(loop: Loop) -> None:
    first = await endpoint()
    second = Endpoint()
    with plain_socket() as peer:
        peer.sendto(b"one", first.address)
        await first.until_received(1)
        first.transport.set_protocol(second)
        assert first.transport.get_protocol() is second
        peer.sendto(b"two", first.address)
        await second.until_received(1)
    assert (first.datagrams, second.datagrams) == ([b"one"], [b"two"])
    first.transport.abort()
    await until(lambda: "connection_lost" in second.calls)


async def test_datagrams_that_came_together_go_to_the_protocol_set_meanwhile(loop: Loop) -> None:
    later = Endpoint()

    class Resigning(Endpoint):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            super().datagram_received(data, addr)
            self.transport.set_protocol(later)

    _, first = await loop.create_datagram_endpoint(Resigning, local_addr=("127.0.0.1", 0))
    with plain_socket() as peer:
        for i in range(40):
            peer.sendto(b"%d" % i, first.address)
        await later.until_received(39)
    assert first.datagrams == [b"0"]
    assert later.datagrams == [b"%d" % i for i in range(1, 40)]
    first.transport.abort()
    await turns()


async def test_nothing_is_received_while_paused(loop: Loop) -> None:
    class Pausing(Endpoint):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            super().datagram_received(data, addr)
            if len(self.received) % 10 == 0:
                self.transport.pause_reading()  # type: ignore[attr-defined]

    _, receiver = await loop.create_datagram_endpoint(Pausing, local_addr=("127.0.0.1", 0))
    transport: Any = receiver.transport
    sent = [b"%d" % i for i in range(45)]
    with plain_socket() as peer:
        for data in sent:
            peer.sendto(data, receiver.address)
        for count in (10, 20, 30, 40):
            await receiver.until_received(count)
            await turns(5)
            assert len(receiver.received) == count
            assert not transport.is_reading()
            transport.resume_reading()
        await receiver.until_received(45)
    assert receiver.datagrams == sent
    await receiver.end()


async def test_what_was_read_while_a_call_ran_waits_as_well(loop: Loop) -> None:
    sent = [b"%d" % i for i in range(200)]
    told_while_paused: list[bytes] = []

    class Pausing(Endpoint):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            super().datagram_received(data, addr)
            if paused[0]:
                told_while_paused.append(data)
            transport: Any = self.transport
            time.sleep(0.0005)  # an I/O thread reads on
            transport.resume_reading()  # and hands over what it has read
            if len(self.received) % 10 == 0:
                transport.pause_reading()
                paused[0] = True

    paused = [False]
    _, receiver = await loop.create_datagram_endpoint(Pausing, local_addr=("127.0.0.1", 0))
    transport: Any = receiver.transport
    with plain_socket() as peer:
        for data in sent:
            peer.sendto(data, receiver.address)
        for count in range(10, len(sent) + 1, 10):
            await receiver.until_received(count)
            await turns(5)
            paused[0] = False
            transport.resume_reading()
    assert not told_while_paused
    assert receiver.datagrams == sent
    await receiver.end()


async def test_nothing_is_received_after_close(loop: Loop) -> None:
    class Closing(Endpoint):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            super().datagram_received(data, addr)
            self.transport.close()

    _, receiver = await loop.create_datagram_endpoint(Closing, local_addr=("127.0.0.1", 0))
    with plain_socket() as peer:
        for i in range(40):
            peer.sendto(b"%d" % i, receiver.address)
        await until(lambda: "connection_lost" in receiver.calls)
        await turns(5)
    assert receiver.calls == ["connection_made", "datagram_received", "connection_lost"]


async def test_close_comes_to_an_end_soon_and_not_at_once(loop: Loop) -> None:
    closing = await endpoint()
    closing.transport.close()
    assert closing.transport.is_closing()
    assert closing.calls == ["connection_made"]
    await turns()
    assert closing.calls == ["connection_made", "connection_lost"]
    assert closing.lost_with is None


async def test_an_error_of_a_datagram_to_a_name_is_no_reason_to_pause(
    loop: Loop, loop_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if loop_name == "asyncio":
        pytest.skip("it goes on asking a socket that is full")

    class Full:
        family = socket.AF_INET

        def sendto(self, *_arguments: Any) -> int:
            raise BlockingIOError

    sender = await endpoint()
    # Not a socket of that kind, over which the transport would be asyncio's.
    monkeypatch.setattr(type(sender.transport), "_sock", Full())
    sender.transport.sendto(bytes(65508), ("localhost", 9))
    assert sender.calls == ["connection_made", "error_received"]
    assert [type(error) for error in sender.errors] == [OSError]
    await sender.end()


async def test_what_a_connected_endpoint_sends_after_its_end_is_dropped(
    loop: Loop, caplog: pytest.LogCaptureFixture
) -> None:
    with plain_socket() as peer:
        sender = await endpoint(remote_addr=peer.getsockname())
        sender.transport.abort()
        for _ in range(5):
            sender.transport.sendto(b"too late")
        assert [record.message for record in caplog.records] == ["socket.send() raised exception."]
        await turns()
        peer.setblocking(False)
        with pytest.raises(BlockingIOError):
            peer.recv(100)


async def test_the_transport_tells_of_its_socket(loop: Loop) -> None:
    ours = await endpoint()
    sock = ours.transport.get_extra_info("socket")
    assert sock.getsockname() == ours.address
    assert ours.transport.get_extra_info("peername") is None
    assert ours.transport.get_extra_info("no such thing", "default") == "default"
    await turns()
    description = repr(ours.transport)
    assert f"fd={sock.fileno()} read=polling write=<idle, bufsize=0>" in description
    await ours.end()
    assert " closed " in repr(ours.transport)


async def test_an_endpoint_that_nobody_closed_is_reported(loop: Loop) -> None:
    ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    kept: list[Any] = [await endpoint(sock=ours)]
    await turns()
    kept[0].transport.pause_reading()  # the loop keeps what it watches
    await turns()
    with pytest.warns(ResourceWarning, match="unclosed transport"):
        forget(kept)
    assert ours.fileno() == -1


async def test_a_descriptor_has_one_transport(loop: Loop) -> None:
    ours = await endpoint()
    sock = ours.transport.get_extra_info("socket")
    with pytest.raises(RuntimeError, match="is used by transport"):
        loop.add_reader(sock.fileno(), print)
    await ours.end()


async def test_other_sockets_are_refused(loop: Loop) -> None:
    with (
        socket.socket() as stream,
        pytest.raises(ValueError, match="A (UDP S|datagram s)ocket was expected"),
    ):
        await loop.create_datagram_endpoint(Endpoint, sock=stream)
    with socket.socket(type=socket.SOCK_DGRAM) as ours, pytest.raises(ValueError, match="sock is"):
        await loop.create_datagram_endpoint(Endpoint, sock=ours, local_addr=("127.0.0.1", 0))


async def test_cancelling_the_opening_leaves_no_socket(loop: Loop) -> None:
    before = len(os.listdir("/dev/fd"))
    opening = asyncio.ensure_future(endpoint())
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    await turns(3)
    gc.collect()
    assert len(os.listdir("/dev/fd")) == before
