"""Datagram endpoints: what goes out, what comes in, from whom, and how it ends."""

import os
import socket
import sys
from pathlib import Path

import pytest

from tests.conftest import Loop
from tests.unit.datagrams import HAS_HEADER_SIZE, endpoint, plain_socket


async def test_datagrams_arrive_in_order_with_the_address_of_their_sender(loop: Loop) -> None:
    receiver = await endpoint()
    sender = await endpoint(remote_addr=receiver.address)
    sent = [b"%d" % i for i in range(100)]
    for data in sent:
        sender.transport.sendto(data)
    await receiver.until_received(len(sent))
    assert receiver.received == [(data, sender.address) for data in sent]
    await sender.end()
    await receiver.end()


async def test_a_peer_that_comes_back_has_the_same_address_as_before(loop: Loop) -> None:
    receiver = await endpoint()
    with plain_socket() as one, plain_socket() as other:
        for i in range(3):
            for peer in (one, other):
                peer.sendto(b"x", receiver.address)
            await receiver.until_received(2 * (i + 1))
        expected = [one.getsockname(), other.getsockname()] * 3
    assert [address for _, address in receiver.received] == expected
    await receiver.end()


async def test_many_peers_are_told_apart(loop: Loop) -> None:
    """More of them than any memory of addresses has room for."""
    receiver = await endpoint()
    peers = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(300)]
    for count, peer in enumerate(peers * 2):
        peer.sendto(b"%d" % peer.fileno(), receiver.address)
        await receiver.until_received(count)  # or the socket's buffer would be full
    await receiver.until_received(len(peers) * 2)
    names = {b"%d" % peer.fileno(): peer.getsockname()[1] for peer in peers}
    assert all(address == ("127.0.0.1", names[data]) for data, address in receiver.received)
    for peer in peers:
        peer.close()
    await receiver.end()


async def test_answers_go_to_whom_they_are_addressed(loop: Loop) -> None:
    answering = await endpoint()
    with plain_socket() as one, plain_socket() as other:
        answering.transport.sendto(b"to one", one.getsockname())
        answering.transport.sendto(b"to the other", other.getsockname())
        assert one.recvfrom(100) == (b"to one", answering.address)
        assert other.recvfrom(100) == (b"to the other", answering.address)
    await answering.end()


async def test_a_datagram_is_sent_before_sendto_returns(loop: Loop) -> None:
    sender = await endpoint()
    with plain_socket() as peer:
        for _ in range(3):
            sender.transport.sendto(b"at once", peer.getsockname())
            assert peer.recv(100) == b"at once"  # this thread's loop has not had a turn
    await sender.end()


async def test_the_host_may_be_a_name(loop: Loop) -> None:
    sender = await endpoint()
    with plain_socket() as peer:
        sender.transport.sendto(b"by name", ("localhost", peer.getsockname()[1]))
        assert peer.recv(100) == b"by name"
    await sender.end()


@pytest.mark.parametrize("size", [1, 1472, 65507])
async def test_datagrams_keep_their_size(loop: Loop, size: int) -> None:
    receiver = await endpoint()
    sender = await endpoint(remote_addr=receiver.address)
    data = os.urandom(size)
    for kind in (bytes, bytearray, memoryview):
        sender.transport.sendto(kind(data))
    await receiver.until_received(3)
    assert receiver.datagrams == [data] * 3
    assert all(type(datagram) is bytes for datagram in receiver.datagrams)
    await sender.end()
    await receiver.end()


async def test_an_empty_datagram_is_received(loop: Loop) -> None:
    receiver = await endpoint()
    with plain_socket() as peer:
        peer.sendto(b"", receiver.address)
        await receiver.until_received(1)
        assert receiver.received == [(b"", peer.getsockname())]
    await receiver.end()


async def test_an_empty_datagram_is_sent_where_asyncio_sends_it(loop: Loop) -> None:
    sender = await endpoint()
    with plain_socket() as peer:
        sender.transport.sendto(b"", peer.getsockname())
        sender.transport.sendto(b"after", peer.getsockname())
        received = [peer.recv(100)]
        if HAS_HEADER_SIZE:
            received.append(peer.recv(100))
    assert received == ([b"", b"after"] if HAS_HEADER_SIZE else [b"after"])
    await sender.end()


async def test_ipv6_addresses_have_four_parts(loop: Loop) -> None:
    try:
        receiver = await endpoint(local_addr=("::1", 0))
    except OSError as exc:
        pytest.skip(f"no IPv6: {exc}")
    with plain_socket(socket.AF_INET6) as peer:
        peer.sendto(b"question", receiver.address)
        await receiver.until_received(1)
        data, address = receiver.received[0]
        assert (data, address) == (b"question", peer.getsockname())
        receiver.transport.sendto(b"whole", address)
        receiver.transport.sendto(b"short", address[:2])
        assert [peer.recv(100), peer.recv(100)] == [b"whole", b"short"]
    await receiver.end()


