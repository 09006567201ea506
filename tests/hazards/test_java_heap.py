"""Where Java's heap is exhausted Python raises MemoryError, and what could not grow stays whole.

Each script fills one thing until there is no memory for more, lets it go, and works on.
"""

import os

import pytest

from .scripts import assert_clean, run_script

HEAP = {**os.environ, "RLOOP_JAVA_HEAP": "16m"}

BEGIN = """
import asyncio, gc, os, random, resource, socket, sys, tempfile
import rloop

async def echo():
    async def answer(reader, writer):
        while data := await reader.read(100):
            writer.write(data)
        writer.close()
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        for _ in range(5):
            writer.write(b"abc")
            assert await reader.readexactly(3) == b"abc"
            await asyncio.sleep(0.001)
        writer.close()
        await writer.wait_closed()

def fill(add, most=10_000_000):
    "Adds until the memory is exhausted; how many were added."
    for count in range(most):
        try:
            add(count)
        except MemoryError as error:
            return count
    raise AssertionError("it holds everything")

def run_all():
    loop.stop()
    loop.run_forever()

def references(kept):
    gc.collect()
    return sys.getrefcount(kept)

loop = rloop.RLoop()
loop.run_until_complete(echo())
for _ in range(int(sys.argv[1])):
"""

FILLED = {
    "timers": """
        fired, handles = [], []
        start = loop.time() + 0.3
        before = references(fired)
        def add(i):
            when = start + random.random() * 0.01
            handles.append(loop.call_at(when, fired.append, (when, i)))
        count = fill(add)
        for handle in handles[::2]:
            handle.cancel()
        del handles, handle
        loop.run_until_complete(asyncio.sleep(loop.time() - start + 2))
        assert fired == sorted(fired)
        assert sorted(i for _, i in fired) == list(range(1, count, 2))
        assert references(fired) == before
        """,
    "calls": """
        ran = []
        before = references(ran)
        count = fill(lambda i: loop.call_soon(ran.append, i) and None)
        run_all()
        assert ran == list(range(count))
        assert references(ran) == before
        """,
    "calls of a task, which ends then": """
        async def main():
            return fill(lambda i: loop.call_soon(int) and None)
        assert loop.run_until_complete(asyncio.wait_for(main(), 60)) > 100_000
        """,
    "calls of other threads, while tasks run": """
        import threading
        def fill_in_thread():
            fill(lambda i: loop.call_soon_threadsafe(int) and None)
        async def main():
            threads = [threading.Thread(target=fill_in_thread) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            await asyncio.gather(*(asyncio.sleep(0) for _ in range(10)))
        loop.run_until_complete(main())
        """,
    "calls whose handles are kept": """
        ran, handles = [], []
        before = references(ran)
        count = fill(lambda i: handles.append(loop.call_soon(ran.append, i)))
        for handle in handles[::3]:
            handle.cancel()
        run_all()
        assert ran == [i for i in range(count) if i % 3]
        del handles, handle
        assert references(ran) == before
        """,
    "writes": """
        ours, theirs = socket.socketpair()
        piece = bytes(range(200))
        async def main():
            transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
            theirs.setblocking(False)
            count = fill(lambda i: transport.write(piece))
            received = 0
            while received < 200 * count:
                data = await asyncio.wait_for(loop.sock_recv(theirs, 1 << 18), 10)
                at = received % 200
                assert data == (piece * (len(data) // 200 + 2))[at : at + len(data)]
                received += len(data)
            assert (received, transport.get_write_buffer_size()) == (200 * count, 0)
            transport.close()
            await asyncio.sleep(0.01)
        before = references(piece)
        loop.run_until_complete(main())
        assert references(piece) == before
        theirs.close()
        """,
    "datagrams": """
        folder = tempfile.TemporaryDirectory()
        theirs = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        theirs.bind(folder.name + "/socket")
        theirs.setblocking(False)
        piece = bytes(10)
        async def main():
            transport, _ = await loop.create_datagram_endpoint(
                asyncio.DatagramProtocol, remote_addr=folder.name + "/socket",
                family=socket.AF_UNIX)
            count = fill(lambda i: transport.sendto(piece))
            while count:
                try:
                    assert theirs.recv(100) == piece
                    count -= 1
                except BlockingIOError:
                    await asyncio.sleep(0)
            assert transport.get_write_buffer_size() == 0
            transport.close()
            await asyncio.sleep(0.01)
        before = references(piece)
        loop.run_until_complete(main())
        assert references(piece) == before
        theirs.close()
        """,
    "loops": """
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(20_000, most), most))
        loops = []
        open_before = len(os.listdir("/proc/self/fd"))
        fill(lambda i: loops.append(rloop.RLoop()), 6000)
        for other in loops:
            other.close()
        del loops, other
        gc.collect()
        assert len(os.listdir("/proc/self/fd")) == open_before
        """,
    "watched descriptors, where timers have taken the rest": """
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(20_000, most), most))
        timers = []
        fill(lambda i: timers.append(loop.call_later(1000, print)))
        calls = fill(lambda i: loop.call_soon(int) and None)
        ready, pairs, watched = [], [], []
        before = references(ready)
        def add(i):
            ours, theirs = pair = socket.socketpair()
            pairs.append(pair)
            loop.add_reader(ours, ready.append, i)
            watched.append((i, theirs))
        try:
            fill(add, 5000)
        except AssertionError:
            pass  # room for all of them is fine
        for timer in timers:
            timer.cancel()
        run_all()
        for _, theirs in watched:
            theirs.send(b"x")
        while len(set(ready)) < len(watched):
            run_all()
        assert set(ready) == {i for i, _ in watched}
        for i, _ in watched:
            assert loop.remove_reader(pairs[i][0])
        for pair in pairs:
            for sock in pair:
                sock.close()
        """,
}


@pytest.mark.parametrize("script", FILLED.values(), ids=FILLED.keys())
def test_what_is_full_stays_whole(script: str) -> None:
    lines = "\n".join(line.removeprefix(" " * 4) for line in script.splitlines())
    # The others take seconds to fill.
    rounds = 2 if "transport.write(" in script else 1
    source = f"{BEGIN}{lines}\n    loop.run_until_complete(echo())\n"
    result = run_script(source, str(rounds), env=HEAP, timeout=180)
    assert_clean(result)


def test_the_error_says_what_to_do() -> None:
    result = run_script(
        """
        import rloop
        loop = rloop.RLoop()
        timers = []
        while True:
            timers.append(loop.call_later(1000, print))
        """,
        env=HEAP,
    )
    assert "MemoryError: " in result.stderr
    assert "RLOOP_JAVA_HEAP" in result.stderr
