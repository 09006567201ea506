"""What a program asks of a connection's SSL object while data flows."""

import asyncio
import ssl
from typing import Any

import pytest

from tests.conftest import Loop
from tests.unit.tls.peers import certificates

CONNECTIONS = 8  # a batch of theirs is worth lending the I/O for
ROUNDS = 50
MESSAGE = bytes(1000)


async def test_an_ssl_object_answers_on_any_thread_while_data_flows(loop: Loop) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            writer.write(data)
        writer.close()

    def ask(ssl_object: ssl.SSLObject) -> set[Any]:
        return {
            (ssl_object.version(), ssl_object.pending() >= 0, ssl_object.session is not None)
            for _ in range(ROUNDS)
            if ssl_object.getpeercert(binary_form=True) and ssl_object.cipher()
        }

    async def talk(address: Any) -> None:
        reader, writer = await asyncio.open_connection(
            *address, ssl=certificates().client_context(), server_hostname="localhost"
        )
        ssl_object = writer.get_extra_info("ssl_object")
        asking = loop.run_in_executor(None, ask, ssl_object)
        for _ in range(ROUNDS):
            writer.write(MESSAGE)
            assert await reader.readexactly(len(MESSAGE)) == MESSAGE
            assert ask(ssl_object) == {(ssl_object.version(), True, True)}
        assert await asking == {(ssl_object.version(), True, True)}
        writer.close()
        await writer.wait_closed()

    context = certificates().server_context()
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        address = server.sockets[0].getsockname()
        await asyncio.gather(*(talk(address) for _ in range(CONNECTIONS)))


@pytest.mark.parametrize("name", sorted(n for n in vars(ssl.SSLObject) if not n.startswith("_")))
def test_whatever_a_program_may_call_is_guarded(name: str) -> None:
    from rloop.transports.guarded_ssl import GuardedSSLObject  # noqa: PLC0415  # needs no loop

    assert vars(GuardedSSLObject)[name] is not vars(ssl.SSLObject)[name]
