"""TLS over sockets that a program has changed, and while it has changed the module ssl."""

import asyncio
import ssl

import pytest

from tests.conftest import Loop
from tests.unit.own_sockets import Masked, echo_server, masked_listener
from tests.unit.tls.peers import certificates


async def test_tls_goes_over_a_socket_of_a_programs_own(loop: Loop) -> None:
    listener = masked_listener()
    client = Masked()
    client.setblocking(False)
    data = b"secret" * 100_000
    async with echo_server(listener, certificates().server_context()):
        await loop.sock_connect(client, listener.getsockname())
        reader, writer = await asyncio.open_connection(
            sock=client, ssl=certificates().client_context(), server_hostname="localhost"
        )
        writer.write(data)
        assert await reader.readexactly(len(data)) == data
        writer.close()
        await writer.wait_closed()


async def test_tls_begins_over_a_socket_of_a_programs_own(loop: Loop) -> None:
    listener = masked_listener()
    client = Masked()
    client.setblocking(False)
    async with echo_server(listener, certificates().server_context()):
        await loop.sock_connect(client, listener.getsockname())
        reader, writer = await asyncio.open_connection(sock=client)
        await writer.start_tls(certificates().client_context(), server_hostname="localhost")
        writer.write(b"secret")
        assert await reader.readexactly(6) == b"secret"
        writer.close()
        await writer.wait_closed()


def test_openssl_is_tried_out_while_a_context_of_a_programs_own_has_the_name(
    loop: Loop, loop_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if loop_name == "asyncio":
        pytest.skip("doesn't look for OpenSSL")
    from rloop.transports import libssl  # noqa: PLC0415  # asyncio's tests need no Java

    monkeypatch.setattr(ssl, "SSLContext", None)
    libssl.End(server_side=True)
