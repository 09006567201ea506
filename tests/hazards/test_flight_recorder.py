"""Rules of `rloop.flight_recorder`, and `python -m rloop record`: what JDK's own `jfr` reads.

Each records in a process of its own: one in which Flight Recorder has run is another one for ever.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from find_jdk import BuildError, find_jdk

from rloop.java import java_home
from tests.hazards.scripts import assert_clean, on_loop, run_script

BUSY_MACHINE_SECONDS = 1
TIMEOUT_SECONDS = 240

LOOPS = ["rloop", "tokio", "lent"]
KINDS = [
    "Iteration",
    "SlowCall",
    "Poll",
    "ConnectionOpened",
    "ConnectionClosed",
    "TlsHandshake",
]

Event = dict[str, Any]


def jfr() -> str:
    """JDK's tool."""
    for home in (java_home.find().path, str(find_jdk())):
        tool = os.path.join(home, "bin", "jfr")
        if os.path.exists(tool):
            return tool
    pytest.skip("there is no jfr")


def events(recording: Path) -> dict[str, list[Event]]:
    """The events of a recording, by kind, in order."""
    done = subprocess.run(
        [jfr(), "print", "--json", "--categories", "rloop", recording],
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, list[Event]] = {kind: [] for kind in KINDS}
    for event in json.loads(done.stdout)["recording"]["events"]:
        found[event["type"].removeprefix("rloop.")].append(event["values"])
    return found


def seconds(event: Event) -> float:
    duration = re.fullmatch(r"PT(?:([\d.]+)M)?(?:([\d.]+)S)?", event["duration"])
    assert duration is not None
    minutes, rest = duration.groups(default="0")
    return 60 * float(minutes) + float(rest)


