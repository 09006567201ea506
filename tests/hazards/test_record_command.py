"""`python -m rloop record`: a program, and the recording of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.hazards.recordings import TIMEOUT_SECONDS, events


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
