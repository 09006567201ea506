"""The command line, apart from what each command does."""

import subprocess
import sys

import rloop


def output_of(*arguments: str) -> str:
    command = [sys.executable, "-m", "rloop", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_without_a_command_it_shows_what_there_is() -> None:
    shown = output_of()
    for command in ("run", "doctor", "cache"):
        assert f"\n    {command} " in shown
    assert output_of("--help") == shown


def test_each_command_says_what_it_takes() -> None:
    assert "--loop {rloop,tokio}" in output_of("run", "--help")
    assert "--json" in output_of("doctor", "--help")
    assert output_of("cache", "--help")


def test_it_tells_its_version() -> None:
    assert output_of("--version") == f"rloop {rloop.__version__}\n"


def test_a_record_whose_program_has_no_dashes_before_it_is_told_of_them() -> None:
    command = [sys.executable, "-m", "rloop", "record", "a.jfr", "script.py"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "unrecognized arguments: script.py; the program comes after --" in result.stderr


def test_an_unknown_command_is_refused() -> None:
    command = [sys.executable, "-m", "rloop", "walk"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "invalid choice: 'walk'" in result.stderr
