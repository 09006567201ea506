"""Connections that take the last descriptors there are: none is lost once there are others."""

from .scripts import assert_clean, on_loop, run_script

SERVE = """
import asyncio, os, resource, socket, ssl, sys

async def connect(address, count):
    clients = []
    for _ in range(count):
        client = socket.socket()
        client.connect(address)
        client.setblocking(False)
        clients.append(client)
    return clients

async def main():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: told.add(context["message"]))
    async def echo(reader, writer):
        writer.write(await reader.readline())
        writer.close()
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    open_now = len(os.listdir("/proc/self/fd")) - 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (open_now + 8, hard))
    clients = await connect(address, 6)  # two descriptors are left for them
    while not told:
        await asyncio.sleep(0.001)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    for number, client in enumerate(clients):
        await loop.sock_sendall(client, b"%d\\n" % number)
        assert await asyncio.wait_for(loop.sock_recv(client, 10), 20) == b"%d\\n" % number
        client.close()
    server.close()

told = set()
loop = new_loop()
loop.run_until_complete(main())
loop.close()
assert told == {"socket.accept() out of system resource"}, told
"""


def test_the_first_connections_of_a_process(loop_name: str) -> None:
    assert_clean(run_script(on_loop(loop_name, SERVE)))
