"""What two ends find out about each other, and what happens where they do not agree."""

import asyncio
import ssl
from contextlib import suppress

import pytest

from tests.conftest import Loop
from tests.unit.connections import (
    Recorder,
    tcp_pair,
    until,
    until_lost,
    until_received,
)
from tests.unit.tls.peers import Certificates, TlsConnector, TlsPeer, certificates
from tests.unit.tls.servers import ask, serving

SOON_SECONDS = 0.05


async def hang_up(transport: asyncio.Transport, protocol: Recorder) -> None:
    transport.close()
    await until_lost(protocol)


@pytest.fixture
def known() -> Certificates:
    return certificates()


async def test_the_transport_tells_what_was_agreed(known: Certificates) -> None:
    context = known.client_context()
    async with serving(known.server_context()) as servers:
        transport, protocol = await ask(servers.port, context)
        ssl_object = transport.get_extra_info("ssl_object")
        assert isinstance(ssl_object, ssl.SSLObject)
        assert transport.get_extra_info("sslcontext") is context
        assert transport.get_extra_info("cipher") == ssl_object.cipher()
        assert transport.get_extra_info("peercert") == ssl_object.getpeercert()
        assert ("DNS", "localhost") in transport.get_extra_info("peercert")["subjectAltName"]
        assert transport.get_extra_info("compression") is None
        assert transport.get_extra_info("peername") == ("127.0.0.1", servers.port)
        assert transport.get_extra_info("nothing of the kind", "default") == "default"
        await hang_up(transport, protocol)


async def test_the_ssl_object_stays_usable(connect: TlsConnector) -> None:
    connection = await connect(Recorder)
    ssl_object = connection.transport.get_extra_info("ssl_object")
    connection.transport.write(b"data")
    await connection.peer.receive(4)
    assert ssl_object.version() == "TLSv1.3"
    assert ssl_object.getpeercert(binary_form=True)
    assert ssl_object.server_hostname == "localhost"
    assert ssl_object.session is not None


async def test_an_application_protocol_is_agreed_on(known: Certificates) -> None:
    server, client = known.server_context(), known.client_context()
    server.set_alpn_protocols(["h2", "http/1.1"])
    client.set_alpn_protocols(["http/1.1", "spdy"])
    async with serving(server) as servers:
        transport, protocol = await ask(servers.port, client)
        assert transport.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
        await hang_up(transport, protocol)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_the_servers_name_can_choose_the_context(
    known: Certificates, version: ssl.TLSVersion
) -> None:
    names: list[str] = []
    other = known.server_context(known.authority.issue_cert("other.test"))

    def choose(ssl_object: ssl.SSLObject, name: str, _: ssl.SSLContext) -> None:
        names.append(name)
        ssl_object.context = other

    server, client = known.server_context(), known.client_context()
    server.sni_callback = choose
    client.maximum_version = version
    async with serving(server) as servers:
        transport, protocol = await ask(servers.port, client, "other.test")
        assert names == ["other.test"]
        await until(lambda: servers and "connection_made" in servers[0].calls)
        transport.write(b"data")
        await until(lambda: servers[0].received == b"data")
        await hang_up(transport, protocol)


async def test_a_client_shows_its_certificate(known: Certificates) -> None:
    server, client = known.server_context(), known.client_context()
    server.verify_mode = ssl.CERT_REQUIRED
    known.authority.configure_trust(server)
    known.client.configure_cert(client)
    async with serving(server) as servers:
        transport, protocol = await ask(servers.port, client)
        await until(lambda: servers and "connection_made" in servers[0].calls)
        certificate = servers[0].transport.get_extra_info("peercert")
        assert ("email", "client@localhost") in certificate["subjectAltName"]
        await hang_up(transport, protocol)


async def test_a_client_without_the_certificate_asked_for_is_refused(known: Certificates) -> None:
    server, client = known.server_context(), known.client_context()
    server.verify_mode = ssl.CERT_REQUIRED
    known.authority.configure_trust(server)
    async with serving(server) as servers:
        with suppress(ssl.SSLError, ConnectionError):  # known after the client's handshake
            _, protocol = await ask(servers.port, client)
            await until_lost(protocol)
        assert "connection_made" not in servers[0].calls


async def test_the_error_of_a_refused_client_has_openssls_reason(known: Certificates) -> None:
    server, client = known.server_context(), known.client_context()
    server.verify_mode = ssl.CERT_REQUIRED
    client.minimum_version = ssl.TLSVersion.TLSv1_3
    known.authority.configure_trust(server)
    ours, far_end = tcp_pair()
    loop = asyncio.get_running_loop()
    peer = TlsPeer(far_end, server, None)

    async def refuse() -> None:
        with pytest.raises(ssl.SSLError):
            await peer.handshake()
        await peer.send_ciphertext(peer.outgoing.read())

    (_, protocol), _ = await asyncio.gather(
        loop.create_connection(Recorder, sock=ours, ssl=client, server_hostname="localhost"),
        refuse(),
    )
    await until_lost(protocol)
    assert isinstance(protocol.lost_with, ssl.SSLError)
    assert protocol.lost_with.library == "SSL"
    assert protocol.lost_with.reason == "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    assert "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED]" in str(protocol.lost_with)
    far_end.close()


async def test_a_stranger_is_not_trusted(known: Certificates) -> None:
    async with serving(known.server_context()) as servers:
        with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
            await ask(servers.port, ssl.create_default_context())


async def test_a_certificate_that_has_expired_is_not_trusted(known: Certificates) -> None:
    async with serving(known.server_context(known.expired)) as servers:
        with pytest.raises(ssl.SSLCertVerificationError, match="certificate has expired"):
            await ask(servers.port, known.client_context())


