"""Greenlets switch the C stack away under a callback, while both garbage collectors run.

SQLAlchemy's asyncio support works this way: a callback enters a greenlet, the greenlet comes back
before it is done, and another callback resumes it. Were a Java frame on the stack at that moment,
a collection of the JVM would walk a stack that is not there.
"""

import pytest

from tests.hazards.scripts import assert_clean, on_loop, run_script

# Four scenarios of 25 rounds, each with a new loop: a crash of one in six would be seen.
ROUNDS = 25

# Where the machine is so busy that they take longer, fewer must do.
SECONDS = 50

COMMON = """
    import asyncio, gc, itertools, socket, sys, sysconfig, time
    from greenlet import getcurrent, greenlet

    counter = itertools.count()
    server_options, client_options = {}, {}  # of connections

    # Free-threaded Pythons have no young objects: they look at all.
    PYTHON_EACH = 8 if sysconfig.get_config_var("Py_GIL_DISABLED") else 1
    JAVA_EACH = 16

    def collect():
        # Slow collections need not be many: a few hundred are enough to meet each moment.
        turn = next(counter)
        if turn % PYTHON_EACH == 0:
            gc.collect(0)
        if turn % JAVA_EACH == 0 and "rloop._core" in sys.modules:
            sys.modules["rloop._core"].collect_java_garbage()

    def rounds(scenario):
        end = time.monotonic() + float(sys.argv[2])
        for _ in range(int(sys.argv[1])):
            loop = new_loop()
            scenario(loop)
            loop.close()
            gc.collect()
            if time.monotonic() > end:
                break
        print("survived")
"""

AWAITING = """
    def wait_for(awaitable):
        collect()
        return getcurrent().parent.switch(awaitable)

    async def spawn(function, *args):
        worker = greenlet(function, getcurrent())
        result = worker.switch(*args)
        while not worker.dead:
            result = worker.switch(await result)
        return result

    def work(reader, writer, number, depth):
        # As deep as the greenlet's own frames make it, so that much of the stack is copied.
        if depth:
            return work(reader, writer, number, depth - 1)
        wait_for(asyncio.sleep(0))
        for turn in range(5):
            message = b"%d/%d\\n" % (number, turn)
            writer.write(message)
            assert wait_for(reader.readline()) == message
            wait_for(asyncio.sleep(0.0005 * (number % 3)))
        return number

    async def echo(reader, writer):
        def serve():
            while line := wait_for(reader.readline()):
                writer.write(line)
            writer.close()
        await spawn(serve)

    async def client(address, number):
        reader, writer = await asyncio.open_connection(*address, **client_options)
        assert await spawn(work, reader, writer, number, 5 * number) == number
        writer.close()
        await writer.wait_closed()

    async def main():
        server = await asyncio.start_server(echo, "127.0.0.1", 0, **server_options)
        address = server.sockets[0].getsockname()
        await asyncio.gather(*(client(address, number) for number in range(10)))
        server.close()
        await asyncio.sleep(0.001)

    rounds(lambda loop: loop.run_until_complete(main()))
"""

PROTOCOLS = """
    class Echo(asyncio.Protocol):
        def __init__(self, loop):
            self.loop = loop

        def connection_made(self, transport):
            self.transport = transport
            self.worker = greenlet(self.work)
            self.worker.switch()

        def data_received(self, data):
            self.worker.parent = getcurrent()
            self.worker.switch(data)
            collect()

        def work(self):
            while True:
                data = getcurrent().parent.switch()
                collect()
                self.transport.write(data[:1])
                # Back into the callback in the middle of the work, and here again from the timer.
                self.loop.call_later(0, self.resume, data)
                data = getcurrent().parent.switch()
                self.transport.write(data[1:])

        def resume(self, data):
            self.worker.parent = getcurrent()
            self.worker.switch(data)

        def connection_lost(self, exc):
            self.worker.parent = getcurrent()
            self.worker.throw()
            collect()

    def scenario(loop):
        async def main():
            server = await loop.create_server(lambda: Echo(loop), "127.0.0.1", 0)
            clients = [socket.create_connection(server.sockets[0].getsockname()) for _ in range(8)]
            for sock in clients:
                sock.setblocking(False)
            for turn in range(6):
                message = b"message %d" % turn
                for sock in clients:
                    sock.send(message)
                for sock in clients:
                    received = b""
                    while len(received) < len(message):
                        received += await loop.sock_recv(sock, 100)
                    assert received == message, received
            for sock in clients:
                sock.close()
            server.close()
            await asyncio.sleep(0.005)
        loop.run_until_complete(main())

    rounds(scenario)
"""

