"""Rules of `rloop.flight_recorder`: what JDK's own `jfr` reads.

Each records in a process of its own: one in which Flight Recorder has run is another one for ever.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.hazards.recordings import events, jfr, record, seconds

BUSY_MACHINE_SECONDS = 1

LOOPS = ["rloop", "tokio", "lent"]


@pytest.mark.parametrize("kind", LOOPS)
def test_durations_are_those_of_the_program(kind: str, recording: Path) -> None:
    printed = record(
        kind,
        recording,
        """
        measured = {}

        def block(name, duration):
            started = time.monotonic()
            time.sleep(duration)
            measured[name] = time.monotonic() - started

        async def waits():
            block("task", 0.05)
            await asyncio.sleep(0.4)

        async def main():
            with rloop.flight_recorder(path):
                await asyncio.sleep(0)
                await asyncio.create_task(waits(), name="the slow one")
                asyncio.get_running_loop().call_soon(block, "callback", 0.08)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                await asyncio.sleep(0)

        new_loop().run_until_complete(main())
        print(json.dumps(measured))
        """,
    )
    found = events(recording)
    (task,) = [call for call in found["SlowCall"] if "the slow one" in call["callback"]]
    (callback,) = [call for call in found["SlowCall"] if "block()" in call["callback"]]
    assert "task 'the slow one', waits, now at " in task["callback"]
    assert " in waits" in task["callback"]
    assert printed["task"] <= seconds(task) <= printed["task"] + BUSY_MACHINE_SECONDS
    assert printed["callback"] <= seconds(callback) <= printed["callback"] + BUSY_MACHINE_SECONDS
    assert max(map(seconds, found["Iteration"])) >= printed["callback"]
    assert any(event["calls"] >= 1 for event in found["Iteration"])
    if kind == "rloop":
        assert max(map(seconds, found["Poll"])) >= 0.1


@pytest.mark.parametrize("kind", LOOPS)
def test_connections_and_handshakes_are_recorded(
    kind: str, recording: Path, tmp_path: Path
) -> None:
    import trustme  # noqa: PLC0415  # needed here alone

    authority = trustme.CA()
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(
        str(tmp_path / "server.pem")
    )
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    record(
        kind,
        recording,
        """
        import os, ssl

        folder = os.path.dirname(path)
        server_context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        server_context.load_cert_chain(os.path.join(folder, "server.pem"))
        client_context = ssl.create_default_context(cafile=os.path.join(folder, "ca.pem"))

        async def echo(reader, writer):
            try:
                writer.write(await reader.read(100))
            except OSError:
                pass
            await asyncio.sleep(0.05)
            writer.close()

        async def ask(port, context, host="localhost"):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=context, server_hostname=host
            )
            writer.write(b"hello")
            assert await reader.read(100) == b"hello"
            assert not await reader.read(100)
            writer.close()
            await writer.wait_closed()

        async def main():
            asyncio.get_running_loop().set_exception_handler(lambda *_: None)
            with rloop.flight_recorder(path):
                server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=server_context)
                port = server.sockets[0].getsockname()[1]
                await ask(port, client_context)
                try:
                    await ask(port, client_context, "elsewhere")
                except ssl.SSLError:
                    pass
                ours, theirs = socket.socketpair(type=socket.SOCK_DGRAM)
                transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                    asyncio.DatagramProtocol, sock=ours)
                transport.close()
                theirs.close()
                server.close()
                await asyncio.sleep(0.2)

        new_loop().run_until_complete(main())
        """,
    )
    found = events(recording)
    opened = [event["kind"] for event in found["ConnectionOpened"]]
    closed = [event["kind"] for event in found["ConnectionClosed"]]
    assert sorted(opened) == sorted(closed) == ["datagram", *["stream"] * 4]
    assert len([event for event in found["ConnectionClosed"] if seconds(event) >= 0.05]) >= 2
    succeeded = [event["succeeded"] for event in found["TlsHandshake"]]
    assert len(succeeded) == 4
    assert 2 <= succeeded.count(True) <= 3  # in TLS 1.3 a server is done before its client objects
    assert all(seconds(event) > 0 for event in found["TlsHandshake"])


@pytest.mark.parametrize("kind", LOOPS)
def test_a_uvicorn_under_load_is_recorded(kind: str, recording: Path) -> None:
    printed = record(
        kind,
        recording,
        """
        from tests.unit.loaded_uvicorn import LoadedUvicorn

        async def main():
            with rloop.flight_recorder(path, settings={"rloop.Iteration#threshold": "0 ns"}):
                async with LoadedUvicorn() as server:
                    await server.load(5, 40)
            return {"requests": server.requests, "iterations": loop.metrics().iterations}

        loop = new_loop()
        print(json.dumps(loop.run_until_complete(main())))
        """,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    found = events(recording)
    assert len(found["ConnectionOpened"]) == len(found["ConnectionClosed"]) == 10
    assert sum(event["calls"] for event in found["Iteration"]) >= printed["requests"]
    assert 0 < len(found["Iteration"]) <= printed["iterations"]


def test_loops_made_before_and_after_the_start_are_recorded(recording: Path) -> None:
    record(
        "rloop",
        recording,
        """
        before = new_loop()
        before.call_soon(time.sleep, 0.03)
        with rloop.flight_recorder(path):
            after = new_loop()
            after.call_soon(time.sleep, 0.03)
            for loop in (before, after):
                loop.run_until_complete(asyncio.sleep(0))
        for loop in (before, after):
            loop.call_soon(time.sleep, 0.03)
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()
        """,
    )
    assert len(events(recording)["SlowCall"]) == 2


def test_recordings_follow_each_other_and_overlap(tmp_path: Path) -> None:
    first, second, third = (tmp_path / f"{number}.jfr" for number in range(3))
    record(
        "rloop",
        first,
        f"""
        loop = new_loop()

        def slow(seconds):
            loop.call_soon(time.sleep, seconds)
            loop.run_until_complete(asyncio.sleep(0))

        outer = rloop.flight_recorder(path)
        slow(0.03)
        with rloop.flight_recorder({str(second)!r}):
            slow(0.03)
        slow(0.03)
        outer.close()
        outer.close()
        slow(0.03)
        with rloop.flight_recorder({str(third)!r}):
            slow(0.03)
        """,
    )
    counts = [len(events(recording)["SlowCall"]) for recording in (first, second, third)]
    assert counts == [3, 1, 1]


def test_settings_are_flight_recorders(recording: Path) -> None:
    record(
        "rloop",
        recording,
        """
        settings = {"rloop.SlowCall#enabled": "false", "rloop.Poll#threshold": "0 ns"}
        with rloop.flight_recorder(path, settings=settings):
            loop = new_loop()
            loop.call_soon(time.sleep, 0.03)
            loop.run_until_complete(asyncio.sleep(0.001))
        """,
    )
    found = events(recording)
    assert not found["SlowCall"]
    assert found["Poll"]


def test_a_recording_that_is_not_closed_is_written_at_the_end(recording: Path) -> None:
    record(
        "rloop",
        recording,
        """
        rloop.flight_recorder(path)
        new_loop().run_until_complete(asyncio.sleep(0.03))
        """,
    )
    assert events(recording)["Poll"]


def test_what_the_jdk_tells_can_be_had_as_well(recording: Path) -> None:
    record(
        "rloop",
        recording,
        """
        with rloop.flight_recorder(path, jdk_events="default"):
            from rloop import _core
            _core.collect_java_garbage()
        """,
    )
    done = subprocess.run([jfr(), "summary", recording], capture_output=True, text=True, check=True)
    counts = dict(re.findall(r"^ (\S+)\s+(\d+)\s+\d+$", done.stdout, re.MULTILINE))
    assert int(counts["jdk.GarbageCollection"]) >= 1


def test_the_recorders_threads_take_no_signals_and_it_leaves_no_folder(recording: Path) -> None:
    printed = record(
        "rloop",
        recording,
        """
        import os, re, threading

        with rloop.flight_recorder(path, jdk_events="default"):
            open_to_signals = {}
            for task in os.listdir("/proc/self/task"):
                with open(f"/proc/self/task/{task}/status") as status:
                    text = status.read()
                blocked = int(re.search("SigBlk:\\\\s+(\\\\w+)", text)[1], 16)
                if not blocked & 2:  # SIGINT, the second
                    open_to_signals[task] = re.search("Name:\\\\s+(.*)", text)[1]
        left = [name for name in os.listdir("/tmp") if name.endswith(f"_{os.getpid()}")]
        main = str(threading.main_thread().native_id)
        print(json.dumps({"others": [n for t, n in open_to_signals.items() if t != main],
                          "left": left}))
        """,
    )
    assert printed == {"others": [], "left": []}


def test_a_child_of_a_recorded_process_writes_nothing(recording: Path) -> None:
    record(
        "rloop",
        recording,
        """
        import os, warnings
        warnings.simplefilter("ignore")
        loop = new_loop()
        rloop.flight_recorder(path)
        if os.fork() == 0:
            sys.exit(0)
        assert os.wait()[1] == 0
        loop.run_until_complete(asyncio.sleep(0.03))
        """,
    )
    assert events(recording)["Poll"]