async def test_a_certificate_for_another_name_is_not_trusted(known: Certificates) -> None:
    async with serving(known.server_context()) as servers:
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            await ask(servers.port, known.client_context(), "other.test")


async def test_no_version_in_common(known: Certificates) -> None:
    server, client = known.server_context(), known.client_context()
    server.minimum_version = ssl.TLSVersion.TLSv1_3
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    async with serving(server) as servers:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await ask(servers.port, client)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_session_is_resumed(
    known: Certificates, version: ssl.TLSVersion, loop: Loop
) -> None:
    """asyncio has no argument for a session: it is set before the handshake starts."""
    client = known.client_context()
    client.maximum_version = version
    session: ssl.SSLSession | None = None

    class Resuming(ssl.SSLObject):
        def do_handshake(self) -> None:
            if session is not None and self.session is None:
                self.session = session
            super().do_handshake()

    client.sslobject_class = Resuming
    async with serving(known.server_context()) as servers:
        reused = []
        for _ in range(2):
            transport, protocol = await ask(servers.port, client)
            ssl_object = transport.get_extra_info("ssl_object")
            reused.append(ssl_object.session_reused)
            await until(lambda: servers and "connection_made" in servers[-1].calls)
            servers[-1].transport.write(b"data")  # type: ignore[attr-defined]  # after the ticket
            await until_received(protocol, 4)
            session = ssl_object.session
            await hang_up(transport, protocol)
        assert reused == [False, True]


async def test_a_client_that_only_connects_is_left(
    loop: Loop, known: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    ours, far_end = tcp_pair()
    with pytest.raises(ConnectionAbortedError, match="SSL handshake is taking longer than"):
        await loop.connect_accepted_socket(
            Recorder, ours, ssl=known.server_context(), ssl_handshake_timeout=SOON_SECONDS
        )
    far_end.close()


async def test_a_peer_that_hangs_up_within_the_handshake(loop: Loop, known: Certificates) -> None:
    ours, far_end = tcp_pair()
    far_end.close()
    with pytest.raises(ConnectionError):
        await loop.connect_accepted_socket(Recorder, ours, ssl=known.server_context())


async def test_plain_http_at_a_tls_port(loop: Loop, known: Certificates) -> None:
    ours, far_end = tcp_pair()
    far_end.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    with pytest.raises(ssl.SSLError, match="HTTP_REQUEST"):
        await loop.connect_accepted_socket(Recorder, ours, ssl=known.server_context())
    far_end.close()


async def test_tls_at_a_plain_http_port(loop: Loop, known: Certificates) -> None:
    ours, far_end = tcp_pair()
    far_end.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    with pytest.raises(ssl.SSLError, match="WRONG_VERSION_NUMBER"):
        await loop.create_connection(
            Recorder, sock=ours, ssl=known.client_context(), server_hostname="localhost"
        )
    far_end.close()


async def test_secrets_are_logged_where_the_context_says(
    known: Certificates, tmp_path: object
) -> None:
    context = known.client_context()
    context.keylog_filename = f"{tmp_path}/keys"
    async with serving(known.server_context()) as servers:
        transport, protocol = await ask(servers.port, context)
        await until(lambda: servers and "connection_made" in servers[0].calls)
        servers[0].transport.write(b"data")  # type: ignore[attr-defined]
        await until(lambda: protocol.received == b"data")
        await hang_up(transport, protocol)
    with open(f"{tmp_path}/keys", encoding="ascii") as keys:
        assert "SERVER_TRAFFIC_SECRET_0" in keys.read()


async def test_messages_are_told_to_who_asked_for_them(known: Certificates) -> None:
    context = known.client_context()
    told: list[object] = []
    context._msg_callback = lambda *message: told.append(message)  # type: ignore[attr-defined]
    async with serving(known.server_context()) as servers:
        transport, protocol = await ask(servers.port, context)
        before = len(told)
        transport.write(b"data")
        await until(lambda: servers and servers[0].received == b"data")
        assert len(told) > before
        await hang_up(transport, protocol)


@pytest.mark.skipif(not getattr(ssl, "HAS_PSK", False), reason="Python has it from 3.13 on")
async def test_a_key_that_both_ends_have_already(known: Certificates) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    asked: list[str | None] = []

    def key_for_server(hint: str | None) -> tuple[str, bytes]:
        asked.append(hint)
        return "a client", b"the key"

    def key_for_client(identity: str | None) -> bytes:
        asked.append(identity)
        return b"the key"

    for context in (server, client):
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("PSK")
    client.set_psk_client_callback(key_for_server)  # type: ignore[attr-defined]
    server.set_psk_server_callback(key_for_client, "a hint")  # type: ignore[attr-defined]
    async with serving(server) as servers:
        transport, protocol = await ask(servers.port, client)
        assert "PSK" in transport.get_extra_info("cipher")[0]
        transport.write(b"question")
        await until(lambda: servers and servers[0].received == b"question")
        servers[0].transport.write(b"answer")  # type: ignore[attr-defined]
        await until_received(protocol, 6)
        assert asked == ["a hint", "a client"]
        await hang_up(transport, protocol)


async def test_unix_sockets(known: Certificates, tmp_path: object) -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.close()

    path = f"{tmp_path}/socket"
    server = await asyncio.start_unix_server(echo, path, ssl=known.server_context())
    async with server:
        reader, writer = await asyncio.open_unix_connection(
            path, ssl=known.client_context(), server_hostname="localhost"
        )
        data = bytes(range(256)) * 2000
        writer.write(data)
        assert await reader.readexactly(len(data)) == data
        writer.close()
        await writer.wait_closed()