CALLBACKS = """
    def scenario(loop):
        finished = []

        def work(number):
            parent = getcurrent().parent
            for turn in range(4):
                loop.call_soon(bool)
                collect()
                parent.switch()
            finished.append(number)

        workers = [greenlet(work) for number in range(20)]

        def step(turn, number):
            # A worker is started by one callback, and resumed by others: of timers, of threads.
            worker = workers[(number + turn) % len(workers)]
            worker.parent = getcurrent()
            if worker:
                worker.switch()
            else:
                worker.switch(number)
            collect()

        async def main():
            for turn in range(5):
                for number in range(len(workers)):
                    if number % 3 == 0:
                        loop.call_soon(step, turn, number)
                    elif number % 3 == 1:
                        loop.call_later(0.0002 * number, step, turn, number)
                    else:
                        loop.call_soon_threadsafe(step, turn, number)
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.01)

        loop.run_until_complete(main())
        assert len(finished) == len(workers), finished

    rounds(scenario)
"""

LOOP_INSIDE = """
    def scenario(loop):
        # The whole loop is a greenlet, and its callbacks leave it for the main one.
        main = getcurrent()
        visits = []

        def leave(name):
            main.switch(name)

        class Leaving(asyncio.Protocol):
            def connection_made(self, transport):
                self.transport = transport
                leave("made")

            def data_received(self, data):
                leave("data")
                self.transport.write(data)
                leave("written")

            def eof_received(self):
                leave("end")

            def connection_lost(self, exc):
                leave("lost")
                loop.call_later(0.01, loop.stop)  # after the timers

        ours, peer = socket.socketpair()
        peer.setblocking(False)
        loop.create_task(loop.create_connection(Leaving, sock=ours))
        for number in range(10):
            loop.call_soon(leave, "soon")
            loop.call_later(0.0002 * number, leave, "timer")
        inside = greenlet(loop.run_forever)
        name = inside.switch()
        while not inside.dead:
            visits.append(name)
            collect()
            if name == "made":
                peer.send(b"hello")
            elif name == "written":
                # What a callback wrote is sent when its iteration is over.
                loop.call_soon(leave, "answered")
            elif name == "answered":
                assert peer.recv(100) == b"hello"
                peer.shutdown(socket.SHUT_WR)
            name = inside.switch()
        assert visits.count("soon") == visits.count("timer") == 10
        assert [name for name in visits if name not in ("soon", "timer")] == [
            "made", "data", "written", "answered", "end", "lost"]
        peer.close()

    rounds(scenario)
"""

SCENARIOS = {
    "awaiting in greenlets": AWAITING,
    "protocols with a greenlet each": PROTOCOLS,
    "callbacks that resume each other's greenlets": CALLBACKS,
    "the loop in a greenlet": LOOP_INSIDE,
}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_switching_greenlets_in_callbacks_survives_collections(
    loop_name: str, scenario: str
) -> None:
    script = on_loop(loop_name, COMMON, SCENARIOS[scenario])
    result = run_script(script, str(ROUNDS), str(SECONDS), timeout=120)
    assert_clean(result)
    assert result.stdout == "survived\n"