async def test_the_scope_of_a_link_local_address_goes_both_ways(loop: Loop) -> None:
    found = a_link_local_address()
    if found is None:
        pytest.skip("no interface has a link-local address")
    host, interface = found
    receiver = await endpoint(local_addr=(f"{host}%{interface}", 0))
    with plain_socket(socket.AF_INET6, (host, 0, 0, socket.if_nametoindex(interface))) as peer:
        peer.sendto(b"question", receiver.address)
        await receiver.until_received(1)
        assert receiver.received == [(b"question", peer.getsockname())]
        receiver.transport.sendto(b"answer", peer.getsockname())
        assert peer.recv(100) == b"answer"
    await receiver.end()


def a_link_local_address() -> tuple[str, str] | None:
    """Of this machine, with the name of its interface."""
    table = Path("/proc/net/if_inet6")
    for line in table.read_text().splitlines() if table.exists() else []:
        address, *_, interface = line.split()
        if address.startswith("fe80"):
            return socket.inet_ntop(socket.AF_INET6, bytes.fromhex(address)), interface
    return None


async def test_unix_peers_are_known_by_their_paths(loop: Loop, tmp_path: Path) -> None:
    receiver = await endpoint(local_addr=str(tmp_path / "ours"), family=socket.AF_UNIX)
    with plain_socket(socket.AF_UNIX, str(tmp_path / "peer-é")) as peer:
        peer.sendto(b"question", receiver.address)
        await receiver.until_received(1)
        assert receiver.received == [(b"question", str(tmp_path / "peer-é"))]
        receiver.transport.sendto(b"to a str", peer.getsockname())
        receiver.transport.sendto(b"to bytes", os.fsencode(peer.getsockname()))
        assert [peer.recv(100), peer.recv(100)] == [b"to a str", b"to bytes"]
    await receiver.end()


async def test_unix_peers_without_a_name_are_none(loop: Loop, tmp_path: Path) -> None:
    receiver = await endpoint(local_addr=str(tmp_path / "ours"), family=socket.AF_UNIX)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
        peer.sendto(b"anonymous", receiver.address)
    await receiver.until_received(1)
    assert receiver.received == [(b"anonymous", None)]
    await receiver.end()


@pytest.mark.skipif(sys.platform != "linux", reason="abstract names are Linux's")
async def test_unix_peers_may_have_abstract_names(loop: Loop) -> None:
    receiver = await endpoint(local_addr=f"\0ours-{os.getpid()}", family=socket.AF_UNIX)
    with plain_socket(socket.AF_UNIX, f"\0peer-{os.getpid()}") as peer:
        peer.sendto(b"question", receiver.address)
        await receiver.until_received(1)
        assert receiver.received == [(b"question", b"\0peer-%d" % os.getpid())]
        receiver.transport.sendto(b"answer", receiver.received[0][1])
        assert peer.recv(100) == b"answer"
    await receiver.end()


async def test_a_connected_endpoint_sends_to_its_peer_alone(loop: Loop) -> None:
    with plain_socket() as peer:
        sender = await endpoint(remote_addr=peer.getsockname())
        sender.transport.sendto(b"to the peer")
        sender.transport.sendto(b"to its address", peer.getsockname())
        assert [peer.recv(100), peer.recv(100)] == [b"to the peer", b"to its address"]
        with pytest.raises(ValueError, match="Invalid address: must be None or"):
            sender.transport.sendto(b"elsewhere", ("127.0.0.1", 9))
        assert sender.transport.get_extra_info("peername") == peer.getsockname()
    await sender.end()


async def test_an_endpoint_that_may_broadcast_is_not_connected(loop: Loop) -> None:
    with plain_socket() as peer:
        sender = await endpoint(remote_addr=peer.getsockname(), allow_broadcast=True)
        assert sender.transport.get_extra_info("peername") is None
        sender.transport.sendto(b"to the peer")
        sender.transport.sendto(b"to its address", peer.getsockname())
        assert [peer.recv(100), peer.recv(100)] == [b"to the peer", b"to its address"]
        with pytest.raises(ValueError, match="Invalid address: must be None or"):
            sender.transport.sendto(b"elsewhere", ("127.0.0.1", 9))
    await sender.end()


async def test_a_connected_socket_may_be_given(loop: Loop) -> None:
    with plain_socket() as peer:
        ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        ours.connect(peer.getsockname())
        sender = await endpoint(sock=ours)
        sender.transport.sendto(b"to the peer")
        sender.transport.sendto(b"still to the peer", ("127.0.0.1", 9))
        assert [peer.recv(100), peer.recv(100)] == [b"to the peer", b"still to the peer"]
    await sender.end()


async def test_several_endpoints_share_a_port_where_they_ask_for_it(loop: Loop) -> None:
    first = await endpoint(local_addr=("127.0.0.1", 0), reuse_port=True)
    second = await endpoint(local_addr=first.address, reuse_port=True)
    assert first.address == second.address
    await first.end()
    await second.end()
