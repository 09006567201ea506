"""Greenlets switch the C stack away within TLS connections, while both garbage collectors run.

As in `test_greenlet.py`, with Java between the socket and the protocols, and a handshake that calls
user code.
"""

import os

import pytest

from tests.hazards.scripts import assert_clean, on_loop, run_script
from tests.hazards.test_greenlet import AWAITING, COMMON, SECONDS

ROUNDS = 4  # a collection takes long where there are certificates, and longer without a GIL

TLS = """
    from tests.unit.tls.peers import certificates

    def choose(ssl_object, name, context):
        worker = greenlet(lambda: (collect(), getcurrent().parent.switch(), collect()))
        worker.switch()
        worker.switch()

    context = certificates().server_context()
    context.sni_callback = choose
    server_options = {"ssl": context}
    client_options = {"ssl": certificates().client_context(), "server_hostname": "localhost"}
"""

PROTOCOLS = """
    class Echo:
        def connection_made(self, transport):
            self.transport = transport
            self.worker = greenlet(self.work)
            self.keeper = greenlet(self.keep)
            self.switch(self.worker)
            self.switch(self.keeper)

        def switch(self, worker, *things):
            worker.parent = getcurrent()
            answer = worker.switch(*things)
            collect()
            return answer

        def work(self):
            while True:
                data = getcurrent().parent.switch()
                collect()
                self.transport.write(data[:1])
                # Back into the callback in the middle of the work, and here again from the timer.
                asyncio.get_running_loop().call_later(0, self.switch, self.worker, data)
                data = getcurrent().parent.switch()
                self.transport.write(data[1:])

        def keep(self):
            view = memoryview(bytearray(100_000))
            while True:
                collect()
                getcurrent().parent.switch(view)

        def connection_lost(self, exc):
            for worker in self.worker, self.keeper:
                worker.parent = getcurrent()
                worker.throw()
            collect()

    class Plain(Echo, asyncio.Protocol):
        def data_received(self, data):
            self.switch(self.worker, data)

    class Buffered(Echo, asyncio.BufferedProtocol):
        def get_buffer(self, sizehint):
            return self.switch(self.keeper)

        def buffer_updated(self, nbytes):
            self.switch(self.worker, bytes(self.switch(self.keeper)[:nbytes]))

    async def client(address):
        reader, writer = await asyncio.open_connection(*address, **client_options)
        for turn in range(6):
            message = b"message %d" % turn
            writer.write(message)
            assert await reader.readexactly(len(message)) == message
        writer.close()
        await writer.wait_closed()

    async def main():
        loop = asyncio.get_running_loop()
        for protocol in Plain, Buffered:
            server = await loop.create_server(protocol, "127.0.0.1", 0, **server_options)
            address = server.sockets[0].getsockname()
            await asyncio.gather(*(client(address) for _ in range(8)))
            server.close()
            await asyncio.sleep(0.005)

    rounds(lambda loop: loop.run_until_complete(main()))
"""

SCENARIOS = {"awaiting in greenlets": AWAITING, "protocols with greenlets": PROTOCOLS}


@pytest.mark.parametrize("tls_by", ["native", "stdlib"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_switching_greenlets_over_tls_survives_collections(
    loop_name: str, scenario: str, tls_by: str
) -> None:
    if loop_name == "asyncio" and tls_by == "stdlib":
        pytest.skip("asyncio has no choice")
    script = on_loop(loop_name, COMMON, TLS, SCENARIOS[scenario])
    result = run_script(
        *(script, str(ROUNDS), str(SECONDS)),
        timeout=120,
        env={**os.environ, "RLOOP_TLS": tls_by},
    )
    assert_clean(result)
    assert result.stdout == "survived\n"