def record(
    kind: str, recording: Path, body: str, *, env: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Runs a script that has `path`; returns what it printed, JSON."""
    head = "import asyncio, json, os, socket, sys, time, rloop\npath = sys.argv[1]\n"
    source = on_loop(kind, head, body)
    result = run_script(source, str(recording), env=env, timeout=TIMEOUT_SECONDS)
    assert_clean(result)
    printed: dict[str, Any] = json.loads(result.stdout or "{}")
    return printed


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return tmp_path / "recording.jfr"


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


def test_what_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    result = run_script(
        "import sys, rloop; rloop.flight_recorder(sys.argv[1])", str(tmp_path / "none" / "a.jfr")
    )
    assert "FileNotFoundError" in result.stderr


def test_what_cannot_be_written_at_the_end_is_an_error_and_the_recording_is_over(
    tmp_path: Path, recording: Path
) -> None:
    record(
        "rloop",
        recording,
        f"""
        import shutil

        gone = {str(tmp_path / "gone")!r}
        os.mkdir(gone)
        loop = new_loop()
        first = rloop.flight_recorder(os.path.join(gone, "a.jfr"))
        shutil.rmtree(gone)
        second = rloop.flight_recorder("/dev/full")
        for unwritten in first, second:
            try:
                unwritten.close()
            except OSError as error:
                assert "the flight recording cannot be written" in str(error), error
            else:
                raise AssertionError("it was written")
            unwritten.close()
        assert not rloop.RLoop._are_recorded
        with rloop.flight_recorder(os.fsencode(path)):
            loop.call_soon(time.sleep, 0.03)
            loop.run_until_complete(asyncio.sleep(0))
        """,
    )
    assert len(events(recording)["SlowCall"]) == 1


def test_a_folder_for_temporary_files_that_is_none_is_an_error(recording: Path) -> None:
    options = {"RLOOP_JAVA_OPTIONS": "-Djava.io.tmpdir=/dev/null/none", "RLOOP_AOT": "off"}
    result = run_script(
        "import sys, rloop; rloop.flight_recorder(sys.argv[1])",
        str(recording),
        env={**os.environ, **options},
    )
    assert "OSError: " in result.stderr
    assert "-Djava.io.tmpdir=FOLDER names another folder" in result.stderr
    assert not recording.exists()


def test_settings_that_are_no_strings_are_refused(recording: Path) -> None:
    result = run_script(
        "import sys, rloop; rloop.flight_recorder(sys.argv[1], settings={'rloop.Poll#enabled': 1})",
        str(recording),
    )
    assert "TypeError: settings have strings as names and values" in result.stderr
    assert not recording.exists()


def test_unknown_jdk_events_are_refused(recording: Path) -> None:
    result = run_script(
        "import sys, rloop; rloop.flight_recorder(sys.argv[1], jdk_events='all')", str(recording)
    )
    assert "jdk_events is 'default', 'profile' or None, not 'all'" in result.stderr
    assert not recording.exists()


def test_a_java_without_flight_recorder_runs_loops_and_says_what_it_lacks(
    tmp_path: Path, recording: Path
) -> None:
    try:
        jlink = find_jdk() / "bin" / "jlink"
    except BuildError as problem:
        pytest.skip(str(problem))
    small = tmp_path / "java"
    made = subprocess.run(
        [jlink, "--add-modules", "java.base", "--output", small],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        pytest.skip(made.stdout)
    result = run_script(
        """
        import asyncio, sys, rloop
        with asyncio.Runner(loop_factory=rloop.RLoop) as runner:
            runner.run(asyncio.sleep(0))
            runner.get_loop().metrics()
        try:
            rloop.flight_recorder(sys.argv[1])
        except RuntimeError as error:
            print(error)
        """,
        str(recording),
        env={**os.environ, "RLOOP_JAVA_HOME": str(small), "RLOOP_AOT": "off"},
    )
    assert_clean(result)
    assert f"the Java in {small} has no Flight Recorder" in result.stdout
    assert "RLOOP_JAVA_HOME" in result.stdout
    assert not recording.exists()
    shutil.rmtree(small)


# ---- python -m rloop record ----------------------------------------------------------------------


def run_record(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "rloop", "record", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=TIMEOUT_SECONDS
    )


@pytest.mark.parametrize("kind", ["rloop", "tokio"])
def test_a_program_is_recorded(kind: str, recording: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import asyncio, sys, time\n"
        "async def main():\n"
        "    time.sleep(0.03)\n"
        "    print(sys.argv[1:], type(asyncio.get_running_loop()).__name__)\n"
        "asyncio.run(main())\n"
        "sys.exit(3)\n"
    )
    done = run_record("--loop", kind, recording, "--", script, "--its", "own")
    assert done.stdout.split() == [
        "['--its',",
        "'own']",
        {"rloop": "RLoop", "tokio": "TokioLoop"}[kind],
    ]
    assert (done.returncode, done.stderr) == (3, "")
    assert f"{script}:2 in main" in events(recording)["SlowCall"][0]["callback"]


def test_a_program_that_raises_is_recorded(recording: Path) -> None:
    done = run_record(recording, "--", "-c", "import asyncio; asyncio.run(asyncio.sleep(1/0))")
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    assert "flight" not in done.stderr
    assert recording.stat().st_size > 0


def test_a_record_that_cannot_be_written_is_told() -> None:
    for code, status in ("", 1), ("import sys; sys.exit(5)", 5):
        done = run_record("/dev/full", "--", "-c", code)
        assert done.returncode == status
        (line,) = done.stderr.splitlines()
        assert line.startswith("python -m rloop: record: the flight recording cannot be written")


def test_a_recording_needs_a_program_and_a_file(recording: Path, tmp_path: Path) -> None:
    done = run_record(recording)
    assert done.returncode == 2
    assert "a script, -m MODULE or -c CODE is missing" in done.stderr
    done = run_record(tmp_path / "none" / "a.jfr", "--", "-c", "")
    assert done.returncode == 1
    assert done.stderr.startswith("python -m rloop: record: [Errno 2]")
