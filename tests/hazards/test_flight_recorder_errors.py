"""What `rloop.flight_recorder` refuses, and what it says when there is or will be no file."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from find_jdk import BuildError, find_jdk

from tests.hazards.recordings import events, record
from tests.hazards.scripts import assert_clean, run_script


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
